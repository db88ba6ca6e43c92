"""The range of versions that breaks builds, and how sure that is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.catalog.observations import TOO_FEW, proportion
from trimtab.catalog.observations.ranges import Tried, bad_range


def versions(*counts: tuple[int, int]) -> list[Tried]:
    return [Tried(f"1.{number}", *each) for number, each in enumerate(counts)]


def test_a_version_from_which_on_all_break():
    found = bad_range(versions((9, 0), (8, 0), (1, 7), (0, 6)))
    assert found is not None
    assert (found.specifier, found.verdict, found.versions) == (">=1.2", "fails", ("1.2", "1.3"))
    assert (found.inside.n, found.inside.m, found.outside.n, found.outside.m) == (13, 14, 0, 17)


def test_a_version_that_was_mended_ends_the_range():
    found = bad_range(versions((9, 0), (0, 7), (8, 0), (9, 1)))
    assert found is not None
    assert (found.specifier, found.verdict) == (">=1.1,<1.2", "fails")


def test_one_failure_is_an_anecdote():
    found = bad_range(versions((50, 0), (0, 1)))
    assert found is not None
    assert found.verdict == TOO_FEW


def test_without_a_version_that_builds_it_takes_more_failures():
    few, many = bad_range(versions((0, 2))), bad_range(versions((0, 6)))
    assert few is not None
    assert many is not None
    assert (few.verdict, many.verdict) == (TOO_FEW, "fails")


def test_failures_that_are_everywhere_are_of_no_version():
    found = bad_range(versions((10, 5), (10, 4), (10, 6), (10, 5)))
    assert found is not None
    assert found.verdict == TOO_FEW


def test_without_failures_there_is_no_range():
    assert bad_range(versions((1, 0), (2, 0))) is None
    assert bad_range([]) is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_inside_and_outside_are_all_there_is(counts):
    found = bad_range(versions(*counts))
    if found is None:
        assert not any(broke for _, broke in counts)
    else:
        assert found.inside.n + found.outside.n == sum(broke for _, broke in counts)
        assert found.inside.m + found.outside.m == sum(map(sum, counts))
        assert found.inside.n * found.outside.m >= found.outside.n * found.inside.m


@pytest.mark.parametrize(
    ("n", "m", "low", "high"),
    # Newcombe (1998), table I: Wilson's method without continuity correction.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_that_of_the_literature(n, m, low, high):
    found = proportion(n, m)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_rate(good, bad):
    found = proportion(bad, good + bad)
    assert 0 <= found.low <= found.high <= 1
    assert found.rate is None or (found.low <= found.rate + 1e-4 and found.rate - 1e-4 <= found.high)
