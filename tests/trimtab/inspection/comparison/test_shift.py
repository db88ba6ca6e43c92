"""Two samples of one measure."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trimtab.inspection.comparison import shift
from trimtab.inspection.comparison.measure import adjusted
from trimtab.inspection.comparison.shift import least_p

samples = st.lists(st.floats(-1e3, 1e3, allow_nan=False), min_size=1, max_size=12)


def test_the_test_is_the_exact_one_of_mann_and_whitney():
    random = np.random.default_rng(0)
    first, second = random.normal(10, 1, 8), random.normal(11, 1, 9)
    found = shift(first, second)
    assert found.p_value == pytest.approx(stats.mannwhitneyu(first, second, method="exact").pvalue)
    pairs = np.subtract.outer(second, first)
    assert found.shift == pytest.approx(np.median(pairs))
    assert found.delta == pytest.approx(np.sign(pairs).mean())


@given(samples, samples)
@settings(max_examples=60)
def test_the_other_way_round_everything_is_mirrored(first, second):
    one, other = shift(first, second), shift(second, first)
    assert one.shift == pytest.approx(-other.shift)
    assert one.delta == pytest.approx(-other.delta)
    assert one.p_value == other.p_value
    assert (one.low is None) == (other.low is None)
    assert one.low is None or one.low == pytest.approx(-other.high)


@given(st.permutations(range(10)))
@settings(max_examples=60)
def test_interval_and_test_say_the_same(order):
    """Without ties the interval has 0 inside if and only if the p-value is above the level."""
    values = [100 + each + each**2 / 1000 for each in order]
    found = shift(values[:5], values[5:])
    assert found.excludes_zero == (found.p_value <= 0.01)


def test_a_ratio_is_told_where_all_values_are_above_zero():
    found = shift([10.0, 11, 12, 13, 14], [20.0, 22, 24, 26, 28])
    assert found.ratio == pytest.approx(2, abs=0.05)
    assert 1 < found.ratio_low < found.ratio < found.ratio_high
    assert shift([0.0, 1], [1.0, 2]).ratio is None


def test_the_interval_holds_the_shift_about_as_often_as_it_says():
    random, held = np.random.default_rng(1), 0
    for _ in range(300):
        found = shift(random.normal(0, 1, 7), random.normal(2, 1, 7))
        held += found.low <= 2 <= found.high
    assert held >= 290


def test_large_samples_are_compared_in_bounded_memory():
    random = np.random.default_rng(2)
    found = shift(random.normal(100, 1, 10_000), random.normal(101, 1, 10_000))
    assert found.low < 1 < found.high
    assert found.p_value < 1e-9


def test_the_least_p_value_is_what_complete_separation_has():
    assert shift([1.0, 2, 3, 4, 5], [6.0, 7, 8, 9, 10]).p_value == pytest.approx(least_p(5, 5))
    assert least_p(5, 5) == pytest.approx(2 / math.comb(10, 5))


def test_holm():
    found = adjusted({"a": 0.01, "b": 0.04, "c": 0.03})
    assert found == {"a": pytest.approx(0.03), "c": pytest.approx(0.06), "b": pytest.approx(0.06)}
    assert adjusted({}) == {}
