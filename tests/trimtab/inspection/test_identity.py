"""Ids of inspections, and what may be part of them."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.inspection import inspection_id
from trimtab.inspection.identity import MAX_IDENTIFIER, check_identifier

NOW = datetime(2020, 8, 5, 14, 41, 1, tzinfo=UTC)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123, as Kubernetes checks names and labels


def test_an_id_has_the_identifier_the_time_and_random_digits():
    assert inspection_id("np-matmul", NOW, 0xAB) == "inspection-np-matmul-200805144101-00000000000000ab"


@pytest.mark.parametrize("identifier", [None, ""])
def test_an_id_without_identifier(identifier):
    assert inspection_id(identifier, NOW, 2**64 - 1) == "inspection-200805144101-ffffffffffffffff"


def test_the_time_is_utc():
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))
    assert inspection_id(None, elsewhere, 0) == inspection_id(None, NOW, 0)


def test_ids_differ():
    assert inspection_id("x") != inspection_id("x")


@pytest.mark.parametrize(
    "identifier",
    ["Upper", "under_score", "-x", "x-", "a.b", "a b", "é", "x" * (MAX_IDENTIFIER + 1), "a\n", "$(id)"],
)
def test_b14_an_identifier_that_breaks_object_names_is_refused(identifier):
    with pytest.raises(
        ValueError, match="it becomes part of names in a cluster: at most 22 lower-case letters"
    ):
        check_identifier(identifier)


@given(st.from_regex(r"[a-z0-9-]{0,30}", fullmatch=True), st.integers(0, 2**64 - 1))
def test_b14_an_identifier_that_is_taken_makes_a_name_and_label_of_kubernetes(identifier, random):
    try:
        found = inspection_id(identifier, NOW, random)
    except ValueError:
        return
    assert LABEL.fullmatch(found)
    assert len(found) <= 63
