"""Trials, outcomes and budgets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.optimizer import Budget, Outcome, Prediction, Purpose, StudyError, Trial
from trimtab.optimizer.trial import MAX_TRIALS

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.dictionaries(st.text(min_size=1), st.integers() | NUMBERS | st.text(), max_size=4)
PREDICTIONS = st.none() | st.builds(Prediction, NUMBERS, NUMBERS, st.floats(0, 1))
TRIALS = st.builds(
    Trial, st.integers(0, 999), st.sampled_from(Purpose), POINTS, st.text(), st.text(), PREDICTIONS
)
METRICS = st.dictionaries(st.text(min_size=1), NUMBERS, max_size=3)
STATUSES = st.sampled_from(["ok", "rejected", "failed", "aborted", "lost"])
OUTCOMES = st.builds(Outcome, STATUSES, METRICS, METRICS, st.none() | st.text(), st.text(), st.floats(0, 1e6))


@given(TRIALS)
def test_trials_survive_json(trial):
    assert Trial.from_dict(json.loads(json.dumps(trial.to_dict()))) == trial


@given(OUTCOMES)
def test_outcomes_survive_json(outcome):
    assert Outcome.from_dict(json.loads(json.dumps(outcome.to_dict()))) == outcome


@pytest.mark.parametrize("trials", [0, -1, MAX_TRIALS + 1])
def test_a_budget_has_a_bounded_number_of_trials(trials):
    with pytest.raises(StudyError, match=f"{trials} trials; 1 to {MAX_TRIALS}"):
        Budget(trials)


@pytest.mark.parametrize("seconds", [0, -5.0, float("nan")])
def test_a_budget_of_no_time_is_refused(seconds):
    with pytest.raises(StudyError, match="more than 0"):
        Budget(5, seconds)


@given(st.integers(1, 500), st.integers(0, 600), st.none() | st.floats(1, 1e5), st.floats(0, 1e5))
def test_what_is_left_is_never_more_than_the_budget_nor_less_than_nothing(trials, spent, seconds, elapsed):
    left = Budget(trials, seconds).left(spent, elapsed)
    assert 0 <= left <= max(0, trials - spent)
    if seconds is not None and spent and elapsed:
        assert left * elapsed / spent <= max(0.0, seconds - elapsed) * (1 + 1e-9) + 1e-9


def test_time_that_is_spent_leaves_no_trial():
    assert Budget(100, 60.0).left(6, 60.0) == 0
    assert Budget(100, 60.0).left(3, 30.0) == 3
    assert Budget(100, 60.0).left(0, 0.0) == 100
