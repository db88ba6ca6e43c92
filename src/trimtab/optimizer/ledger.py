"""What was asked and what came of it, seen through the goal."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from trimtab.optimizer.errors import EvaluationError, StudyError
from trimtab.optimizer.objective import Evaluation, Goal
from trimtab.optimizer.space import Point, Value
from trimtab.optimizer.strategy import Observation
from trimtab.optimizer.trial import Outcome, Purpose, Trial

__all__ = ["Entry", "Ledger", "key", "mean", "observed"]

Key = tuple[tuple[str, Value], ...]


@dataclass(slots=True)
class Entry:
    """A trial, its outcome (None while pending), and the outcome seen through the goal (None if it gave no value)."""

    trial: Trial
    outcome: Outcome | None = None
    evaluation: Evaluation | None = None

    @property
    def ok(self) -> bool:
        """Whether it was measured to the end."""
        return self.outcome is not None and self.outcome.status == "ok" and self.evaluation is not None


class Ledger:
    """The entries of a study in order.

    Args:
        goal: What is wanted.
    """

    def __init__(self, goal: Goal) -> None:
        self.goal = goal
        self.entries: list[Entry] = []

    @property
    def pending(self) -> Trial | None:
        """The trial that was asked for and not yet told."""
        return self.entries[-1].trial if self.entries and self.entries[-1].outcome is None else None

    @property
    def seconds(self) -> float:
        """How long the trials took, by their own account."""
        return math.fsum(entry.outcome.seconds for entry in self.entries if entry.outcome)

    def ask(self, trial: Trial) -> None:
        """Enter a trial.

        Raises:
            StudyError: One is pending, or its number is not the next.
        """
        if self.pending is not None or trial.number != len(self.entries):
            raise StudyError(f"trial {trial.number} is out of order: {len(self.entries)} were asked")
        self.entries.append(Entry(trial))

    def tell(self, number: int, outcome: Outcome) -> Entry:
        """Enter the outcome of the pending trial.

        Raises:
            StudyError: It is not the pending one, or was told before.
        """
        pending = self.pending
        if pending is None or pending.number != number:
            expected = "none is pending" if pending is None else f"{pending.number} is pending"
            raise StudyError(f"trial {number} is told, but {expected}")
        entry = self.entries[-1]
        entry.outcome, entry.evaluation = outcome, evaluated(self.goal, pending.point, outcome)
        return entry

    def of(self, *purposes: Purpose) -> list[Entry]:
        """Entries of some purposes, pending and failed ones included."""
        return [entry for entry in self.entries if entry.trial.purpose in purposes]

    def at(self, point: Point, purposes: Collection[Purpose] = tuple(Purpose)) -> list[Evaluation]:
        """Readings of a point that were measured to the end."""
        return [
            entry.evaluation
            for entry in self.entries
            if entry.ok
            and entry.evaluation
            and entry.trial.point == point
            and entry.trial.purpose in purposes
        ]

    def accepted(self) -> dict[Key, Point]:
        """Points that came up whenever they were tried, and whose mean readings keep every SLO."""
        groups: dict[Key, list[Entry]] = {}
        for entry in self.entries:
            if entry.outcome is not None and entry.outcome.status != "lost":
                groups.setdefault(key(entry.trial.point), []).append(entry)
        return {name: group[0].trial.point for name, group in groups.items() if _accepted(group)}

    def repeats(self, apart_from: Collection[Key]) -> tuple[float, int]:
        """Sum of squares of losses about the means of repeatedly measured points, and its degrees of freedom."""
        groups: dict[Key, list[float]] = {}
        for entry in self.entries:
            if entry.ok and entry.evaluation and (name := key(entry.trial.point)) not in apart_from:
                groups.setdefault(name, []).append(entry.evaluation.loss)
        squares = math.fsum((loss - mean(group)) ** 2 for group in groups.values() for loss in group)
        return squares, sum(len(group) - 1 for group in groups.values())

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def evaluated(goal: Goal, point: Point, outcome: Outcome) -> Evaluation | None:
    """An outcome seen through a goal; None if it gave no value."""
    if outcome.status not in {"ok", "aborted"}:
        return None
    try:
        return goal.evaluate(outcome.metrics, point)
    except EvaluationError:
        return None


def observed(
    goal: Goal, point: Point, outcome: Outcome, *, own: bool, weight: float = 1.0
) -> Observation | None:
    """What a strategy is told of an outcome; None if it says nothing of the settings."""
    if outcome.status == "lost":
        return None
    evaluation = evaluated(goal, point, outcome)
    cut_short_unseen = outcome.status == "aborted" and evaluation is not None and evaluation.feasible
    if evaluation is None or cut_short_unseen:
        return Observation(point, None, failed=True, own=own, weight=weight)
    noise = goal.noise(outcome.metrics, outcome.spread, point)
    return Observation(point, evaluation.loss, evaluation.excesses, noise, own=own, weight=weight)


def key(point: Point) -> Key:
    """A point as a dictionary's key."""
    return tuple(sorted(point.items()))


def mean(values: Collection[float]) -> float:
    """The arithmetic mean."""
    return math.fsum(values) / len(values)


def _accepted(group: list[Entry]) -> bool:
    evaluations = [entry.evaluation for entry in group if entry.ok and entry.evaluation]
    if len(evaluations) < len(group):
        return False
    return all(mean(excesses) <= 0 for excesses in zip(*(each.excesses for each in evaluations), strict=True))
