"""Statistics of a verdict, and how a budget is split."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from trimtab.optimizer.course import baseline_readings, plan
from trimtab.optimizer.verdict import Expectation, Noise, compare

SAMPLES = st.lists(st.floats(-100, 100), min_size=2, max_size=12)


@given(SAMPLES, SAMPLES)
def test_with_nothing_else_known_it_is_welchs_test(baseline, candidate):
    if np.ptp(baseline) < 1e-3 or np.ptp(candidate) < 1e-3:
        return
    found = compare(baseline, candidate)
    expected = ttest_ind(baseline, candidate, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-6)
    assert found.gain == pytest.approx(np.mean(baseline) - np.mean(candidate), abs=1e-9)


@given(SAMPLES, SAMPLES, st.floats(0.01, 100), st.floats(1, 50))
def test_the_interval_is_around_the_gain_and_the_probability_agrees(baseline, candidate, squares, freedom):
    noise = Noise(squares, freedom)
    found = compare(baseline, candidate, prior=(noise, noise))
    assert found.low <= found.gain <= found.high
    assert (found.probability > 0.975) == (found.low > 0) or found.low == pytest.approx(0, abs=1e-6)


def test_a_single_reading_each_says_nothing_unless_the_noise_is_known():
    assert compare([5.0], [4.0]) is None
    known = Noise(squares=0.1, freedom=10)
    assert compare([5.0], [4.0], prior=(known, known)).low > 0


def test_no_reading_is_no_comparison():
    assert compare([], [1.0, 2.0]) is None
    assert compare([1.0, 2.0], []) is None


def test_readings_that_repeat_themselves_exactly_leave_no_doubt():
    found = compare([5.0, 5.0], [4.0, 4.0])
    assert (found.gain, found.low, found.high, found.probability) == (1.0, 1.0, 1.0, 1.0)
    assert compare([5.0, 5.0], [5.0, 5.0]).probability == 0.5


def test_an_expectation_counts_as_readings_and_no_more_than_allowed():
    alone = compare([10.0, 11.0, 9.0], [8.0, 9.0, 7.0])
    backed = compare([10.0, 11.0, 9.0], [8.0, 9.0, 7.0], expected=Expectation(8.0, 0.01, 3.0))
    assert backed.gain == pytest.approx(alone.gain)
    assert backed.high - backed.low < alone.high - alone.low
    denied = compare([10.0, 11.0, 9.0], [8.0, 9.0, 7.0], expected=Expectation(-1000.0, 0.01, 0.0))
    assert denied.gain == pytest.approx(alone.gain)


def test_claims_on_equal_samples_are_as_rare_as_the_confidence_says():
    random = np.random.default_rng(0)
    claims = sum(compare(list(random.random(4)), list(random.random(4))).low > 0 for _ in range(2000))
    assert claims / 2000 < 0.035


@given(st.integers(1, 500), st.floats(-100, 100), st.floats(0, 1000))
def test_proof_never_takes_more_than_a_part_of_the_budget(budget, gain, noise):
    found = plan(budget, gain, noise)
    assert found.confirm >= 0
    assert found.pairs >= 0
    assert found.reserve + baseline_readings(budget) <= budget
    if budget >= 20:
        assert found.reserve <= 0.3 * budget


def test_what_is_plain_needs_little_proof():
    assert plan(100, gain=50.0, noise=0.0).reserve == 2
    assert plan(100, gain=50.0, noise=5.0).pairs < plan(100, gain=10.0, noise=5.0).pairs
