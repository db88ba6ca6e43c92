"""What output means, without a process around it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from trimtab.inspection.wrapper.json_text import encode, members
from trimtab.inspection.wrapper.printed import exact, output, whole_characters

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def read(*parts: bytes):
    fields, notes = output(list(parts))
    return json.loads(b"".join(members(fields)) + b"\n}"), notes


@given(json_values, st.sampled_from(["", "\n", " \r\n\t"]))
def test_b25_any_json_is_its_value_and_stays_as_it_was_printed(value, end):
    text = end + json.dumps(value) + end
    found, _ = read(text.encode())
    # Half a pair of surrogates is no character; where a value has one, it is replaced.
    expected = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")) if value else {}
    assert found["stdout"] == expected
    assert found["stdout_raw"] == text


@given(st.binary(max_size=300))
def test_b25_any_bytes_make_a_document(data):
    found, _ = read(data)
    as_text = data.decode("utf-8", "replace")
    assert found["stdout_raw"] == as_text if found["stdout_raw"] is not None else found["stdout"] == as_text
    assert (found["stdout_base64"] is None) == (
        as_text.encode() == data or b"\xef\xbf\xbd" in data or not data
    )


@given(st.text(min_size=1), st.integers(0, 20), st.integers(0, 20))
def test_a_cut_text_has_no_half_characters(text, head, tail):
    data = text.encode()
    head, tail = min(head, len(data)), min(tail, len(data))
    for part in whole_characters([data[:head], b"...", data[len(data) - tail :]]):
        part.decode()


def test_nan_and_infinity_are_null():
    found, _ = read(b'{"elapsed": NaN, "rate": [Infinity, -Infinity, 1]}')
    assert found["stdout"] == {"elapsed": None, "rate": [None, None, 1]}


def test_json_that_is_nested_too_deep_stays_text():
    for depth in (101, 5_000, 200_000):
        text = b"[" * depth + b"1" + b"]" * depth
        found, notes = read(text)
        assert found["stdout"] == text.decode()
        assert "nested too deep" in notes[0]


def test_json_as_deep_as_is_allowed_is_a_value():
    assert read(b"[" * 100 + b"1" + b"]" * 100)[0]["stdout"] != "["


def test_an_integer_of_many_digits_does_not_keep_the_document_from_being_read():
    text = b"[" + b"9" * 10_000 + b"]"
    found, _ = read(text)
    assert found["stdout"] == text.decode()


def test_what_is_cut_is_no_json():
    assert read(b"[1,", b"...", b"2]")[0]["stdout"] == "[1,...2]"


def test_no_copy_in_base64_for_text():
    assert exact(["é".encode()]) is None


@given(json_values)
def test_values_of_our_own_are_written_as_json(value):
    assert json.loads(encode(value)) == json.loads(
        json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    )


def test_a_float_that_is_no_number_is_null():
    assert encode([float("nan"), float("inf"), 1.0]) == "[\n  null,\n  null,\n  1.0\n]"
