"""What breaks stacks is found, where the evidence has it; and where it has not, that is said."""

import random
from itertools import combinations

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from planted import draw, evidence_of, failing, holds, passing

from trimtab.stacks.answers.breakage import breakers
from trimtab.stacks.answers.hypotheses import consistent
from trimtab.stacks.answers.matrix import Matrix
from trimtab.stacks.evidence import Evidence, Failure
from trimtab.stacks.proposal import Verdict

PAIR = {"p1": {"1.3"}, "p2": {"1.4"}}


def test_a_planted_pair_is_named_exactly():
    generator = random.Random(1)
    evidence = [*evidence_of(generator, PAIR, 60)]
    evidence += [failing(draw(generator, 5, 6) | {"p1": "1.3", "p2": "1.4"}) for _ in range(5)]
    found = breakers(evidence)
    (breaker,) = found.found
    assert {name: each.versions for name, each in breaker.causes[0].versions.items()} == {
        "p1": ("1.3",),
        "p2": ("1.4",),
    }
    assert str(breaker.causes[0]) == "p1==1.3 with p2==1.4"
    assert breaker.sure
    assert breaker.next is None
    assert not found.unexplained
    assert breaker.failure.message.startswith("ImportError")


def test_a_range_is_said_as_one():
    evidence = [
        failing({"a": version, "b": str(at)}) if version >= "2" else passing({"a": version, "b": str(at)})
        for version in ("1.0", "1.5", "2.0", "2.1", "2.2")
        for at in range(3)
    ]
    (breaker,) = breakers(evidence).found
    assert str(breaker.causes[0]) == "a>=2.0,<=2.2"
    assert breaker.causes[0].versions["a"].versions == ("2.0", "2.1", "2.2")


def test_what_cannot_be_told_apart_is_all_named_with_the_stack_that_would_tell():
    """One stack failed, and two of its packages have versions that none that passed has."""
    evidence = [
        failing({"a": "2", "b": "2", "c": "1"}),
        passing({"a": "1", "b": "1", "c": "1"}),
        passing({"a": "1", "b": "1", "c": "2"}),
    ]
    (breaker,) = breakers(evidence).found
    assert [str(each) for each in breaker.causes] == ["a==2", "b==2"]
    assert not breaker.sure
    assert breaker.next is not None
    assert sorted(breaker.next.constraints.values()) == ["==1", "==2"]
    assert breaker.next.prefer == {"c": "1"}


def test_following_what_would_tell_finds_the_cause():
    """Each answer halves what is left: from one failure among a few, a pair of versions takes few more stacks."""
    for seed in range(20):
        generator = random.Random(seed)
        evidence = [failing(draw(generator, 6, 8) | {"p1": "1.3", "p2": "1.4"})]
        evidence += [
            passing(pins) for pins in (draw(generator, 6, 8) for _ in range(12)) if not holds(PAIR, pins)
        ]
        asked = 0
        while (breaker := breakers(evidence).found[0]).next is not None and asked < 25:
            asked += 1
            pins = breaker.next.prefer | {name: each[2:] for name, each in breaker.next.constraints.items()}
            evidence.append(failing(pins) if holds(PAIR, pins) else passing(pins))
            free = draw(generator, 6, 8)
            evidence.append(failing(free) if holds(PAIR, free) else passing(free))
        assert set(breaker.causes[0].versions) == set(PAIR), seed
        assert breaker.sure


def test_failures_that_differ_have_causes_of_their_own():
    evidence = [
        *(failing({"a": "2", "b": str(at)}, f"ValueError: {at} of /tmp/{at}/x") for at in range(3)),
        *(failing({"a": "1", "b": "7"}, "ImportError: b") for _ in range(1)),
        *(passing({"a": "1", "b": str(at)}) for at in range(3)),
    ]
    found = breakers(evidence).found
    assert [str(each.causes[0]) for each in found] == ["a==2", "b==7"]


def test_one_kind_of_failure_may_have_two_causes():
    generator = random.Random(3)
    evidence = []
    for _ in range(80):
        pins = draw(generator, 4, 6)
        bad = pins["p0"] == "1.1" or pins["p3"] == "1.4"
        evidence.append(failing(pins) if bad else passing(pins))
    found = breakers(evidence)
    assert {str(each.causes[0]) for each in found.found} == {"p0==1.1", "p3==1.4"}
    assert not found.unexplained


def test_an_exception_does_not_hide_the_cause():
    """A failure that comes and goes: one of many stacks with the cause passed."""
    evidence = [failing({"a": "2", "b": str(at), "c": str(at % 3)}) for at in range(12)]
    evidence += [passing({"a": "1", "b": str(at), "c": str(at % 3)}) for at in range(12)]
    evidence += [passing({"a": "2", "b": "5", "c": "0"})]
    (breaker,) = breakers(evidence).found
    assert str(breaker.causes[0]) == "a==2"
    assert len(breaker.causes[0].exceptions) == 1


def test_the_infrastructure_says_nothing():
    lost = Evidence(passing({"a": "2"}).stack, Verdict.UNKNOWN, failure=Failure("network", "build", "away"))
    found = breakers([lost, passing({"a": "1"})])
    assert not found.found
    assert (found.passed, found.failed, found.unknown) == (1, 0, 1)


def test_a_stack_that_fails_and_passes_is_called_so():
    found = breakers([failing({"a": "2"}), passing({"a": "2"}), passing({"a": "1"})])
    assert len(found.intermittent) == 1


def test_without_one_that_passed_nothing_is_explained():
    found = breakers([failing({"a": "1"}), failing({"a": "2"})])
    assert not found.found
    assert len(found.unexplained) == 2


def test_nothing_was_tried():
    found = breakers([])
    assert (found.found, found.passed, found.failed) == ((), 0, 0)


causes = st.dictionaries(
    st.sampled_from([f"p{at}" for at in range(4)]),
    st.integers(0, 3).flatmap(lambda low: st.integers(low, 3).map(lambda high: (low, high))),
    min_size=1,
    max_size=3,
)


@given(causes, st.integers(0, 10_000), st.integers(2, 60))
@settings(max_examples=150)
def test_all_that_is_left_is_found_and_nothing_else(cause, seed, count):
    """Against trying every set of packages: the hypotheses are the smallest sets that the evidence leaves."""
    ranges = {name: {f"1.{at}" for at in range(low, high + 1)} for name, (low, high) in cause.items()}
    evidence = evidence_of(random.Random(seed), ranges, count, packages=4, versions=4)
    failed = [each for each in evidence if each.verdict is Verdict.FAIL]
    passed = [each for each in evidence if each.verdict is Verdict.PASS]
    assume(failed and passed)
    matrix = Matrix([each.stack.pins for each in (*failed, *passed)])
    bad = (1 << len(failed)) - 1
    good = (1 << len(evidence)) - 1 ^ bad
    found = consistent(matrix, bad, good)
    tight = [literal for column in matrix.columns.values() if (literal := column.around(bad))]
    for size in range(1, 4):
        brute = {group for group in combinations(tight, size) if not matrix.holding(group) & good}
        if brute:
            break
    assert {each.literals for each in found} == brute
    assert found, "what was planted is a hypothesis that is left"
    assert 0 < sum(each.probability for each in found) <= 1 + 1e-9


def test_what_is_called_sure_is_true():
    """Of 400 planted causes, those that are called at least 95 % sure are the planted ones."""
    sure = right = 0
    for seed in range(400):
        generator = random.Random(seed)
        names = generator.sample([f"p{at}" for at in range(5)], generator.choice([1, 1, 2]))
        cause = {name: {f"1.{generator.randrange(5)}"} for name in names}
        found = breakers(evidence_of(generator, cause, generator.choice([8, 15, 30, 60, 120]), versions=5))
        for breaker in found.found:
            if breaker.sure:
                sure += 1
                right += set(breaker.causes[0].versions) == set(cause)
    assert sure > 100
    assert right / sure >= 0.95
