"""What was asked and what came of it."""

import pytest

from trimtab.optimizer import Goal, Outcome, Purpose, StudyError, Trial
from trimtab.optimizer.ledger import Ledger, evaluated, key, observed

GOAL = Goal.parse("maximize rate", ["load <= 1"])
P, Q = {"a.x": 1.0}, {"a.x": 2.0}


def ok(rate, load=0.5, **fields):
    return Outcome("ok", {"rate": rate, "load": load}, **fields)


def ledger(*rows):
    """Of (point, outcome), the first of them the baseline."""
    made = Ledger(GOAL)
    for number, (point, outcome) in enumerate(rows):
        made.ask(Trial(number, Purpose.search if number else Purpose.baseline, point))
        if outcome is not None:
            made.tell(number, outcome)
    return made


def test_one_trial_is_pending_at_a_time():
    made = ledger((P, None))
    assert made.pending.number == 0
    with pytest.raises(StudyError, match="out of order"):
        made.ask(Trial(1, Purpose.search, Q))
    with pytest.raises(StudyError, match="trial 3 is told, but 0 is pending"):
        made.tell(3, ok(1.0))
    made.tell(0, ok(1.0))
    assert made.pending is None
    with pytest.raises(StudyError, match="none is pending"):
        made.tell(0, ok(1.0))
    with pytest.raises(StudyError, match="out of order"):
        made.ask(Trial(5, Purpose.search, Q))
    assert len(made) == 1


def test_readings_of_a_point_are_those_measured_to_the_end():
    made = ledger(
        (P, ok(1.0)), (P, Outcome("failed")), (Q, ok(9.0)), (P, ok(3.0)), (P, Outcome("ok", {"rate": 4.0}))
    )
    assert [each.value for each in made.at(P)] == [1.0, 3.0]
    assert [each.value for each in made.at(P, {Purpose.baseline})] == [1.0]


@pytest.mark.parametrize(
    ("rows", "accepted"),
    [
        ([(Q, ok(1.0))], True),
        ([(Q, ok(1.0, load=2.0))], False),
        ([(Q, ok(1.0, load=1.2)), (Q, ok(1.0, load=0.6))], True),
        ([(Q, ok(1.0)), (Q, Outcome("failed"))], False),
        ([(Q, ok(1.0)), (Q, Outcome("rejected"))], False),
        ([(Q, ok(1.0)), (Q, Outcome("aborted", {"rate": 1.0, "load": 0.1}))], False),
        ([(Q, ok(1.0)), (Q, Outcome("lost"))], True),
        ([(Q, Outcome("lost"))], False),
        ([(Q, None)], False),
    ],
)
def test_accepted_is_what_came_up_each_time_and_keeps_its_slos_on_average(rows, accepted):
    made = ledger((P, ok(1.0)), *rows)
    assert (key(Q) in made.accepted()) == accepted
    assert key(P) in made.accepted()


def test_noise_is_what_repeated_readings_differ_by():
    made = ledger(
        (P, ok(1.0)), (P, ok(3.0)), (Q, ok(5.0)), (Q, ok(5.5)), (Q, ok(6.0)), ({"a.x": 3.0}, ok(9.0))
    )
    squares, freedom = made.repeats(())
    assert (squares, freedom) == (pytest.approx(2.0 + 0.5), 3)
    assert made.repeats({key(P)}) == (pytest.approx(0.5), 2)
    assert made.repeats({key(P), key(Q)}) == (0, 0)


def test_time_is_the_sum_of_all_trials_failed_ones_included():
    made = ledger((P, ok(1.0, seconds=2.5)), (Q, Outcome("failed", seconds=4.0)), (Q, None))
    assert made.seconds == 6.5


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("failed", {"rate": 1.0, "load": 0.1}),
        Outcome("rejected"),
        Outcome("lost", {"rate": 1.0, "load": 0.1}),
        Outcome("ok", {"rate": 1.0}),
        Outcome("ok", {"rate": float("nan"), "load": 0.1}),
    ],
)
def test_an_outcome_without_a_usable_value_has_no_evaluation(outcome):
    assert evaluated(GOAL, P, outcome) is None


def test_strategies_are_told_losses_and_not_values():
    seen = observed(GOAL, P, ok(5.0, load=1.5, spread={"rate": 0.2}), own=True)
    assert seen.value == -5.0
    assert seen.constraints == pytest.approx((0.5,))
    assert seen.noise == pytest.approx(0.2)
    assert not seen.feasible
    assert not seen.failed


def test_what_the_infrastructure_lost_says_nothing_of_the_settings():
    assert observed(GOAL, P, Outcome("lost"), own=True) is None


@pytest.mark.parametrize("outcome", [Outcome("failed"), Outcome("rejected"), Outcome("aborted")])
def test_what_broke_is_told_as_broken(outcome):
    seen = observed(GOAL, P, outcome, own=True)
    assert seen.failed
    assert seen.value is None


def test_a_trial_cut_short_for_an_slo_is_told_with_the_breach():
    seen = observed(GOAL, P, Outcome("aborted", {"rate": 2.0, "load": 4.0}), own=True)
    assert not seen.failed
    assert seen.constraints == pytest.approx((3.0,))
