"""The plan that finds breakers, over made-up verdicts."""

import random
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.stacks import Breakers, Evidence, Plan, PlanError, Slowness, Space, Stack, Variable, Verdict
from trimtab.stacks.suspicion import Suspicion

few = settings(max_examples=12, deadline=None)


def space_of(sizes):
    variables = tuple(
        Variable(f"p{number}", tuple(f"1.{minor}" for minor in reversed(range(size))))
        for number, size in enumerate(sizes)
    )
    return Space(variables, {}, {})


def stack_of(pins):
    return Stack("".join(f"{name}=={version}\n" for name, version in pins.items()))


def search(plan, space, bad=(), slow=(), impossible=(), limit=400):
    """Go through a plan; the evidence, in order."""
    told, asked = [], 0
    draw = random.Random(1)
    while (proposal := plan.propose()) is not None:
        asked += 1
        assert asked < limit, "it comes to no end"
        stack = resolve(space, proposal, impossible)
        plan.resolved(proposal, stack)
        if stack is None or any(each.stack.digest == stack.digest for each in told):
            continue
        pins = stack.pins.items()
        broken = any(cause <= pins for cause in bad)
        seconds = (3.0 if any(cause <= pins for cause in slow) else 1.0) * draw.uniform(1, 1.2)
        verdict = Verdict.FAIL if broken else Verdict.PASS
        told.append(Evidence(stack, verdict, figures={} if broken else {"duration": (seconds,)}))
        plan.tell(told[-1])
    return told


def resolve(space, proposal, impossible):
    """As uv would: what is pinned, of the rest what is preferred, else the newest; None where that has an impossible pair."""
    while proposal is not None:
        pins = {
            each.name: proposal.constraints[each.name][2:]
            if each.name in proposal.constraints
            else proposal.prefer.get(each.name, each.versions[0])
            for each in space
        }
        if not any(pair <= pins.items() for pair in impossible):
            return stack_of(pins)
        proposal = proposal.otherwise
    return None


def causes(plan, symptom):
    return {frozenset(each.pins) for each in plan.found if each.symptom == symptom}


@st.composite
def planted(draw, most=2):
    sizes = draw(st.lists(st.integers(2, 4), min_size=4, max_size=7))
    names = draw(st.permutations(range(len(sizes))))[: draw(st.integers(1, most))]
    return sizes, frozenset((f"p{each}", f"1.{draw(st.integers(0, sizes[each] - 1))}") for each in names)


@few
@given(planted(), st.integers(0, 1000))
def test_a_version_or_a_pair_that_breaks_is_named_exactly(case, seed):
    sizes, cause = case
    space = space_of(sizes)
    plan = Breakers(space, seed, find=1)
    told = search(plan, space, [cause])
    (breaker,) = plan.found
    assert frozenset(breaker.pins) == cause
    assert breaker.beside == ()
    assert breaker.stacks >= 2
    assert plan.over
    assert all((each.verdict is Verdict.FAIL) == (cause <= each.stack.pins.items()) for each in told)


@few
@given(planted(), st.integers(0, 1000))
def test_it_goes_through_all_pairs_where_all_breakers_are_wanted(case, seed):
    sizes, cause = case
    space = space_of(sizes)
    plan = Breakers(space, seed)
    told = search(plan, space, [cause])
    assert causes(plan, "fails") == {cause}
    assert (plan.left, plan.unexplained) == (0, 0)
    passed = [frozenset(each.stack.pins.items()) for each in told if each.verdict is Verdict.PASS]
    for one, other in combinations(space, 2):
        for version in one.versions:
            for another in other.versions:
                pair = frozenset({(one.name, version), (other.name, another)})
                assert cause <= pair or any(pair <= each for each in passed) or len(cause | pair) > 2


def test_two_breakers_and_what_is_slow_are_told_apart():
    space = space_of([3] * 9)
    bad = [frozenset({("p1", "1.0"), ("p6", "1.2")}), frozenset({("p3", "1.1")})]
    slow = [frozenset({("p0", "1.0"), ("p5", "1.1")})]
    plan = Breakers(space, 4, find=3, slower=Slowness("duration", 2.0))
    told = search(plan, space, bad, slow)
    assert causes(plan, "fails") == set(bad)
    assert causes(plan, "slow") == set(slow)
    assert len(told) <= 40


@pytest.mark.parametrize("seed", range(10))
def test_one_pair_among_19683_stacks_takes_few(seed):
    space = space_of([3] * 9)
    draw = random.Random(seed)
    one, other = draw.sample(range(9), 2)
    cause = frozenset({(f"p{one}", f"1.{draw.randrange(3)}"), (f"p{other}", f"1.{draw.randrange(3)}")})
    plan = Breakers(space, seed, find=1)
    assert len(search(plan, space, [cause])) <= 40
    assert causes(plan, "fails") == {cause}


@pytest.mark.parametrize("sizes", [[3] * 9, [4] * 7, [5] * 6], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_a_pair_that_breaks_and_a_version_that_is_slow_are_named_within_40(sizes, seed):
    """Among more than ten thousand stacks."""
    space, draw = space_of(sizes), random.Random(seed)
    assert space.size >= 10_000
    names = draw.sample(range(len(sizes)), 3)
    one, other, third = ((f"p{each}", f"1.{draw.randrange(sizes[each])}") for each in names)
    plan = Breakers(space, seed, find=2, slower=Slowness("duration", 2.0))
    told = search(plan, space, [frozenset({one, other})], [frozenset({third})])
    assert len(told) <= 40
    assert causes(plan, "fails") == {frozenset({one, other})}
    assert causes(plan, "slow") == {frozenset({third})}


def test_a_pair_of_ten_versions_each_takes_no_more_than_seeing_all_pairs_and_a_few():
    """No plan does better than to see pairs that are new: a stack has 10 of 1000, so half of them take 50 stacks."""
    space, cause = space_of([10] * 5), frozenset({("p1", "1.4"), ("p3", "1.7")})
    plan = Breakers(space, 0, find=1)
    assert len(search(plan, space, [cause])) <= 150
    assert causes(plan, "fails") == {cause}


def test_three_versions_that_only_break_together_are_found_too():
    """If a stack has them, that is: pairs are gone through, and not sets of three."""
    space, met = space_of([2] * 6), 0
    cause = frozenset({("p0", "1.0"), ("p2", "1.0"), ("p4", "1.1")})
    for seed in range(8):
        plan = Breakers(space, seed, find=1)
        told = search(plan, space, [cause])
        if any(each.verdict is Verdict.FAIL for each in told):
            met += 1
            assert causes(plan, "fails") == {cause}
    assert met >= 3


def test_what_no_stack_separates_is_named_beside_the_suspect():
    """p0 1.0 and p1 1.0 are in no stack without each other."""
    space = space_of([2, 2, 2, 2])
    tied = [frozenset({("p0", f"1.{one}"), ("p1", f"1.{1 - one}")}) for one in (0, 1)]
    plan = Breakers(space, 0, find=1)
    search(plan, space, [frozenset({("p0", "1.0")})], impossible=tied)
    (breaker,) = plan.found
    assert {*breaker.pins, *breaker.beside} >= {("p0", "1.0")}
    assert {*breaker.pins, *breaker.beside} <= {("p0", "1.0"), ("p1", "1.0")}


def test_the_same_seed_proposes_the_same():
    space, cause = space_of([3] * 5), frozenset({("p1", "1.0"), ("p4", "1.2")})
    first, second = (search(Breakers(space, 7), space, [cause]) for _ in range(2))
    assert [each.stack.digest for each in first] == [each.stack.digest for each in second]


def test_where_the_infrastructure_fails_nothing_is_cleared_and_nothing_blamed():
    space = space_of([2] * 4)
    plan = Breakers(space, 0)
    asked = 0
    while (proposal := plan.propose()) is not None and asked < 300:
        asked += 1
        stack = resolve(space, proposal, ())
        plan.resolved(proposal, stack)
        plan.tell(Evidence(stack, Verdict.UNKNOWN))
    assert asked < 300
    assert plan.found == ()
    assert plan.unexplained == 0


def test_while_nothing_is_wrong_as_many_are_tried_as_are_allowed():
    space = space_of([3] * 5)
    plan = Breakers(space, 0, ahead=3)
    stacks = []
    while (proposal := plan.propose()) is not None:
        stacks.append(resolve(space, proposal, ()))
        plan.resolved(proposal, stacks[-1])
    assert len(stacks) == 3
    plan.tell(Evidence(stacks[1], Verdict.FAIL))
    assert plan.propose() is None, "what is under way may tell more"
    for each in (stacks[0], stacks[2]):
        plan.tell(Evidence(each, Verdict.PASS))
    assert plan.propose().reason.startswith("fails: ")


def test_one_package_has_no_pairs():
    with pytest.raises(PlanError, match="needs 2 packages"):
        Breakers(space_of([5, 1]), 0)


def test_more_pairs_than_could_be_weighed_are_refused():
    with pytest.raises(PlanError, match="more than 200000"):
        Breakers(space_of([300] * 4), 0)


def test_it_is_a_plan():
    assert isinstance(Breakers(space_of([2, 2]), 0), Plan)


def test_a_stack_without_the_symptom_takes_a_breaker_back():
    suspicion = Suspicion("fails")
    one, other = ("a", "1"), ("b", "1")
    suspicion.learn(frozenset({one, other}), struck=True)
    suspicion.learn(frozenset({other, ("a", "2")}), struck=False)
    suspicion.learn(frozenset({one, ("b", "2")}), struck=True)
    assert [each.pins for each in suspicion.found] == [(one,)]
    suspicion.learn(frozenset({one, ("b", "3")}), struck=False)
    assert suspicion.found == [] or suspicion.found[0].pins != (one,)
