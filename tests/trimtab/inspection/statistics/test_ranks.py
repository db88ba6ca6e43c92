"""The exact distributions of ranks."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.inspection.statistics.ranks import MAX_EXACT, rank_sum, trend

small = st.lists(st.integers(0, 4), min_size=1, max_size=4)


@given(small, small)
@settings(max_examples=40)
def test_the_p_value_is_that_of_all_divisions_there_are_with_ties_too(first, second):
    values = np.array([*first, *second], dtype=float)
    ranks = np.array([(values < each).sum() + (values <= each).sum() for each in values])
    given_sum = ranks[: len(first)].sum()
    sums = np.array(
        [ranks[list(each)].sum() for each in itertools.combinations(range(len(values)), len(first))]
    )
    tail = min((sums <= given_sum).mean(), (sums >= given_sum).mean())
    assert rank_sum(first, second) == pytest.approx(min(1.0, 2 * tail))


def test_the_order_of_the_samples_does_not_matter():
    first, second = [1.0, 2.0, 3.0, 9.0, 9.0], [4.0, 5.0, 6.0]
    assert rank_sum(first, second) == rank_sum(second, first)
    assert rank_sum([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) == pytest.approx(2 / 252)


def test_the_rough_p_value_of_many_values_goes_on_from_the_exact_one():
    values = [float(each) for each in range(MAX_EXACT + 2)]
    first, second = values[: MAX_EXACT // 2 : 1], values[MAX_EXACT // 2 :]
    assert rank_sum(first, second) < 1e-8
    assert rank_sum(values[::2], values[1::2]) == pytest.approx(0.89, abs=0.1)


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_the_trend_is_that_of_all_orders_there_are(n):
    orders = list(itertools.permutations(range(n)))
    scores = [trend(each).score for each in orders]
    for each, score in list(zip(orders, scores, strict=True))[:24]:
        expected = np.mean(np.abs(scores) >= abs(score))
        assert trend(each).p_value == pytest.approx(expected)


@given(st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=300))
@settings(max_examples=60)
def test_the_score_is_that_of_all_pairs_however_many_values_there_are(values):
    pairs = itertools.combinations(values, 2)
    assert trend(values).score == sum((second > first) - (second < first) for first, second in pairs)


def test_equal_values_have_no_trend():
    assert trend([1.0] * 8).p_value == 1
    assert trend([1.0]).p_value == 1
