"""What a study has shown: candidate against baseline, and in words how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.optimizer.gaussian.landscape import Surface
from trimtab.optimizer.ledger import Ledger, key, mean
from trimtab.optimizer.objective import Evaluation
from trimtab.optimizer.space import Point, Space
from trimtab.optimizer.trial import Purpose
from trimtab.optimizer.verdict import Comparison, Expectation, Noise, Recommendation, Verdict, compare

__all__ = ["CONFIDENCE", "concluded"]

CONFIDENCE = 0.95
_MODEL_FREEDOM = 8.0
_WORTH = 2.0
_LIKELIER_THAN_NOT, _SURELY_NOT = 0.5, 0.05


@dataclass(frozen=True, slots=True)
class _Case:
    """What a verdict stands on: readings of baseline and candidate, and whether they keep the SLOs.

    `repaired`: the baseline surely breaks one, so that whatever keeps them is better.
    """

    before: Sequence[Evaluation]
    after: Sequence[Evaluation]
    comparison: Comparison | None
    kept: bool
    repaired: bool

    @property
    def scale(self) -> float:
        return abs(mean([each.loss for each in self.before])) if self.before else 0.0


def concluded(
    ledger: Ledger,
    space: Space,
    baseline: Point,
    candidate: Point,
    surface: Surface | None,
    confidence: float,
) -> Recommendation:
    """Compare the candidate's readings of verification with all of the baseline's.

    The candidate's earlier readings do not count: it was chosen because they were good.
    """
    before = ledger.at(baseline)
    after = [] if candidate == baseline else ledger.at(candidate, {Purpose.verify})
    comparison = _compared(ledger, baseline, candidate, (before, after), surface, confidence)
    case = _Case(
        before,
        after,
        comparison,
        kept=_keeping(after, surface, space, candidate) >= _LIKELIER_THAN_NOT,
        repaired=bool(before) and _keeping(before, surface, space, baseline) < _SURELY_NOT,
    )
    verdict = _verdict(case)
    chosen, readings = (candidate, after) if verdict == "improved" else (baseline, before)
    scale = case.scale
    relative = comparison if scale else None
    return Recommendation(
        point=dict(chosen),
        verdict=verdict,
        value=_value(readings),
        baseline_value=_value(before),
        improvement=relative.gain / scale if relative else None,
        interval=(relative.low / scale, relative.high / scale) if relative else None,
        confidence=confidence,
        probability=comparison.probability if comparison else None,
        n_baseline=len(before),
        n_candidate=len(after),
        candidate=dict(candidate),
        differences=space.differences(baseline, candidate),
        explanation=_explained(verdict, case, confidence),
    )


def _compared(
    ledger: Ledger,
    baseline: Point,
    candidate: Point,
    readings: tuple[Sequence[Evaluation], Sequence[Evaluation]],
    surface: Surface | None,
    confidence: float,
) -> Comparison | None:
    if not all(readings):
        return None
    losses = [[each.loss for each in side] for side in readings]
    squares, freedom = ledger.repeats({key(baseline), key(candidate)})
    priors = [_noise(surface, mean(side), squares, freedom) for side in losses]
    expected = _expected(ledger, candidate, len(losses[1]))
    return compare(
        losses[0], losses[1], prior=(priors[0], priors[1]), expected=expected, confidence=confidence
    )


def _expected(ledger: Ledger, candidate: Point, readings: int) -> Expectation | None:
    """What the model believed of the candidate before it was verified; worth no more than twice the readings themselves."""
    first = next(iter(ledger.of(Purpose.verify)), None)
    if first is None or first.trial.predicted is None or first.trial.point != candidate:
        return None
    predicted = first.trial.predicted
    return Expectation(ledger.goal.objective.sign * predicted.mean, predicted.sd, _WORTH * readings)


def _noise(surface: Surface | None, loss: float, squares: float, freedom: int) -> Noise:
    """Noise of a reading near a loss: from repeated readings of other points, and the model's."""
    if surface is None:
        return Noise(squares, freedom)
    count, dimensions = surface.points.shape
    believed = min(max(0.0, (count - 2 * dimensions) / 4), _MODEL_FREEDOM)
    sd = surface.objective.noise_at(loss)
    return Noise(squares + believed * sd * sd, freedom + believed)


def _verdict(case: "_Case") -> Verdict:
    if not case.before:
        return "not measured"
    if not case.after or not case.kept:
        return "no improvement shown"
    shown = case.comparison is not None and case.comparison.low > 0
    return "improved" if shown or case.repaired else "no improvement shown"


def _keeping(readings: Sequence[Evaluation], surface: Surface | None, space: Space, point: Point) -> float:
    """Probability that a point keeps every SLO: by all that is known of it and its neighbours, or by its readings."""
    if surface is None or surface.believed(space.to_unit(point)) is None:
        return float(bool(readings) and _within(readings))
    return surface.feasible(space.to_unit(point))


def _within(readings: Sequence[Evaluation]) -> bool:
    """Whether mean readings keep every SLO."""
    return all(mean(each) <= 0 for each in zip(*(reading.excesses for reading in readings), strict=True))


def _value(readings: Sequence[Evaluation]) -> float | None:
    return mean([each.value for each in readings]) if readings else None


def _explained(verdict: Verdict, case: "_Case", confidence: float) -> str:
    if verdict == "not measured":
        return "The baseline could not be measured, so there is nothing to compare with."
    if not case.after:
        return "No other settings were found that are worth a comparison with the baseline."
    if not case.kept:
        return "The best settings found break an SLO when they are measured again; the baseline stays."
    if case.repaired:
        return "The baseline breaks an SLO and the candidate keeps them all."
    if case.comparison is None:
        return "Too few readings to tell the candidate from the baseline."
    return _compared_in_words(verdict, case, case.comparison, confidence)


def _compared_in_words(verdict: Verdict, case: "_Case", comparison: Comparison, confidence: float) -> str:
    counts = f"{len(case.after)} readings of the candidate against {len(case.before)} of the baseline"
    if not case.scale:
        return f"The candidate is better with a probability of {comparison.probability:.1%}: {counts}."
    gain, low, high, noise = (
        each / case.scale for each in (comparison.gain, comparison.low, comparison.high, comparison.pooled_sd)
    )
    interval = f"{low:+.1%} to {high:+.1%} at {confidence:.0%} confidence"
    if verdict == "improved":
        return f"The candidate is better by {gain:.1%} ({interval}): {counts}."
    return f"The difference, {gain:+.1%} ({interval}), is not told from noise of {noise:.1%} by {counts}."
