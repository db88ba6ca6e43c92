"""The interval of the median, and how many more runs it takes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.inspection.statistics import interval, more_runs
from trimtab.inspection.statistics.median import MAX_MORE, _bootstrap

finite = st.floats(-1e6, 1e6, allow_nan=False)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_the_bootstrap_is_what_all_resamples_there_are_have(n):
    values = np.sort(np.random.default_rng(n).normal(size=n))
    every = [float(np.median(each)) for each in itertools.product(values, repeat=n)]
    medians, shares = _bootstrap(values)
    assert shares.sum() == pytest.approx(1)
    for at in medians:
        below = np.mean([each <= at + 1e-12 for each in every])
        assert shares[medians <= at + 1e-12].sum() == pytest.approx(below)


@given(st.lists(finite, min_size=2, max_size=40))
def test_the_interval_is_within_the_values_and_around_their_median(values):
    found = interval(values)
    assert min(values) <= found.low <= np.median(values) + 1e-9
    assert np.median(values) - 1e-9 <= found.high <= max(values)
    assert found == interval(list(reversed(values)))


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=30))
def test_the_interval_of_the_mirrored_values_is_the_mirrored_interval(values):
    found, mirrored = interval(values), interval([-each for each in values])
    assert (found.low, found.high) == (-mirrored.high, -mirrored.low)


@pytest.mark.parametrize(("n", "least"), [(5, 0.90), (10, 0.89), (30, 0.90)])
def test_it_holds_the_median_about_as_often_as_it_says(n, least):
    random = np.random.default_rng(n)
    found = [interval(random.lognormal(0, 0.3, n)) for _ in range(500)]
    assert np.mean([each.low <= 1 <= each.high for each in found]) >= least


def test_few_values_cannot_have_the_confidence_and_say_so():
    assert interval([1.0]) is None
    assert interval([1.0, 2.0, 3.0]).attained == 0.75
    assert interval([1.0] * 6).attained == 0.95
    assert interval([float(each) for each in range(1200)]).attained == 0.95


def test_more_runs_go_with_the_square_of_the_width():
    values = [float(each) for each in np.random.default_rng(0).normal(100, 5, 20)]
    wide, narrow = more_runs(values, 0.02), more_runs(values, 0.01)
    assert 0 < wide < narrow
    assert (narrow + 20) == pytest.approx(4 * (wide + 20), abs=4)
    assert more_runs(values, 0.5) == 0
    assert more_runs(values, 1e-9) == MAX_MORE


def test_more_runs_are_at_least_those_that_an_interval_needs():
    assert more_runs([1.0, 1.0, 1.0], 0.02) == 3
    assert more_runs([1.0, 2.0], 0.02) is None
    assert more_runs([-1.0, 0.0, 1.0], 0.02) is None


def test_that_many_more_runs_do_settle_it():
    random, settled = np.random.default_rng(3), 0
    for _ in range(40):
        values = random.normal(100, 5, 15)
        extended = [*values, *random.normal(100, 5, more_runs(values, 0.02))]
        found = interval(extended)
        settled += (found.high - found.low) / 2 / 100 <= 0.03
    assert settled >= 26
