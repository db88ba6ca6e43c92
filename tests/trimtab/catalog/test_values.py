"""Values of documents that anybody may have written, as columns take them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.catalog.values import at, integer, moment, number, standard, storable, text

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(ANYTHING)
def test_any_value_becomes_one_that_a_column_takes_or_none(value):
    found = text(value, 5)
    assert found is None or (len(found) <= 5 and storable(found))
    assert found is None or isinstance(found.encode(), bytes)
    found = integer(value)
    assert found is None or -(1 << 31) <= found < 1 << 31
    found = integer(value, big=True)
    assert found is None or -(1 << 63) <= found < 1 << 63
    found = number(value)
    assert found is None or math.isfinite(found)
    found = moment(value)
    assert found is None or math.isfinite(found)


@given(ANYTHING)
def test_a_document_becomes_standard_json_and_is_else_the_same(value):
    found = standard(value)
    assert "nan" not in repr(found).replace("'nan'", "")
    assert standard(found) == found


def test_what_is_nested_is_found_or_none():
    assert at({"a": {"b": 1}}, "a", "b") == 1
    assert at({"a": {"b": 1}}, "a", "c") is at({"a": 1}, "a", "b") is at(None, "a") is at([], "a") is None
    assert at(1) == 1


@pytest.mark.parametrize(
    ("value", "expected"), [(3, 3), ("3", 3), (" -3 ", -3), ("3.0", None), (True, None), (1.0, None)]
)
def test_an_integer_may_be_written_as_text(value, expected):
    """As the batch sizes of older documents are."""
    assert integer(value) == expected


def test_a_time_without_a_zone_is_utc():
    assert (
        moment("2020-08-05T14:41:01.756319")
        == moment("2020-08-05T16:41:01.756319+02:00")
        == 1596638461.756319
    )
    assert moment("2020-08-05T14:41:01Z") == 1596638461
    assert moment("yesterday") is moment(None) is None
