"""Strategies of the optimizer over the versions of a space."""

import statistics
from collections.abc import Callable

from trimtab.optimizer import Context, Observation, OptimizerError, Parameter, parse_objective
from trimtab.optimizer import Space as OptimizerSpace
from trimtab.optimizer.strategy import load
from trimtab.stacks import Evidence, PlanError, Question, Space
from trimtab.stacks.space import Combination

__all__ = ["check_search", "search_with"]

STRATEGY = "gaussian-process"
LEFT = 40
"""Trials that a strategy is told to remain: none knows how many stacks a budget still has."""


def check_search(question: Question) -> None:
    """See that objective and strategy of a question can be used.

    Raises:
        PlanError: They cannot.
    """
    try:
        parse_objective(question.objective or "")
        load(question.strategy or STRATEGY)
    except OptimizerError as error:
        raise PlanError(str(error)) from None


def search_with(question: Question, space: Space) -> tuple["Versions", Callable[[Evidence], float | None]]:
    """What the plan `adaptive` searches with, and what it minimises.

    Raises:
        PlanError: The space, the objective or the strategy cannot be used.
    """
    check_search(question)
    objective = parse_objective(question.objective or "")

    def loss(evidence: Evidence) -> float | None:
        metrics = {name: statistics.median(values) for name, values in evidence.figures.items() if values}
        try:
            return objective.sign * objective.expression.evaluate(metrics)
        except OptimizerError:  # it was not measured
            return None

    return Versions(space, question.strategy or STRATEGY, question.seed), loss


class Versions:
    """A strategy, whose settings are packages and whose values are the places of their versions, from the oldest on.

    Neighbouring versions are mostly alike, which a model of numbers can use and one of words could not.

    Args:
        space: The choices.
        strategy: Its name.
        seed: Of what is drawn.
    """

    def __init__(self, space: Space, strategy: str, seed: int) -> None:
        self._space = space
        self._ordered = {each.name: tuple(reversed(each.versions)) for each in space}
        try:
            settings = OptimizerSpace(
                tuple(_parameter(name, len(each)) for name, each in self._ordered.items())
            )
            self._strategy = load(strategy)(settings, seed=seed % 2**32, n_constraints=0)
        except OptimizerError as error:
            raise PlanError(
                f"the plan adaptive: {error}; vary fewer packages, or only the newest versions"
            ) from None
        self._best: tuple[float, Combination] | None = None

    def suggest(self, number: int) -> Combination:
        """What the strategy wants to know next."""
        newest = {name: len(each) - 1 for name, each in self._ordered.items()}
        incumbent = newest if self._best is None else self._point(self._best[1])
        context = Context(number, max(1, LEFT - number), incumbent, newest)  # type: ignore[arg-type] # int is a value
        point = self._strategy.suggest(context).point
        return {name: versions[int(point[name])] for name, versions in self._ordered.items()}

    def observe(self, combination: Combination, loss: float | None) -> None:
        """Tell the strategy."""
        if loss is not None and (self._best is None or loss < self._best[0]):
            self._best = (loss, combination)
        point = self._point(combination)
        self._strategy.observe(Observation(point, loss, failed=loss is None))  # type: ignore[arg-type] # the same

    def _point(self, combination: Combination) -> dict[str, int]:
        return {name: self._ordered[name].index(version) for name, version in combination.items()}


def _parameter(name: str, count: int) -> Parameter:
    if count == 1:
        return Parameter(name, "range", fixed=0)
    return Parameter(name, "range", 0.0, float(count - 1), 1.0, integer=True)
