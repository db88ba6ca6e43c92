"""Best, front, importance, outliers: planted differences are found, and where there are none, none is claimed."""

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import draw, failing, holds, passing

from trimtab.stacks.answers.effects import importance
from trimtab.stacks.answers.excess import outliers
from trimtab.stacks.answers.front import pareto
from trimtab.stacks.answers.objective import Objective
from trimtab.stacks.answers.ranking import best
from trimtab.stacks.errors import PlanError

DURATION = Objective("duration")


def readings(generator, value, noise=0.05, count=5):
    return tuple(value * generator.lognormvariate(0, noise) for _ in range(count))


def test_the_planted_best_is_named():
    generator = random.Random(1)
    evidence = [
        passing({"a": str(at)}, duration=readings(generator, 1.0 if at != 3 else 0.7)) for at in range(8)
    ]
    (found,) = best(evidence, DURATION, baseline=evidence[0].stack.digest)
    assert found.verdict == "best"
    assert found.first == 1
    assert found.ranking[0].evidence.stack.pins == {"a": "3"}
    assert found.ranking[0].low <= 0.7 <= found.ranking[0].high
    assert found.against is not None
    assert found.against.low <= -0.3 <= found.against.high < 0


def test_more_may_be_better():
    generator = random.Random(1)
    evidence = [
        passing({"a": str(at)}, **{"result.rate": readings(generator, 10 + 5 * (at == 2))}) for at in range(6)
    ]
    (found,) = best(evidence, Objective.parse("maximize result.rate"))
    assert found.ranking[0].evidence.stack.pins == {"a": "2"}
    assert found.verdict == "best"


def test_two_that_are_alike_are_named_together():
    generator = random.Random(2)
    evidence = [
        passing({"a": str(at)}, duration=readings(generator, 0.5 if at < 2 else 1.0)) for at in range(8)
    ]
    (found,) = best(evidence, DURATION)
    assert found.verdict == "among the first"
    assert {each.evidence.stack.pins["a"] for each in found.ranking[: found.first]} == {"0", "1"}


def test_no_difference_is_claimed_where_there_is_none():
    """Of 100 campaigns of stacks that are all the same, about one in twenty may claim a difference."""
    claims = 0
    for seed in range(100):
        generator = random.Random(seed)
        evidence = [passing({"a": str(at)}, duration=readings(generator, 1.0)) for at in range(10)]
        claims += best(evidence, DURATION)[0].verdict != "no difference shown"
    assert claims <= 12


def test_one_pause_decides_nothing():
    generator = random.Random(4)
    evidence = [passing({"a": str(at)}, duration=readings(generator, 1.0, count=9)) for at in range(4)]
    good = readings(generator, 0.7, count=8)
    evidence.append(passing({"a": "9"}, duration=(*good, 30.0)))
    (found,) = best(evidence, DURATION)
    assert found.ranking[0].evidence.stack.pins == {"a": "9"}


def test_one_run_each_is_not_enough():
    evidence = [passing({"a": str(at)}, duration=(1.0 + at,)) for at in range(6)]
    (found,) = best(evidence, DURATION)
    assert found.verdict == "not enough runs"
    assert [each.evidence.stack.pins["a"] for each in found.ranking][:2] == ["0", "1"]


def test_kinds_of_hardware_are_kept_apart():
    generator = random.Random(5)
    evidence = []
    for hardware, fastest in (("old", "1"), ("new", "2")):
        for at in range(4):
            each = passing({"a": str(at)}, duration=readings(generator, 0.5 if str(at) == fastest else 1.0))
            evidence.append(type(each)(each.stack, each.verdict, figures=each.figures, hardware=hardware))
    found = {each.hardware: each.ranking[0].evidence.stack.pins["a"] for each in best(evidence, DURATION)}
    assert found == {"old": "1", "new": "2"}


def test_failures_and_what_is_not_finite_are_no_figures():
    assert best([failing({"a": "1"})], DURATION) == ()
    assert best([passing({"a": "1"}, duration=(float("nan"),))], DURATION) == ()


@pytest.mark.parametrize("text", ["", "duration", "faster duration", "minimize a b"])
def test_what_is_no_objective_is_refused(text):
    with pytest.raises(PlanError, match="minimize duration"):
        Objective.parse(text)


figure = st.floats(0.1, 10, allow_nan=False)


@given(st.lists(st.tuples(figure, figure, figure), min_size=1, max_size=25))
@settings(max_examples=60, deadline=None)
def test_nothing_beats_what_is_on_the_front(figures):
    """Against the definition, stack by stack."""
    evidence = [
        passing({"a": str(at)}, size=(size,), duration=(duration,), memory=(memory,))
        for at, (size, duration, memory) in enumerate(figures)
    ]
    (front,) = pareto(evidence)
    optimal = {int(each.evidence.stack.pins["a"]) for each in front.optimal}
    for at, mine in enumerate(figures):
        beaten = any(
            all(a <= b for a, b in zip(other, mine, strict=True)) and other != mine for other in figures
        )
        assert (at in optimal) is not beaten
    assert all(each.probability == float(each.optimal) for each in front.points)


def test_the_front_says_how_sure_it_is():
    evidence = [
        passing({"a": "1"}, size=(10.0,), duration=(1.0, 1.1, 0.9)),
        passing({"a": "2"}, size=(10.0,), duration=(1.05, 1.15, 0.95)),
        passing({"a": "3"}, size=(20.0,), duration=(9.0, 9.1, 9.2)),
    ]
    (front,) = pareto(evidence)
    assert front.metrics == ("size", "duration")
    sure = {each.evidence.stack.pins["a"]: each.probability for each in front.points}
    assert 0.5 < sure["1"] < 1
    assert sure["3"] == 0


def test_the_version_that_matters_is_named_with_what_it_does():
    generator = random.Random(7)
    evidence = []
    for _ in range(60):
        pins = draw(generator, 5, 6)
        factor = 2.0 if pins["p2"] in {"1.4", "1.5"} else 1.0
        evidence.append(passing(pins, duration=readings(generator, factor, 0.1, 1)))
    found = importance(evidence, "duration")
    assert found is not None
    first = found.effects[0]
    assert (first.package, first.versions.specifier) == ("p2", ">=1.4,<=1.5")
    assert first.low <= 1.0 <= first.high
    assert next(iter(found.shares)) == "p2"
    assert first.share > 0.8 > found.floor


def test_of_versions_that_do_nothing_none_is_named():
    """Of 40 campaigns, about two may name one."""
    named = 0
    for seed in range(40):
        generator = random.Random(seed)
        evidence = [
            passing(draw(generator, 6, 5), duration=readings(generator, 1.0, 0.2, 1)) for _ in range(40)
        ]
        found = importance(evidence, "duration", seed=seed)
        assert found is not None
        named += bool(found.effects)
    assert named <= 7


def test_versions_that_go_together_are_said_to():
    generator = random.Random(8)
    evidence = []
    for _ in range(40):
        slow = generator.random() < 0.5
        pins = {"a": str(int(slow)), "b": str(int(slow)), "c": str(generator.randrange(4))}
        evidence.append(passing(pins, duration=readings(generator, 2.0 if slow else 1.0)))
    found = importance([*evidence, passing({"a": "0", "b": "0", "c": "9"}, duration=(1.0,))], "duration")
    assert found is not None
    assert {found.effects[0].package, *found.effects[0].alike} == {"a", "b"}


def test_too_few_stacks_have_no_importance():
    assert importance([passing({"a": str(at)}, duration=(1.0,)) for at in range(5)], "duration") is None


def test_a_pair_that_is_three_times_slower_is_named():
    generator = random.Random(9)
    pair = {"p0": {"1.2"}, "p1": {"1.3"}}
    drawn = [draw(generator, 5, 5) for _ in range(60)] + [
        draw(generator, 5, 5) | {"p0": "1.2", "p1": "1.3"} for _ in range(4)
    ]
    evidence = [
        passing(pins, duration=readings(generator, 3.0 if holds(pair, pins) else 1.0, 0.05, 3))
        for pins in drawn
    ]
    (found,) = outliers(evidence, DURATION)
    assert found.ratio == pytest.approx(3, rel=0.1)
    assert str(found.breakers[0].causes[0]) == "p0==1.2 with p1==1.3"
    assert not found.unexplained


def test_what_only_spreads_is_not_apart():
    generator = random.Random(10)
    evidence = [passing({"a": str(at)}, duration=readings(generator, 1.0, 0.3, 1)) for at in range(40)]
    assert outliers(evidence, DURATION) == ()


def test_the_same_evidence_gives_the_same_answers():
    generator = random.Random(11)
    evidence = [
        passing({"a": a, "b": b}, duration=readings(generator, 1.0)) for a, b in product("123", "456")
    ]
    assert best(evidence, DURATION) == best(evidence, DURATION)
    assert importance(evidence, "duration") == importance(evidence, "duration")
