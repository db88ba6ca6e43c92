"""The interface behind which ways to search stand, and how one is found by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, runtime_checkable

from trimtab.optimizer.errors import StudyError
from trimtab.optimizer.space import Point, Space
from trimtab.optimizer.trial import Prediction

__all__ = ["BUILT_IN", "Context", "Observation", "Strategy", "Suggestion", "load", "names"]

GROUP = "trimtab.strategies"
_PACKAGE = "trimtab.optimizer.strategies"

BUILT_IN = {
    "gaussian-process": f"{_PACKAGE}.gaussian_process:GaussianProcess",
    "random": f"{_PACKAGE}.random:Random",
    "tpe": f"{_PACKAGE}.optuna:TPE",
    "cma-es": f"{_PACKAGE}.optuna:CMAES",
    "optuna-gp": f"{_PACKAGE}.optuna:GP",
}
"""Strategies that work without an installed distribution's entry points, as from a source tree."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a strategy is told of a trial.

    Args:
        point: What was measured.
        value: The objective, to be minimised; None if there is none.
        constraints: For every SLO how far beyond it is, relative to its threshold; ≤ 0 is feasible. May be shorter
            than there are constraints, even empty, if the trial failed.
        noise: Standard error of the value; None if not known.
        failed: The point did not come up, or broke.
        own: Whether this strategy suggested it.
        weight: How much it counts, 0 to 1; less for history of an earlier study.
    """

    point: Point
    value: float | None
    constraints: tuple[float, ...] = ()
    noise: float | None = None
    failed: bool = False
    own: bool = True
    weight: float = 1.0

    @property
    def feasible(self) -> bool:
        """Whether it was measured and kept every SLO."""
        return self.value is not None and not self.failed and all(each <= 0 for each in self.constraints)


@dataclass(frozen=True, slots=True)
class Context:
    """What a strategy may know besides what it observed.

    Args:
        number: Of the trial that is asked for; seeds what is random.
        left: How many trials of search remain, this one included.
        incumbent: The best known point, from which suggestions are explained.
        baseline: Where the study started.
    """

    number: int
    left: int
    incumbent: Point
    baseline: Point


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A point, why, and what is expected of it: mean and sd are those of the value to be minimised."""

    point: Point
    reason: str
    predicted: Prediction | None = None


@runtime_checkable
class Strategy(Protocol):
    """A way to search. It is made as `strategy(space, seed=…, n_constraints=…)`.

    It is deterministic: one made with the same seed that observed the same suggests the same.
    """

    def suggest(self, context: Context) -> Suggestion:
        """The next point to measure."""
        ...

    def observe(self, observation: Observation) -> None:
        """Take note of a measurement, own or of others."""
        ...


class Factory(Protocol):
    """What an entry point of `trimtab.strategies` names."""

    def __call__(self, space: Space, *, seed: int, n_constraints: int) -> Strategy:
        """A new strategy over a space."""
        ...


def names() -> Sequence[str]:
    """The names under which strategies are found."""
    return sorted({*BUILT_IN, *(each.name for each in entry_points(group=GROUP))})


def load(name: str) -> Factory:
    """The strategy of this name.

    Raises:
        StudyError: There is none, or its package cannot be imported.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        return getattr(import_module(module), attribute)  # type: ignore[no-any-return] # checked by a test
    found: EntryPoint | None = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        raise StudyError(f"unknown strategy {name!r}; there are {', '.join(names())}")
    try:
        return found.load()  # type: ignore[no-any-return] # whatever a third party exports
    except (ImportError, AttributeError) as error:
        raise StudyError(f"strategy {name!r} ({found.value}) cannot be loaded: {error}") from error
