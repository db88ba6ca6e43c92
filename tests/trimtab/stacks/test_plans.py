"""Plans by themselves: they are pure, so a resolver made of a rule is enough to hold them to what they promise."""

import hashlib
import math
from itertools import combinations, pairwise, product

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from trimtab.stacks import (
    All,
    Around,
    Bisect,
    Evidence,
    Floor,
    Newest,
    Pairwise,
    Plan,
    Random,
    Space,
    Stack,
    Variable,
    Verdict,
)

SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=3)
few = settings(max_examples=40)


def space_of(sizes):
    variables = tuple(
        Variable(f"p{number}", tuple(f"1.{minor}" for minor in range(size - 1, -1, -1)))
        for number, size in enumerate(sizes)
    )
    return Space(variables, {}, {})


def stack_of(pins):
    digest = hashlib.sha256(b"").hexdigest()
    return Stack("".join(f"{name}=={version} --hash=sha256:{digest}\n" for name, version in pins.items()))


def resolve(space, proposal, forbidden=frozenset()):
    """The newest combination under the constraints, that has no forbidden pair; as a resolver would, by trying."""
    step = proposal
    while step:
        choices = []
        for variable in space:
            bound = SpecifierSet(step.constraints.get(variable.name, ""))
            wished = step.prefer.get(variable.name)
            fitting = [each for each in variable.versions if each in bound]
            choices.append(sorted(fitting, key=lambda each, wished=wished: each != wished))
        for versions in product(*choices):
            pins = dict(zip(space.names, versions, strict=True))
            if not forbidden & set(combinations(pins.items(), 2)):
                return stack_of(pins)
        step = step.otherwise
    return None


def drive(plan, space, forbidden=frozenset(), limit=5000):
    """Every stack that comes of a plan, as `Candidates` would ask."""
    found = []
    while len(found) < limit:
        proposals = []
        while len(proposals) < plan.window and (proposal := plan.propose()):
            proposals.append(proposal)
        if not proposals:
            return found
        for proposal in proposals:
            stack = resolve(space, proposal, forbidden)
            plan.resolved(proposal, stack)
            found.append(stack)
    return found


@few
@given(sizes=SIZES)
def test_all_is_every_combination_once_newest_first(sizes):
    space = space_of(sizes)
    found = [tuple(each.pins.values()) for each in drive(All(space), space)]
    assert found == list(product(*(each.versions for each in space)))


@few
@given(sizes=SIZES, seed=st.integers(0, 2**32))
def test_random_draws_every_combination_once_and_the_same_for_the_same_seed(sizes, seed):
    space = space_of(sizes)
    first, second = (
        [each.digest for each in drive(Random(space, seed, repair=False), space)] for _ in range(2)
    )
    assert first == second
    assert len(first) == len(set(first)) == space.size


@few
@given(sizes=st.lists(st.integers(2, 5), min_size=2, max_size=3), seed=st.integers(0, 9), data=st.data())
def test_random_repairs_what_has_no_stack_while_there_is_one(sizes, seed, data):
    space = space_of(sizes)
    forbidden = data.draw(forbidden_pairs(space))
    oldest = {each.name: each.versions[-1] for each in space}
    assume(not forbidden & set(combinations(oldest.items(), 2)))
    # The oldest of all is within every upper bound, so the last relaxation always has a stack.
    assert None not in drive(Random(space, seed), space, forbidden)


def forbidden_pairs(space):
    pairs = [
        ((one.name, a), (other.name, b))
        for one, other in combinations(space, 2)
        for a in one.versions
        for b in other.versions
    ]
    return st.sets(st.sampled_from(pairs), max_size=len(pairs) // 2).map(frozenset)


@few
@given(sizes=st.lists(st.integers(2, 4), min_size=2, max_size=3), seed=st.integers(0, 9), data=st.data())
def test_pairwise_covers_every_pair_that_some_stack_has(sizes, seed, data):
    space = space_of(sizes)
    forbidden = data.draw(forbidden_pairs(space))
    plan = Pairwise(space, seed)
    found = [each for each in drive(plan, space, forbidden) if each]
    possible = {
        pair
        for versions in product(*(each.versions for each in space))
        if not forbidden & set(pairs := list(combinations(zip(space.names, versions, strict=True), 2)))
        for pair in pairs
    }
    assert {pair for each in found for pair in combinations(each.pins.items(), 2)} == possible
    assert plan.covered == possible
    assert len(plan.covered) + len(plan.impossible) == plan.total


@few
@given(size=st.integers(2, 6), count=st.integers(2, 4))
def test_pairwise_needs_far_fewer_stacks_than_there_are_combinations(size, count):
    space = space_of([size] * count)
    found = drive(Pairwise(space, 0), space)
    assert size**2 <= len(found) <= 3 * size**2


@few
@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_newest_goes_through_all_by_how_many_are_held_back_then_by_how_far(sizes):
    space = space_of(sizes)
    newest = {each.name: each.versions[0] for each in space}
    found = drive(Newest(space, stack_of(newest)), space)
    places = [[each.versions.index(stack.pins[each.name]) for each in space] for stack in found]
    assert len({tuple(each) for each in places}) == len(places) == space.size
    ranks = [(sum(map(bool, each)), sum(each)) for each in places]
    assert all(one <= other for one, other in pairwise(ranks))


def test_newest_is_over_when_one_passed_also_if_more_were_resolved_ahead():
    space = space_of([5, 5])
    plan = Newest(space, stack_of({"p0": "1.4", "p1": "1.4"}))
    first = plan.propose()
    stack = resolve(space, first)
    plan.resolved(first, stack)
    assert not plan.over
    plan.tell(Evidence(stack, Verdict.UNKNOWN))
    assert not plan.over
    plan.tell(Evidence(stack, Verdict.PASS))
    assert plan.over
    assert plan.propose() is None


@few
@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4), data=st.data())
def test_around_changes_one_package_each_by_growing_distance(sizes, data):
    space = space_of(sizes)
    pins = {each.name: data.draw(st.sampled_from(each.versions)) for each in space}
    found = drive(Around(space, pins), space)
    changes = [[name for name in pins if each.pins[name] != pins[name]] for each in found]
    assert all(len(each) == 1 for each in changes)
    assert len(found) == sum(len(each.versions) - 1 for each in space)
    assert len({each.digest for each in found}) == len(found)


def test_floor_asks_for_the_oldest_twice():
    space = space_of([3])
    plan = Floor(space)
    asked = [plan.propose(), plan.propose(), plan.propose()]
    assert [each and each.resolution for each in asked] == ["lowest-direct", "lowest", None]
    assert asked[0].constraints == {"p0": ">=1.0"}


@st.composite
def locks(draw):
    """Two locks, the versions there are, and one version of the bad lock's way that breaks."""
    names = [f"p{number}" for number in range(draw(st.integers(1, 6)))]
    versions, good, bad = {}, {}, {}
    for name in names:
        size = draw(st.integers(1, 20))
        versions[name] = tuple(f"1.{minor}" for minor in range(size, -1, -1))
        good[name] = f"1.{draw(st.integers(0, size))}"
        bad[name] = f"1.{draw(st.integers(0, size))}"
    changed = [name for name in names if good[name] != bad[name]]
    assume(changed)
    culprit = draw(st.sampled_from(changed))
    start, end = (int(each[culprit].split(".")[1]) for each in (good, bad))
    step = 1 if end > start else -1
    planted = draw(st.integers(min(start + step, end), max(start + step, end)))
    return good, bad, versions, culprit, planted, step


def judged(stack, culprit, planted, step):
    """The planted version and all beyond it fail, as a regression does."""
    here = int(stack.pins[culprit].split(".")[1])
    return Verdict.FAIL if (here - planted) * step >= 0 else Verdict.PASS


@few
@given(case=locks())
def test_bisect_finds_the_one_version_within_log2_n_and_one_more(case):
    good, bad, versions, culprit, planted, step = case
    space = Space(tuple(Variable(name, each) for name, each in versions.items()), {}, {})
    plan = Bisect(good, bad, versions)
    verdicts = 0
    while proposal := plan.propose():
        stack = resolve(space, proposal)
        plan.resolved(proposal, stack)
        plan.tell(Evidence(stack, judged(stack, culprit, planted, step)))
        verdicts += 1
    assert plan.culprit.versions == ((culprit, f"1.{planted}"),)
    assert plan.culprit.alone is True
    assert verdicts <= math.ceil(math.log2(plan.steps)) + 1


@few
@given(case=locks(), data=st.data())
def test_bisect_names_few_suspects_where_stacks_cannot_be_had_or_tried(case, data):
    """What is between the last that passes and the first that fails always holds the culprit."""
    good, bad, versions, culprit, planted, step = case
    space = Space(tuple(Variable(name, each) for name, each in versions.items()), {}, {})
    plan = Bisect(good, bad, versions)
    for _ in range(1000):
        proposal = plan.propose()
        if proposal is None:
            break
        stack = None if data.draw(st.booleans()) else resolve(space, proposal)
        plan.resolved(proposal, stack)
        if stack:
            unknown = data.draw(st.booleans())
            plan.tell(Evidence(stack, Verdict.UNKNOWN if unknown else judged(stack, culprit, planted, step)))
    assert (culprit, f"1.{planted}") in plan.culprit.versions


def test_bisect_says_that_a_version_fails_only_with_others():
    good = {"p0": "1.0", "p1": "1.0"}
    bad = {"p0": "1.1", "p1": "1.1"}
    space = space_of([2, 2])
    plan = Bisect(good, bad)
    while proposal := plan.propose():
        stack = resolve(space, proposal)
        plan.resolved(proposal, stack)
        both = all(Version(each) > Version("1.0") for each in stack.pins.values())
        plan.tell(Evidence(stack, Verdict.FAIL if both else Verdict.PASS))
    assert plan.culprit.versions == (("p1", "1.1"),)
    assert plan.culprit.alone is False


def test_bisect_waits_for_its_verdict_and_heeds_none_of_another_stack():
    plan = Bisect({"p0": "1.0"}, {"p0": "1.3"}, {"p0": ("1.3", "1.2", "1.1", "1.0")})
    proposal = plan.propose()
    plan.resolved(proposal, stack := stack_of({"p0": "1.1"}))
    assert plan.propose() is None
    plan.tell(Evidence(stack_of({"p0": "1.2"}), Verdict.FAIL))
    assert plan.propose() is None
    plan.tell(Evidence(stack, Verdict.PASS))
    assert plan.propose().constraints == {"p0": "==1.2"}


def test_every_plan_is_one():
    space = space_of([3, 3])
    pins = {each.name: each.versions[0] for each in space}
    plans = [All(space), Random(space, 0), Floor(space), Pairwise(space, 0), Newest(space, stack_of(pins))]
    plans += [Around(space, pins), Bisect(pins, {"p0": "1.0", "p1": "1.0"})]
    assert all(isinstance(each, Plan) for each in plans)
