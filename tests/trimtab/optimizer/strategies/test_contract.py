"""What every strategy holds, whichever it is."""

import random as randomness

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.optimizer import Context, Observation, Parameter, Space, Strategy
from trimtab.optimizer.strategy import load

STRATEGIES = ["random", "tpe", "cma-es", "gaussian-process"]
every_strategy = pytest.mark.parametrize("name", STRATEGIES)

SPACES = {
    "one setting": Space((Parameter("a.x", "range", -3, 7),)),
    "one choice of two": Space((Parameter("a.c", "enum", values=("x", "y")),)),
    "categories only": Space(tuple(Parameter(f"a.c{i}", "enum", values=("x", "y", "z")) for i in range(3))),
    "one that moves among fixed ones": Space(
        (
            Parameter("a.f", "range", fixed=7),
            Parameter("a.n", "range", 1, 2, 1, integer=True),
            Parameter("a.g", "enum", fixed="only"),
        )
    ),
    "ten settings": Space(tuple(Parameter(f"a.x{i}", "range", 0, i + 1) for i in range(10))),
    "every kind": Space(
        (
            Parameter("a.step", "range", 0, 10, 0.3),
            Parameter("a.wide", "range", 1, 10_000),
            Parameter("a.whole", "range", 1, 1_000_000, integer=True),
            Parameter("a.word", "enum", values=("none", "gzip", "zstd")),
            Parameter("a.batch", "enum", values=(1, 4, 2)),
            Parameter("a.fixed", "enum", fixed="plain"),
        )
    ),
}
every_space = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())


def loss(space, point):
    return float(((space.to_unit(point) - 0.3) ** 2).sum())


def context(space, number, left=20):
    start = space.from_unit([0.5] * space.dimensions)
    return Context(number, left, start, start)


def made(name, space, seed=1, n_constraints=0):
    strategy = load(name)(space, seed=seed, n_constraints=n_constraints)
    assert isinstance(strategy, Strategy)
    return strategy


def searched(strategy, space, count, outcome=None):
    """Suggestions in turn, each observed; `outcome(number, point)` gives the observation."""
    outcome = outcome or (lambda _, point: Observation(point, loss(space, point)))
    points = []
    for number in range(count):
        suggestion = strategy.suggest(context(space, number, count - number))
        assert space.contains(suggestion.point), suggestion
        assert suggestion.reason
        points.append(suggestion.point)
        strategy.observe(outcome(number, suggestion.point))
    return points


@st.composite
def parameters(draw, name):
    kind = draw(st.sampled_from(["words", "numbers", "grid", "continuous", "wide", "fixed"]))
    low = draw(st.integers(-50, 50))
    match kind:
        case "words":
            return Parameter(name, "enum", values=tuple("wxyz")[: draw(st.integers(2, 4))])
        case "numbers":
            values = draw(st.lists(st.integers(-9, 99), min_size=2, max_size=5, unique=True))
            return Parameter(name, "enum", values=tuple(values))
        case "grid":
            step = draw(st.sampled_from([0.1, 0.3, 1, 7]))
            whole = isinstance(step, int)
            return Parameter(name, "range", low, low + draw(st.integers(1, 30)), step, integer=whole)
        case "continuous":
            return Parameter(name, "range", low, low + draw(st.floats(0.01, 1e4)))
        case "wide":
            return Parameter(name, "range", 0.001, 10 ** draw(st.integers(1, 6)))
    return Parameter(name, "range", fixed=low)


@st.composite
def spaces(draw):
    count = draw(st.integers(1, 5))
    return Space((Parameter("a.always", "range", 0, 1), *(draw(parameters(f"a.p{i}")) for i in range(count))))


@every_strategy
@settings(max_examples=8)
@given(space=spaces(), seed=st.integers(0, 1000), fates=st.lists(st.integers(0, 4), min_size=8, max_size=8))
def test_suggestions_are_always_in_the_space(name, space, seed, fates):
    """Whatever came of the earlier ones."""

    def outcome(number, point):
        fate = fates[number]
        if fate == 0:
            return Observation(point, None, failed=True)
        return Observation(point, loss(space, point), (fate - 2.0,), 0.1 if fate == 1 else None)

    searched(made(name, space, seed, 1), space, len(fates), outcome)


@every_strategy
@every_space
def test_every_kind_of_space_is_searched(name, space):
    """More often than small ones have points, too."""
    searched(made(name, space), space, 14)


@every_strategy
@every_space
def test_the_same_seed_and_history_suggest_the_same(name, space):
    first, second = (searched(made(name, space, 7), space, 10) for _ in range(2))
    assert first == second


@every_strategy
def test_another_seed_suggests_something_else(name):
    space = SPACES["every kind"]
    assert searched(made(name, space, 1), space, 3) != searched(made(name, space, 2), space, 3)


@every_strategy
def test_suggestions_do_not_stand_still_while_all_fail(name):
    space = SPACES["every kind"]
    points = searched(
        made(name, space, n_constraints=2), space, 12, lambda _, point: Observation(point, None, failed=True)
    )
    assert len({tuple(point.items()) for point in points}) > 6


@every_strategy
def test_points_that_break_slos_without_exception_are_survived(name):
    space = SPACES["every kind"]
    searched(
        made(name, space, n_constraints=2),
        space,
        12,
        lambda number, point: Observation(point, loss(space, point), (1.0 + number, 0.5)),
    )


@every_strategy
@pytest.mark.parametrize("scale", [0.0, 1e-12, 1e15])
def test_the_size_of_losses_does_not_matter(name, scale):
    space = SPACES["every kind"]
    searched(
        made(name, space), space, 12, lambda _, point: Observation(point, scale * loss(space, point) + scale)
    )


@every_strategy
@pytest.mark.parametrize("seed", range(3))
def test_history_of_others_may_come_in_any_order(name, seed):
    """Of points it did not suggest, some broken, some with less weight, some twice."""
    space = SPACES["every kind"]
    shuffle = randomness.Random(seed)
    points = [space.from_unit([shuffle.random() for _ in range(space.dimensions)]) for _ in range(8)]
    history = [
        Observation(
            point,
            None if i == 3 else loss(space, point),
            () if i == 3 else (0.1 * (i - 4),),
            failed=i == 3,
            own=False,
            weight=0.5 if i % 2 else 1.0,
        )
        for i, point in enumerate([*points, points[0]])
    ]
    shuffle.shuffle(history)
    strategy = made(name, space, n_constraints=1)
    for observation in history:
        strategy.observe(observation)
    searched(strategy, space, 5, lambda _, point: Observation(point, loss(space, point), (-0.1,)))


@every_strategy
def test_a_suggestion_may_be_asked_for_again(name):
    """As after a restart: nothing was observed in between."""
    space = SPACES["every kind"]
    strategy = made(name, space)
    searched(strategy, space, 3)
    assert strategy.suggest(context(space, 3)).point == strategy.suggest(context(space, 3)).point


@pytest.mark.parametrize("name", ["tpe", "cma-es", "gaussian-process"])
def test_what_learns_does_better_than_chance(name):
    """The mean loss of later suggestions, against that of random ones: on a bowl, over three seeds."""
    space = Space(tuple(Parameter(f"a.x{i}", "range", 0, 1) for i in range(3)))

    def late(which):
        runs = [searched(made(which, space, seed), space, 30)[20:] for seed in range(3)]
        return sum(loss(space, point) for run in runs for point in run)

    assert late(name) < 0.8 * late("random")


@pytest.mark.parametrize("name", ["tpe", "gaussian-process"])
def test_what_knows_slos_breaks_them_less_than_if_it_did_not(name):
    """The optimum without SLOs is where they break."""
    space = Space((Parameter("a.x", "range", 0, 1), Parameter("a.y", "range", 0, 1)))

    def broken(seed, n_constraints):
        def outcome(_, point):
            total = point["a.x"] + point["a.y"]
            return Observation(point, total, (0.9 - total,) * n_constraints)

        points = searched(made(name, space, seed, n_constraints), space, 22, outcome)[10:]
        return sum(point["a.x"] + point["a.y"] < 0.85 for point in points)

    assert sum(broken(seed, 1) for seed in range(3)) < 0.7 * sum(broken(seed, 0) for seed in range(3))
