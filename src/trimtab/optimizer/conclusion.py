"""What a study has shown: candidate against baseline, and in words how sure that is."""

import math
from collections.abc import Sequence

from trimtab.optimizer.gaussian.landscape import Surface
from trimtab.optimizer.ledger import Ledger, key, mean
from trimtab.optimizer.objective import Evaluation
from trimtab.optimizer.space import Point, Space
from trimtab.optimizer.trial import Purpose
from trimtab.optimizer.verdict import Comparison, Expectation, Noise, Recommendation, Verdict, compare

__all__ = ["CONFIDENCE", "concluded"]

CONFIDENCE = 0.95
_MODEL_FREEDOM = 8.0
_MORE_LIKELY_THAN_NOT = 0.5


def concluded(
    ledger: Ledger, space: Space, baseline: Point, candidate: Point, surface: Surface | None, confidence: float
) -> Recommendation:
    """Compare the candidate's readings of verification with all of the baseline's.

    The candidate's earlier readings do not count: it was chosen because they were good.
    """
    before = ledger.at(baseline)
    after = [] if candidate == baseline else ledger.at(candidate, {Purpose.verify})
    comparison = _compared(ledger, baseline, candidate, (before, after), surface, confidence)
    kept = _keeps(after, surface, space, candidate)
    verdict = _verdict(before, after, comparison, kept)
    chosen, readings = (candidate, after) if verdict == "improved" else (baseline, before)
    scale = abs(mean([each.loss for each in before])) if before else 0.0
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
        explanation=_explained(verdict, kept, before, after, comparison, scale, confidence),
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
    return compare(losses[0], losses[1], prior=(priors[0], priors[1]), expected=expected, confidence=confidence)


def _expected(ledger: Ledger, candidate: Point, readings: int) -> Expectation | None:
    """What the model believed of the candidate before it was verified; worth no more than the readings themselves."""
    first = next(iter(ledger.of(Purpose.verify)), None)
    if first is None or first.trial.predicted is None or first.trial.point != candidate:
        return None
    predicted = first.trial.predicted
    return Expectation(ledger.goal.objective.sign * predicted.mean, predicted.sd, float(readings))


def _noise(surface: Surface | None, loss: float, squares: float, freedom: int) -> Noise:
    """Noise of a reading near a loss: from repeated readings of other points, and the model's."""
    if surface is None:
        return Noise(squares, freedom)
    count, dimensions = surface.points.shape
    believed = min(max(0.0, (count - 2 * dimensions) / 4), _MODEL_FREEDOM)
    sd = surface.objective.noise_at(loss)
    return Noise(squares + believed * sd * sd, freedom + believed)


def _verdict(
    before: Sequence[Evaluation], after: Sequence[Evaluation], comparison: Comparison | None, kept: bool
) -> Verdict:
    if not before:
        return "not measured"
    if not after or not kept:
        return "no improvement shown"
    if not _within(before):
        return "improved"
    return "improved" if comparison is not None and comparison.low > 0 else "no improvement shown"


def _keeps(readings: Sequence[Evaluation], surface: Surface | None, space: Space, point: Point) -> bool:
    """Whether a point keeps every SLO: by all that is known of it and its neighbours, or else by its readings."""
    if surface is None or surface.believed(space.to_unit(point)) is None:
        return bool(readings) and _within(readings)
    return surface.feasible(space.to_unit(point)) >= _MORE_LIKELY_THAN_NOT


def _within(readings: Sequence[Evaluation]) -> bool:
    """Whether mean readings keep every SLO."""
    return all(mean(each) <= 0 for each in zip(*(reading.excesses for reading in readings), strict=True))


def _value(readings: Sequence[Evaluation]) -> float | None:
    return mean([each.value for each in readings]) if readings else None


def _explained(
    verdict: Verdict,
    kept: bool,
    before: Sequence[Evaluation],
    after: Sequence[Evaluation],
    comparison: Comparison | None,
    scale: float,
    confidence: float,
) -> str:
    if verdict == "not measured":
        return "The baseline could not be measured, so there is nothing to compare with."
    if not after:
        return "No other settings were found that are worth a comparison with the baseline."
    if not kept:
        return "The best settings found break an SLO when they are measured again; the baseline stays."
    if not _within(before):
        return "The baseline breaks an SLO and the candidate keeps them all."
    if comparison is None:
        return "Too few readings to tell the candidate from the baseline."
    counts = f"{len(after)} readings of the candidate against {len(before)} of the baseline"
    if not scale:
        return f"The candidate is better with a probability of {comparison.probability:.1%}: {counts}."
    low, high = comparison.low / scale, comparison.high / scale
    interval = f"{low:+.1%} to {high:+.1%} at {confidence:.0%} confidence"
    if verdict == "improved":
        return f"The candidate is better by {comparison.gain / scale:.1%} ({interval}): {counts}."
    noise = comparison.pooled_sd / scale
    if not math.isfinite(noise):
        return f"The difference is not distinguishable from noise: {counts}."
    return (
        f"The difference, {comparison.gain / scale:+.1%} ({interval}), is not told from noise of {noise:.1%} by {counts}."
    )
