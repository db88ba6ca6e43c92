"""One run: a sampler, a problem, a level of noise, a seed; and what its user is handed in the end."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from benchmarks.search import bbob, services
from trimtab.optimizer import Budget, Goal, Outcome, Parameter, Point, Space, Study
from trimtab.optimizer.ledger import observed
from trimtab.optimizer.strategy import Context, load

__all__ = ["OURS", "SAMPLERS", "Problem", "Run", "problem", "run"]

OURS = "trimtab"
SAMPLERS = (OURS, "random", "cma-es", "tpe", "optuna-gp")
DIMENSION = 5


@dataclass(frozen=True)
class Problem:
    """Something to tune, of which the truth is known."""

    space: Space
    goal: Goal
    baseline: Point
    measure: Callable[[Point, np.random.Generator], Outcome]
    regret: Callable[[Point], float]
    keeps: Callable[[Point], bool]


@dataclass(frozen=True)
class Run:
    """What came of one run: the true regret of what was returned, and trials that truly broke an SLO."""

    part: str
    problem: str
    sampler: str
    noise: float
    trials: int
    seed: int
    regret: float
    breaches: int
    seconds: float
    verdict: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def problem(part: str, name: str, noise: float, seed: int) -> Problem:
    """The instance of this seed."""
    return _function(int(name), noise, seed) if part == "bbob" else _service(name, noise, seed)


def _function(number: int, noise: float, seed: int) -> Problem:
    function = bbob.make(number, DIMENSION, seed)
    parameters = tuple(
        Parameter(f"f.x{i}", "range", -bbob.LIMIT, bbob.LIMIT) for i in range(function.dimension)
    )
    space, sd = Space(parameters), noise * function.spread()

    def regret(point: Point) -> float:
        return function(np.array([float(value) for value in point.values()]))

    def measure(point: Point, random: np.random.Generator) -> Outcome:
        return Outcome("ok", {"loss": regret(point) + sd * random.standard_normal()})

    start = np.random.default_rng([seed, number, 77]).random(function.dimension)
    return Problem(
        space, Goal.parse("minimize loss"), space.from_unit(start), measure, regret, lambda _: True
    )


def _service(name: str, noise: float, seed: int) -> Problem:
    make = next(each for each in services.FAMILIES if each.__name__ == name)
    service = make(seed)
    return Problem(
        service.space,
        service.goal,
        service.baseline,
        lambda point, random: service.measure(point, noise, random),
        service.regret,
        service.keeps,
    )


def run(part: str, name: str, sampler: str, noise: float, trials: int, seed: int) -> Run:
    """Carry out a run. Every sampler starts with a measurement of the baseline."""
    subject = problem(part, name, noise, seed)
    random = np.random.default_rng([seed, trials, 4321])
    began = time.process_time()
    how = _studied if sampler == OURS else _sampled
    point, breaches, verdict = how(subject, sampler, trials, seed, random)
    seconds = time.process_time() - began
    return Run(part, name, sampler, noise, trials, seed, subject.regret(point), breaches, seconds, verdict)


def _studied(
    subject: Problem, sampler: str, trials: int, seed: int, random: np.random.Generator
) -> tuple[Point, int, str]:
    """Our full course: baseline, search, confirmation and verification, all within the trials."""
    del sampler
    study = Study(subject.space, subject.goal, Budget(trials), baseline=subject.baseline, seed=seed)
    breaches = 0
    while (trial := study.ask()) is not None:
        breaches += not subject.keeps(trial.point)
        study.tell(trial.number, subject.measure(trial.point, random))
    recommendation = study.recommendation()
    return recommendation.point, breaches, recommendation.verdict


def _sampled(
    subject: Problem, sampler: str, trials: int, seed: int, random: np.random.Generator
) -> tuple[Point, int, str]:
    """A sampler as it comes, every trial spent on search; what it returns is its best feasible reading."""
    strategy = load(sampler)(subject.space, seed=seed, n_constraints=len(subject.goal.slos))
    best, best_value, breaches = subject.baseline, math.inf, 0
    for number in range(trials):
        first = number == 0
        context = Context(number, trials - number, best, subject.baseline)
        point = subject.baseline if first else strategy.suggest(context).point
        breaches += not subject.keeps(point)
        seen = observed(subject.goal, point, subject.measure(point, random), own=not first)
        assert seen is not None
        strategy.observe(seen)
        if seen.feasible and seen.value is not None and seen.value < best_value:
            best, best_value = point, seen.value
    return best, breaches, ""
