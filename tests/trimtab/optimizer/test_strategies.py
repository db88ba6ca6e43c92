"""The portfolio of strategies behind one interface."""

import logging
import math
import sys
import warnings

import pytest

from trimtab.optimizer import Context, Observation, Parameter, Space, Strategy, StudyError
from trimtab.optimizer.strategy import BUILT_IN, load, names


@pytest.fixture(params=sorted(BUILT_IN))
def name(request):
    if request.param == "optuna-gp":
        pytest.importorskip("torch", reason="PyTorch is not installed with Trimtab")
    return request.param


@pytest.fixture
def strategy(name, mixed_space):
    return load(name)(mixed_space, seed=3, n_constraints=1)


def loss(point):
    return point["web.timeout"] + math.log(point["web.buffer"]) + point["web.workers"] * point["web.batch"]


def search(strategy, start, count):
    points, best = [], start
    for number in range(count):
        suggestion = strategy.suggest(Context(number, count - number, best, start))
        points.append(suggestion.point)
        strategy.observe(Observation(suggestion.point, loss(suggestion.point), (-1.0,)))
        best = min(points, key=loss)
    return points


def test_every_strategy_keeps_to_the_space_and_gives_a_reason(strategy, mixed_space, start):
    assert isinstance(strategy, Strategy)
    assert strategy.suggest(Context(0, 10, start, start)).reason
    assert all(mixed_space.contains(point) for point in search(strategy, start, 12))


def test_every_strategy_takes_failures_and_measurements_of_others(strategy, start, mixed_space):
    strategy.observe(Observation(start, loss(start), (-1.0,), own=False))
    for number in range(6):
        suggestion = strategy.suggest(Context(number, 6 - number, start, start))
        failed = number % 2 == 0
        value = None if failed else loss(suggestion.point)
        strategy.observe(Observation(suggestion.point, value, () if failed else (0.5,), failed=failed))
    assert mixed_space.contains(strategy.suggest(Context(6, 1, start, start)).point)


def test_the_same_seed_and_observations_suggest_the_same(name, mixed_space, start):
    first, second, other = (
        search(load(name)(mixed_space, seed=s, n_constraints=1), start, 8) for s in (1, 1, 2)
    )
    assert first == second != other


def test_the_gaussian_process_beats_random_search(mixed_space, start):
    found = {
        name: min(map(loss, search(load(name)(mixed_space, seed=0, n_constraints=1), start, 25)))
        for name in ("gaussian-process", "random")
    }
    assert found["gaussian-process"] < 1.5
    assert found["gaussian-process"] < found["random"]


@pytest.mark.parametrize("name", ["tpe", "cma-es"])
def test_optuna_neither_logs_nor_warns(name, mixed_space, start, caplog, capsys):
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("error")
        search(load(name)(mixed_space, seed=0, n_constraints=1), start, 15)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_names_are_found_and_an_unknown_one_is_refused():
    assert set(BUILT_IN) <= set(names())
    with pytest.raises(StudyError, match="unknown strategy"):
        load("unheard-of")


def test_entry_points_of_the_distribution_are_the_built_in_ones():
    from importlib.metadata import entry_points

    declared = {each.name: each.value for each in entry_points(group="trimtab.strategies")}
    assert {name: declared[name] for name in BUILT_IN} == BUILT_IN


def test_a_strategy_of_another_distribution_is_loaded(tmp_path, monkeypatch, mixed_space):
    (tmp_path / "stays_home.py").write_text(
        "class Stay:\n    def __init__(self, space, *, seed, n_constraints): pass\n"
        "    def suggest(self, context): return context.incumbent\n    def observe(self, observation): pass\n"
    )
    info = tmp_path / "stays_home-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stays-home\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[trimtab.strategies]\nstay = stays_home:Stay\ngone = stays_home:Gone\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert isinstance(load("stay")(mixed_space, seed=0, n_constraints=0), Strategy)
    with pytest.raises(StudyError, match=r"'gone' \(stays_home:Gone\) cannot be loaded"):
        load("gone")
    sys.modules.pop("stays_home", None)


def test_optunas_gaussian_process_says_that_it_needs_pytorch(monkeypatch):
    monkeypatch.setattr("trimtab.optimizer.strategies.optuna.find_spec", lambda _: None)
    space = Space((Parameter("a.x", "range", 0, 1),))
    with pytest.raises(StudyError, match="pip install torch"):
        load("optuna-gp")(space, seed=0)


def test_optunas_gaussian_process_searches_under_slos_where_pytorch_is():
    pytest.importorskip("torch", reason="PyTorch is not installed with Trimtab")
    space = Space((Parameter("a.x", "range", 0, 1),))
    strategy = load("optuna-gp")(space, seed=0, n_constraints=1)
    strategy.observe(Observation({"a.x": 0.5}, -0.5, (-0.2,), own=False))
    for number in range(14):
        point = strategy.suggest(Context(number, 14 - number, {"a.x": 0.5}, {"a.x": 0.5})).point
        x = float(point["a.x"])
        strategy.observe(Observation(point, -x, (x - 0.7,), own=True))
    assert 0.6 < x < 0.8, "the optimum is where the SLO binds"


def test_what_optuna_did_not_propose_is_known_to_keep_its_slos():
    """Its history, such as the baseline: without constraints of its own it counted as breaking them."""
    strategy = load("tpe")(Space((Parameter("a.x", "range", 0, 1),)), seed=0, n_constraints=2)
    strategy.observe(Observation({"a.x": 0.5}, 1.0, (-0.5, 0.25), own=False))
    (trial,) = strategy._study.trials
    assert list(trial.constraints.values()) == [-0.5, 0.25]
