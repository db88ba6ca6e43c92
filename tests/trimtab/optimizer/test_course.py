"""How a budget is shared among baseline, search, finalists and proof."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.optimizer import Budget, Goal, Outcome, Parameter, Purpose, Space, Study
from trimtab.optimizer.course import baseline_readings, plan

SPACE = Space((Parameter("a.x", "range", 0, 1),))
BUDGETS = st.integers(1, 10_000)
BASELINE = {"a.x": 0.5}


@given(BUDGETS, st.floats(-1e3, 1e3).map(lambda x: round(x, 3)), st.floats(0, 1e3))
def test_search_gets_the_greater_part_of_all_but_the_shortest_budgets(budget, gain, noise):
    reserve = plan(budget, gain, noise).reserve
    assert reserve >= 0
    assert baseline_readings(budget) + reserve <= budget
    if budget >= 8:
        assert reserve + baseline_readings(budget) <= budget / 2
    if budget >= 3:
        assert plan(budget, gain, noise).pairs >= 1


@given(BUDGETS, st.floats(0.1, 100), st.floats(0.01, 100), st.floats(1.01, 10))
def test_more_noise_never_gets_fewer_pairs_nor_a_greater_gain_more(budget, gain, noise, factor):
    pairs = plan(budget, gain, noise).pairs
    assert plan(budget, gain, noise * factor).pairs >= pairs
    assert plan(budget, gain * factor, noise).pairs <= pairs


def test_what_is_not_known_is_proved_as_far_as_the_budget_goes():
    assert plan(60, 0.0, math.inf).pairs >= plan(60, 1.0, 0.1).pairs


def test_the_baseline_is_measured_twice_where_that_can_be_afforded():
    """Once tells nothing of the noise."""
    assert baseline_readings(1) == 1
    assert all(baseline_readings(budget) >= 2 for budget in range(6, 200))


def carried_out(study, outcome):
    while (trial := study.ask()) is not None:
        study.tell(trial.number, outcome(trial))
    return [trial.purpose for trial, _ in study.trials]


@pytest.mark.parametrize("trials", [1, 2, 20])
def test_every_trial_of_the_budget_is_used_and_none_more(trials):
    study = Study(SPACE, Goal.parse("minimize loss"), Budget(trials), baseline=BASELINE)
    purposes = carried_out(study, lambda trial: Outcome("ok", {"loss": 5 + (trial.point["a.x"] - 0.1) ** 2}))
    assert len(purposes) == trials
    assert purposes[0] is Purpose.baseline
    if trials >= 20:
        assert purposes.count(Purpose.search) >= trials / 2
        assert purposes.count(Purpose.verify) >= 2


@pytest.mark.parametrize("trials", range(2, 9))
def test_short_budgets_are_kept_and_begin_with_the_baseline(trials):
    study = Study(SPACE, Goal.parse("minimize loss"), Budget(trials), baseline=BASELINE)
    purposes = carried_out(study, lambda trial: Outcome("ok", {"loss": trial.point["a.x"]}))
    assert len(purposes) <= trials
    assert purposes[0] is Purpose.baseline


@pytest.mark.parametrize(("seconds", "each"), [(100.0, 7.0), (60.0, 9.0), (30.0, 29.0)])
def test_time_ends_the_course_without_a_trial_too_many(seconds, each):
    study = Study(SPACE, Goal.parse("minimize loss"), Budget(500, seconds), baseline=BASELINE)
    purposes = carried_out(study, lambda trial: Outcome("ok", {"loss": 1 + trial.point["a.x"]}, seconds=each))
    assert len(purposes) * each <= seconds
    assert (len(purposes) + 1) * each > seconds


def test_a_first_trial_longer_than_the_budget_is_the_last():
    study = Study(SPACE, Goal.parse("minimize loss"), Budget(50, 10.0), baseline=BASELINE)
    assert carried_out(study, lambda _: Outcome("ok", {"loss": 1.0}, seconds=25.0)) == [Purpose.baseline]
    assert study.recommendation().point == BASELINE


@pytest.mark.parametrize("status", ["failed", "rejected", "lost", "aborted"])
def test_a_baseline_that_cannot_be_measured_does_not_eat_the_budget(status):
    """Others are tried nevertheless, for they may come up where it does not; the verdict says what is missing."""
    study = Study(SPACE, Goal.parse("minimize loss"), Budget(20), baseline=BASELINE)
    purposes = carried_out(
        study,
        lambda trial: (
            Outcome(status) if trial.point == BASELINE else Outcome("ok", {"loss": trial.point["a.x"]})
        ),
    )
    assert purposes.count(Purpose.baseline) <= 6
    assert purposes.count(Purpose.search) >= 8
    found = study.recommendation()
    assert found.verdict == "not measured"
    assert found.baseline_value is None


def test_an_infeasible_baseline_is_measured_and_search_goes_to_what_keeps_the_slos():
    study = Study(SPACE, Goal.parse("minimize loss", ["load <= 1"]), Budget(20), baseline={"a.x": 0.0})
    carried_out(
        study,
        lambda trial: Outcome("ok", {"loss": 10 + trial.point["a.x"], "load": 1.5 - trial.point["a.x"]}),
    )
    found = study.recommendation()
    assert found.verdict == "improved"
    assert found.point["a.x"] >= 0.5
    assert study.incumbent()["a.x"] >= 0.5


def test_where_nothing_keeps_the_slos_the_baseline_stays():
    study = Study(SPACE, Goal.parse("minimize loss", ["load <= 1"]), Budget(15), baseline=BASELINE)
    carried_out(study, lambda trial: Outcome("ok", {"loss": trial.point["a.x"], "load": 1.5}))
    assert study.incumbent() == BASELINE
    found = study.recommendation()
    assert found.point == BASELINE
    assert found.verdict != "improved"
