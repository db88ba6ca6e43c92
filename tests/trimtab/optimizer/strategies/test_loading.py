"""Strategies of others, found by entry point."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from trimtab.optimizer import Budget, Goal, Outcome, Parameter, Space, Study, StudyError
from trimtab.optimizer.strategy import BUILT_IN, GROUP, Strategy, load, names

SPACE = Space((Parameter("a.x", "range", 0, 9, 1, integer=True),))
MODULE = '''
from trimtab.optimizer import Suggestion

class Counting:
    """Suggests 1, 2, 3, ..."""

    def __init__(self, space, *, seed, n_constraints):
        self.seen = 0

    def suggest(self, context):
        return Suggestion({"a.x": min(9, self.seen + 1)}, "the next number")

    def observe(self, observation):
        self.seen += observation.own
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A distribution on the path, as pip would leave it."""
    folder = tmp_path / "acme_search-1.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-search\nVersion: 1.2\n")
    (folder / "entry_points.txt").write_text(
        f"[{GROUP}]\n"
        "acme-counting = acme_search_of_a_test:Counting\n"
        "acme-gone = acme_search_that_is_not_there:Gone\n"
        "acme-misnamed = acme_search_of_a_test:Misnamed\n"
    )
    (tmp_path / "acme_search_of_a_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("acme_search_of_a_test", None)


def test_a_foreign_strategy_is_found_by_name_and_searches(installed):
    assert isinstance(load("acme-counting")(SPACE, seed=1, n_constraints=0), Strategy)
    study = Study(
        SPACE, Goal.parse("minimize loss"), Budget(8), baseline={"a.x": 0}, strategy="acme-counting"
    )
    found = []
    while (trial := study.ask()) is not None:
        if trial.strategy == "acme-counting":
            found.append(trial.point["a.x"])
            assert trial.reason == "the next number"
        study.tell(trial.number, Outcome("ok", {"loss": 100.0 - trial.point["a.x"]}))
    assert found[:3] == [1, 2, 3]


def test_what_is_installed_is_among_the_names(installed):
    assert {"acme-counting", "gaussian-process", "random", "tpe", "cma-es"} <= set(names())
    with pytest.raises(StudyError, match=r"unknown strategy 'acme-x'; there are acme-counting, "):
        load("acme-x")


@pytest.mark.parametrize(
    ("name", "problem"), [("acme-gone", "acme_search_that_is_not_there"), ("acme-misnamed", "Misnamed")]
)
def test_a_foreign_strategy_that_cannot_be_loaded_is_named_with_the_reason(installed, name, problem):
    with pytest.raises(StudyError, match=rf"strategy '{name}' .*cannot be loaded.*{problem}"):
        load(name)


@pytest.mark.parametrize("name", ["", "GAUSSIAN-PROCESS", "random ", "../random", "os:system"])
def test_nothing_else_is_a_name(name):
    with pytest.raises(StudyError, match=re.escape(f"unknown strategy {name!r}")):
        load(name)


def test_what_is_built_in_is_what_the_package_declares():
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())
    assert project["project"]["entry-points"][GROUP] == BUILT_IN
