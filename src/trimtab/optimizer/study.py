"""The course of a study: the baseline and its noise, search, finalists, and the proof against the baseline."""

import math
from collections.abc import Iterable, Sequence

from trimtab.optimizer import strategy as strategies
from trimtab.optimizer.errors import EvaluationError, StudyError
from trimtab.optimizer.objective import Evaluation, Goal
from trimtab.optimizer.space import Point, Space, Value
from trimtab.optimizer.strategy import Context, Observation, Suggestion
from trimtab.optimizer.trial import Budget, Outcome, Prediction, Purpose, Trial
from trimtab.optimizer.verdict import Recommendation, compare

__all__ = ["Study"]

CONFIDENCE = 0.95
Key = tuple[tuple[str, Value], ...]
History = Sequence[tuple[Point, Outcome]]


class Study:
    """One search for better settings. Pure and deterministic: the same seed and history ask the same.

    Args:
        space: Where to search.
        goal: What is wanted; bound to the units of the metrics.
        budget: How many trials of any purpose, and how long.
        baseline: The settings the application has now.
        seed: Of everything random.
        strategy: Name of an entry point of `trimtab.strategies`.
        prior: History of the same application: what was measured in earlier studies.
    """

    def __init__(
        self,
        space: Space,
        goal: Goal,
        budget: Budget,
        *,
        baseline: Point,
        seed: int = 0,
        strategy: str = "gaussian-process",
        prior: History = (),
    ) -> None:
        self.space = space
        self.goal = goal
        self.budget = budget
        self.baseline = space.snap(baseline)
        self.seed = seed
        self.strategy = strategy
        self._strategy = strategies.load(strategy)(space, seed=seed, n_constraints=len(goal.slos))
        self._trials: list[tuple[Trial, Outcome | None]] = []
        self._evaluations: list[Evaluation | None] = []
        for point, outcome in prior:
            if space.contains(point):
                self._strategy.observe(self._observation(point, outcome, own=False))

    @property
    def trials(self) -> list[tuple[Trial, Outcome | None]]:
        """Everything asked so far, in order, and what came of it; None while it is being measured."""
        return list(self._trials)

    @property
    def pending(self) -> Trial | None:
        """The trial that was asked for and not yet told."""
        return self._trials[-1][0] if self._trials and self._trials[-1][1] is None else None

    def ask(self) -> Trial | None:
        """The next trial; the same one until it is told; None when the study is done."""
        if self.pending is not None:
            return self.pending
        trial = self._next()
        if trial is not None:
            self._trials.append((trial, None))
            self._evaluations.append(None)
        return trial

    def tell(self, number: int, outcome: Outcome) -> None:
        """Take the outcome of the pending trial.

        Raises:
            StudyError: It is not the pending one, or was told before.
        """
        pending = self.pending
        if pending is None or pending.number != number:
            expected = "none is pending" if pending is None else f"{pending.number} is pending"
            raise StudyError(f"trial {number} is told, but {expected}")
        self._trials[-1] = (pending, outcome)
        self._evaluations[-1] = self._evaluate(pending.point, outcome)
        if outcome.status != "lost":
            own = pending.purpose is Purpose.search
            self._strategy.observe(self._observation(pending.point, outcome, own=own))

    def replay(self, history: Iterable[tuple[Trial, Outcome | None]]) -> None:
        """Bring a new study to where another was, without asking anything again.

        Raises:
            StudyError: This one has begun, or the history is not one of a study over this space.
        """
        if self._trials:
            raise StudyError("this study has begun; a history is replayed into a new one")
        for trial, outcome in history:
            if self.pending is not None or trial.number != len(self._trials):
                raise StudyError(f"trial {trial.number} is out of order in the history")
            if not self.space.contains(trial.point):
                raise StudyError(f"trial {trial.number} of the history is not in the space")
            self._trials.append((trial, None))
            self._evaluations.append(None)
            if outcome is not None:
                self.tell(trial.number, outcome)

    def evaluation(self, number: int) -> Evaluation | None:
        """The measurement of a trial seen through the goal; None if it gave none."""
        return self._evaluations[number]

    def incumbent(self) -> Point:
        """The last known good: the baseline, or the best accepted trial."""
        return dict(self._best() or self.baseline)

    def recommendation(self, confidence: float = CONFIDENCE) -> Recommendation:
        """What the study has shown."""
        candidate = self.incumbent()
        before, after = self._readings(self.baseline), self._readings(candidate)
        comparison = None if candidate == self.baseline else compare(before, after, confidence=confidence)
        improved = comparison is not None and comparison.low > 0
        scale = abs(_mean(before)) if before else 0.0
        relative = comparison is not None and scale > 0
        sign = self.goal.objective.sign
        chosen = candidate if improved else self.baseline
        readings = self._readings(chosen)
        return Recommendation(
            point=dict(chosen),
            verdict="improved" if improved else "no improvement shown" if before else "not measured",
            value=sign * _mean(readings) if readings else None,
            baseline_value=sign * _mean(before) if before else None,
            improvement=comparison.gain / scale if comparison and relative else None,
            interval=(comparison.low / scale, comparison.high / scale) if comparison and relative else None,
            confidence=confidence,
            probability=comparison.probability if comparison else None,
            n_baseline=len(before),
            n_candidate=len(after),
            candidate=candidate,
            differences=self.space.differences(self.baseline, candidate),
            explanation="",
        )

    def importance(self) -> dict[str, float]:
        """How much each setting matters over the space: shares that sum to 1."""
        return {each.name: 1 / self.space.dimensions for each in self.space.free}

    def explain(self, trial: Trial) -> str:
        """Why a trial has these values."""
        return trial.reason

    def _evaluate(self, point: Point, outcome: Outcome) -> Evaluation | None:
        if outcome.status not in {"ok", "aborted"}:
            return None
        try:
            return self.goal.evaluate(outcome.metrics, point)
        except EvaluationError:
            return None

    def _observation(self, point: Point, outcome: Outcome, *, own: bool) -> Observation:
        evaluation = self._evaluate(point, outcome)
        if evaluation is None:
            return Observation(point, None, failed=outcome.status != "aborted", own=own)
        noise = self.goal.noise(outcome.metrics, outcome.spread, point)
        return Observation(point, evaluation.loss, evaluation.excesses, noise, own=own)

    def _next(self) -> Trial | None:
        number = len(self._trials)
        seconds = sum(outcome.seconds for _, outcome in self._trials if outcome)
        left = self.budget.left(number, seconds)
        if not left:
            return None
        verify = min(4, max(0, self.budget.trials // 4))
        done = sum(1 for trial, _ in self._trials if trial.purpose is Purpose.baseline)
        if done < min(2, self.budget.trials):
            return Trial(number, Purpose.baseline, dict(self.baseline), reason="the settings as they are")
        if left > verify:
            context = Context(number, left - verify, self.incumbent(), self.baseline)
            return self._trial(number, Purpose.search, self._strategy.suggest(context))
        candidate = self.incumbent()
        if candidate == self.baseline:
            return None
        verified = [trial.point for trial, _ in self._trials if trial.purpose is Purpose.verify]
        point = self.baseline if len(verified) % 2 else candidate
        return Trial(number, Purpose.verify, dict(point), reason="compared with the baseline, turn by turn")

    def _trial(self, number: int, purpose: Purpose, suggestion: Suggestion) -> Trial:
        predicted = suggestion.predicted
        if predicted is not None:
            mean = self.goal.objective.sign * predicted.mean
            predicted = Prediction(mean, predicted.sd, predicted.feasibility)
        return Trial(number, purpose, suggestion.point, self.strategy, suggestion.reason, predicted)

    def _readings(self, point: Point) -> list[float]:
        return [
            evaluation.loss
            for (trial, outcome), evaluation in zip(self._trials, self._evaluations, strict=True)
            if outcome is not None
            and outcome.status == "ok"
            and evaluation is not None
            and trial.point == point
        ]

    def _best(self) -> Point | None:
        candidates: dict[Key, list[Evaluation]] = {}
        for (trial, outcome), evaluation in zip(self._trials, self._evaluations, strict=True):
            if outcome is not None and outcome.status == "ok" and evaluation is not None:
                candidates.setdefault(_key(trial.point), []).append(evaluation)
        feasible = {key: each for key, each in candidates.items() if all(one.feasible for one in each)}
        if not feasible:
            return None
        return dict(min(feasible, key=lambda key: _mean([each.loss for each in feasible[key]])))


def _key(point: Point) -> Key:
    return tuple(point.items())


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
