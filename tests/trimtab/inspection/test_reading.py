"""What comes from outside is bounded before anything looks at it."""

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.inspection import Specification, SpecificationError
from trimtab.inspection.specification import limits


def refused(text, **options):
    with pytest.raises(SpecificationError) as caught:
        Specification.parse(text, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    "text", ["[" * 10_000, '{"a":' * 10_000, "[" * 10_000 + "]" * 10_000, "[" * 40 + "]" * 40]
)
def test_depth(text):
    found = refused(text)
    assert "nested more than 32 deep" in found or "no JSON" in found


def test_depth_of_a_document_that_was_read_elsewhere():
    document = {"base": "x"}
    for _ in range(100_000):
        document = {"a": document}
    with pytest.raises(SpecificationError, match="nested more than 32 deep"):
        Specification.load(document)


def test_count():
    assert "more than 200000 values" in refused(json.dumps({"base": "x", "@": [0] * 200_001}))


def test_size():
    assert "larger than 67108864 bytes" in refused(b" " * (limits.MAX_DOCUMENT + 1))


def test_size_of_a_document_that_was_read_elsewhere():
    text = "x" * limits.MAX_TEXT
    with pytest.raises(SpecificationError, match="its texts have more than 67108864 characters"):
        Specification.load({"base": "x", "files": [{"path": f"{n}", "content": text} for n in range(5)]})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no JSON: Expecting value: line 1 column 1"),
        ("[]", "a specification is a JSON object"),
        ('{"base": "x",\n"a": }', "no JSON: Expecting value: line 2 column 6"),
        (b"\xff\xfe\xff", "not UTF-8"),
        (b'"\x80"', "not UTF-8"),
        ('{"base": NaN}', "base: NaN and infinity are no JSON numbers"),
        ('{"base": "x", "@": [1, 1e999]}', "@[1]: NaN and infinity are no JSON numbers"),
        (r'{"base": "x", "@": {"b": "\ud800"}}', "@.b: the text has half of a surrogate pair"),
        (r'{"base": "x", "\ud800": 1}', "half of a surrogate pair"),
        ('{"base": "x", "@": ' + "9" * 5000 + "}", "more digits than can be read"),
        (json.dumps({"base": "x", "@": {"k" * 1025: 1}}), "@: it has a key that is no text of at most 1024"),
    ],
)
def test_what_is_no_document_is_told_with_its_place(text, problem):
    assert problem in refused(text)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"script": "é" * (limits.MAX_TEXT // 2 + 1)}, "script: it has 16777218 bytes; at most 16777216"),
        ({"files": [{"path": "x", "content": "x" * (limits.MAX_TEXT + 1)}]}, "files[0].content: "),
        ({"files": [{"path": f"{n}", "content": "x"} for n in range(1001)]}, "files: "),
        ({"packages": ["x"] * 1001}, "packages: "),
        ({"environment": [{"name": "X", "value": "é" * 8193}]}, "environment[0].value: "),
        ({"environment": [{"name": f"X{n}", "value": "x" * 16_000} for n in range(17)]}, "environment: the variables have"),
        ({"run": {"requests": {"tolerations": [{}] * 33}}}, "run.requests.tolerations: "),
    ],
)  # fmt: skip
def test_contents_are_bounded(fields, problem):
    with pytest.raises(SpecificationError) as caught:
        Specification.load({"base": "x", **fields})
    assert str(caught.value).startswith(problem)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_anything_is_a_specification_or_an_error_of_ours(text):
    with suppress(SpecificationError):
        assert Specification.parse(text).base


@given(
    st.dictionaries(
        st.sampled_from([*Specification.model_fields, "@created"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["requests", "cpu", "path", "content", "name", "lock", "default"]), inner
                )
            ),
            max_leaves=8,
        ),
    )
)
def test_any_value_in_any_field_is_taken_or_refused(document):
    try:
        found = Specification.load(document)
    except SpecificationError:
        return
    assert Specification.load(found.document()) == found
    assert math.isfinite(found.run.requests.to_resources().cpu)
