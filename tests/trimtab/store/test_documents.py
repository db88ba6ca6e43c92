"""Documents: the same bytes for equal ones, and an error for what is none."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.store import DocumentError, decode, encode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
# Also what cannot be encoded as UTF-8, yet may be in JSON.
TEXT = st.text(st.characters(exclude_categories=()))


@given(st.dictionaries(TEXT, JSON | TEXT, max_size=5))
def test_a_document_comes_back_as_it_was(document):
    assert decode(encode(document), "here") == document
    assert encode(decode(encode(document), "here")) == encode(document)


def test_a_document_is_written_as_the_originals_are(originals):
    """But for the line's end that the files have."""
    files = [
        each for each in originals.glob("amun-inspection/*/results/*/*") if each.name in {"result", "hwinfo"}
    ]
    assert len(files) == 6
    for each in files:
        assert encode(json.loads(each.read_bytes())) == each.read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), {1, 2}, b"bytes"])
def test_what_json_has_not_is_refused(value):
    with pytest.raises(DocumentError, match="no JSON document"):
        encode({"a": [value]})


def test_a_document_that_holds_itself_is_refused():
    document = {}
    document["a"] = document
    with pytest.raises(DocumentError):
        encode(document)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty; it was torn"),
        (b'{"a": 1', "no JSON document"),
        (b"\xff\xfe\xfd", "no JSON document"),
        (b"[1]", "a list, not an object"),
        (b"null", "a NoneType"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "no JSON document"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "no JSON document"),
    ],
)
def test_bytes_that_are_no_document_are_refused_with_their_place(content, problem):
    with pytest.raises(DocumentError, match=problem) as caught:
        decode(content, "store inspections/a/report")
    assert str(caught.value).startswith("store inspections/a/report ")
    assert len(str(caught.value)) < 400


@given(st.binary(max_size=50))
def test_any_bytes_are_a_document_or_refused(content):
    with contextlib.suppress(DocumentError):
        assert isinstance(decode(content, "here"), dict)


def test_older_documents_may_have_nan():
    assert math.isnan(decode(b'{"a": NaN}', "here")["a"])
