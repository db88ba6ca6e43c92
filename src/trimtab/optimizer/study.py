"""The course of a study: the baseline and its noise, search, finalists, and the proof against the baseline."""

import math
from collections.abc import Iterable, Sequence

from trimtab.optimizer import strategy as strategies
from trimtab.optimizer.conclusion import CONFIDENCE, concluded
from trimtab.optimizer.course import Plan, baseline_readings, plan
from trimtab.optimizer.errors import StudyError
from trimtab.optimizer.gaussian.landscape import Landscape, Surface
from trimtab.optimizer.gaussian.proposal import optimum
from trimtab.optimizer.importance import shares
from trimtab.optimizer.ledger import Ledger, key, mean, observed
from trimtab.optimizer.objective import Evaluation, Goal
from trimtab.optimizer.space import Point, Space
from trimtab.optimizer.strategy import Context, Suggestion
from trimtab.optimizer.trial import Budget, Outcome, Prediction, Purpose, Trial
from trimtab.optimizer.verdict import Recommendation

__all__ = ["Study"]

History = Sequence[tuple[Point, Outcome]]

_CAUTION = 0.5
_SURE, _LIKELIER_THAN_NOT = 0.95, 0.5
_PRIOR_WEIGHT = 0.5
_RETRIED = 2
_ENOUGH_READINGS = 3
_WARM = 2


class Study:
    """One search for better settings. Pure and deterministic: the same seed and history ask the same.

    Args:
        space: Where to search.
        goal: What is wanted; bound to the units of the metrics.
        budget: How many trials of any purpose, and how long.
        baseline: The settings the application has now.
        seed: Of everything random.
        strategy: Name of an entry point of `trimtab.strategies`.
        prior: History of the same application: what was measured in earlier studies. It guides the search; the
            verdict stands on this study's own readings.
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
        self._ledger = Ledger(goal)
        self._strategy = strategies.load(strategy)(space, seed=seed, n_constraints=len(goal.slos))
        landscape = getattr(self._strategy, "landscape", None)
        self._shared = isinstance(landscape, Landscape)
        self._landscape = landscape if isinstance(landscape, Landscape) else Landscape(space, len(goal.slos))
        self._warm = self._learned(prior)

    def _learned(self, prior: History) -> list[Point]:
        """Take the history of earlier studies; the best points of it are tried first."""
        good: dict[float, Point] = {}
        for point, outcome in prior:
            if not self.space.contains(point):
                continue
            observation = observed(self.goal, point, outcome, own=False, weight=_PRIOR_WEIGHT)
            if observation is None:
                continue
            self._observe(observation)
            if observation.feasible and observation.value is not None and outcome.status == "ok":
                good[observation.value] = dict(point)
        ranked = [good[value] for value in sorted(good) if good[value] != self.baseline]
        return list({key(point): point for point in ranked}.values())[:_WARM]

    @property
    def trials(self) -> list[tuple[Trial, Outcome | None]]:
        """Everything asked so far, in order, and what came of it; None while it is being measured."""
        return [(entry.trial, entry.outcome) for entry in self._ledger]

    @property
    def pending(self) -> Trial | None:
        """The trial that was asked for and not yet told."""
        return self._ledger.pending

    def ask(self) -> Trial | None:
        """The next trial; the same one until it is told; None when the study is done."""
        if self.pending is not None:
            return self.pending
        trial = self._next()
        if trial is not None:
            self._ledger.ask(trial)
        return trial

    def tell(self, number: int, outcome: Outcome) -> None:
        """Take the outcome of the pending trial.

        Raises:
            StudyError: It is not the pending one, or was told before.
        """
        entry = self._ledger.tell(number, outcome)
        trial = entry.trial
        own = trial.purpose is Purpose.search and trial.strategy == self.strategy
        observation = observed(self.goal, trial.point, outcome, own=own)
        if observation is not None:
            self._observe(observation)

    def _observe(self, observation: strategies.Observation) -> None:
        self._strategy.observe(observation)
        if not self._shared:
            self._landscape.observe(observation)

    def replay(self, history: Iterable[tuple[Trial, Outcome | None]]) -> None:
        """Bring a new study to where another was, without asking anything again.

        Raises:
            StudyError: This one has begun, or the history is not one of a study over this space.
        """
        if len(self._ledger):
            raise StudyError("this study has begun; a history is replayed into a new one")
        for trial, outcome in history:
            if not self.space.contains(trial.point):
                raise StudyError(f"trial {trial.number} of the history is not in the space")
            self._ledger.ask(trial)
            if outcome is not None:
                self.tell(trial.number, outcome)

    def evaluation(self, number: int) -> Evaluation | None:
        """The measurement of a trial seen through the goal; None if it gave none."""
        return self._ledger.entries[number].evaluation

    def incumbent(self) -> Point:
        """The last known good: the baseline, or the best accepted trial by the model's posterior."""
        accepted = self._ledger.accepted()
        ranked = self._ranked()
        best = next((point for point in ranked if key(point) in accepted), None)
        return dict(best or self.baseline)

    def recommendation(self, confidence: float = CONFIDENCE) -> Recommendation:
        """What the study has shown."""
        surface = self._landscape.surface()
        return concluded(
            self._ledger, self.space, self.baseline, dict(self._candidate()), surface, confidence
        )

    def _candidate(self) -> Point:
        """What is compared with the baseline: what was last, or what will be first."""
        compared = (entry.trial.point for entry in reversed(self._ledger.of(Purpose.verify)))
        return next((point for point in compared if point != self.baseline), None) or self.incumbent()

    def importance(self) -> dict[str, float]:
        """How much each searched setting matters over the space: shares that sum to 1."""
        return shares(self._landscape.surface(), self._landscape.columns)

    def explain(self, trial: Trial) -> str:
        """Why a trial has these values, what was expected and what came of it."""
        words = [trial.reason or str(trial.purpose)]
        if trial.predicted is not None:
            words.append(f"expected {trial.predicted.mean:.4g} ± {trial.predicted.sd:.2g}")
        evaluation = self.evaluation(trial.number) if trial.number < len(self._ledger) else None
        if evaluation is not None:
            words.append(f"measured {evaluation.value:.4g}")
            words.extend(map(str, evaluation.violations))
        return "; ".join(words)

    def _next(self) -> Trial | None:
        number = len(self._ledger)
        left = self.budget.left(number, self._ledger.seconds)
        if not left:
            return None
        total = number + left
        if self._wants_baseline(total):
            return Trial(number, Purpose.baseline, dict(self.baseline), reason="the settings as they are")
        if not self._ledger.of(Purpose.verify, Purpose.confirm):
            reserve = self._plan(total).reserve
            if left > reserve:
                return self._searched(number, left - reserve)
        return self._confirmed(number, left) or self._verified(number) or self._gone_on(number, left)

    def _gone_on(self, number: int, left: int) -> Trial | None:
        """Search with what was kept back for a proof, as long as there is nothing to be proved."""
        return None if self._ledger.of(Purpose.verify) else self._searched(number, left)

    def _wants_baseline(self, total: int) -> bool:
        wanted = baseline_readings(total)
        tried = len(self._ledger.of(Purpose.baseline))
        return len(self._ledger.at(self.baseline)) < wanted and tried < wanted + _RETRIED

    def _plan(self, total: int) -> Plan:
        """What is kept back of as many trials as there will be in all, time considered."""
        surface = self._landscape.surface()
        best = self._predicted(self.incumbent())
        readings = self._ledger.at(self.baseline)
        if surface is None or best is None or not readings:
            return plan(total, 0.0, math.inf)
        gain = mean([each.loss for each in readings]) - best.mean - best.sd
        return plan(total, gain, surface.objective.noise, sure=best.feasibility > _SURE)

    def _predicted(self, point: Point) -> Prediction | None:
        """What a point is believed to give, its own readings included; mean and sd of the loss."""
        surface = self._landscape.surface()
        if surface is None:
            return None
        return surface.believed(self.space.to_unit(point)) or surface.predict(point)

    def _searched(self, number: int, left: int) -> Trial:
        tried = {key(entry.trial.point) for entry in self._ledger}
        warm = next((point for point in self._warm if key(point) not in tried), None)
        if warm is not None:
            reason = "among the best of an earlier study of this application"
            return Trial(number, Purpose.search, dict(warm), "history", reason)
        context = Context(number, left, self.incumbent(), self.baseline)
        return self._trial(number, self._strategy.suggest(context))

    def _trial(self, number: int, suggestion: Suggestion) -> Trial:
        predicted = suggestion.predicted and self._in_own_unit(suggestion.predicted)
        return Trial(number, Purpose.search, suggestion.point, self.strategy, suggestion.reason, predicted)

    def _in_own_unit(self, predicted: Prediction) -> Prediction:
        return Prediction(self.goal.objective.sign * predicted.mean, predicted.sd, predicted.feasibility)

    def _confirmed(self, number: int, left: int) -> Trial | None:
        """Measure the finalist again, if its place is not sure: what looks best may have been lucky."""
        planned = self._plan(number + left)
        spent = len(self._ledger.of(Purpose.confirm))
        if self._ledger.of(Purpose.verify) or spent >= planned.confirm or left <= 2 * planned.pairs:
            return None
        finalist = self._finalist()
        if finalist == self.baseline or len(self._ledger.at(finalist)) >= _ENOUGH_READINGS:
            return None
        surface = self._landscape.surface()
        predicted = self._in_own_unit(surface.predict(finalist)) if surface else None
        reason = "the best by the model's judgement, measured again so that luck does not decide"
        return Trial(number, Purpose.confirm, finalist, "", reason, predicted)

    def _finalist(self) -> Point:
        """Where the model finds the optimum, measured or not."""
        incumbent = self.incumbent()
        surface = self._landscape.surface()
        found = optimum(surface, _CAUTION) if surface is not None else None
        if surface is None or found is None:
            return incumbent
        posterior = surface.objective.posterior
        (smooth,), (variance,) = posterior.predict(found[None])
        unmeasured = smooth + _CAUTION * math.sqrt(variance + posterior.kernel.ruggedness)
        known = surface.score(self.space.to_unit(incumbent), _CAUTION)
        return self.space.from_unit(found) if known is None or unmeasured < known else incumbent

    def _verified(self, number: int) -> Trial | None:
        """Candidate, baseline, candidate: in turn, so that a drift hits both; the baseline has earlier readings.

        A candidate that is found to break an SLO gives way to the next best.
        """
        candidate = self._candidate()
        if self._refuted(candidate):
            candidate = self.incumbent()
        if candidate == self.baseline:
            return None
        turn = len(self._ledger.of(Purpose.verify)) % 3 == 1
        point = self.baseline if turn and self._compared(candidate) else candidate
        predicted = self._predicted(point)
        reason = "compared with the baseline, turn by turn"
        return Trial(
            number, Purpose.verify, dict(point), "", reason, predicted and self._in_own_unit(predicted)
        )

    def _compared(self, candidate: Point) -> bool:
        """Whether a candidate was measured beside the baseline."""
        return bool(self._ledger.at(candidate, {Purpose.verify}))

    def _refuted(self, candidate: Point) -> bool:
        """Whether a candidate, now that it was measured beside the baseline, more likely breaks an SLO than not."""
        believed = self._predicted(candidate) if self._compared(candidate) else None
        return believed is not None and believed.feasibility < _LIKELIER_THAN_NOT

    def _ranked(self) -> list[Point]:
        """Measured points of this study from best to worst by the posterior, doubt held against them."""
        points = {key(entry.trial.point): entry.trial.point for entry in self._ledger if entry.ok}
        surface = self._landscape.surface()
        if surface is None:
            return sorted(points.values(), key=lambda each: mean([one.loss for one in self._ledger.at(each)]))
        scored = {name: surface.score(self.space.to_unit(point), _CAUTION) for name, point in points.items()}
        sure = {name: self._sure(surface, point) for name, point in points.items()}
        order = sorted(
            points, key=lambda name: (-sure[name], math.inf if scored[name] is None else scored[name])
        )
        return [points[name] for name in order]

    def _sure(self, surface: Surface, point: Point) -> float:
        """Feasibility in steps: above 80 % no difference is made."""
        return min(0.8, round(surface.feasible(self.space.to_unit(point)), 1))
