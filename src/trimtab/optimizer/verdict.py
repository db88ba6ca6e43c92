"""Is the candidate better than the baseline, and how sure are we: statistics of repeated readings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trimtab.optimizer.space import Point, Value

__all__ = ["Comparison", "Expectation", "Noise", "Recommendation", "Verdict", "compare"]

_CONTRADICTION = 2.0

Verdict = Literal["improved", "no improvement shown", "not measured"]


@dataclass(frozen=True, slots=True)
class Noise:
    """What is known of the variance of a reading: a sum of squares over its degrees of freedom."""

    squares: float = 0.0
    freedom: float = 0.0


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was believed of the candidate before its readings: a mean, its sd, and what it is worth in readings at most."""

    mean: float
    sd: float
    most: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two samples of readings, to be minimised, one against the other.

    Args:
        gain: Mean of the baseline less mean of the candidate: more than 0 is better.
        low: Lower end of the gain's interval.
        high: Upper end.
        probability: That the gain is more than 0.
        pooled_sd: Of one reading.
    """

    gain: float
    low: float
    high: float
    probability: float
    pooled_sd: float


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What a study ends with.

    Args:
        point: What to set: the candidate if it is shown to be better, else the baseline.
        verdict: "improved" only if the whole interval is above 0.
        value: Mean of the objective at the point, in its own unit; None if not measured.
        baseline_value: The same of the baseline.
        improvement: Relative to the baseline; more than 0 is better whichever the direction; None if not measured.
        interval: Of the improvement, at `confidence`.
        confidence: Such as 0.95.
        probability: That the candidate is better.
        n_baseline: How many readings of the baseline it stands on.
        n_candidate: How many of the candidate.
        candidate: The best point found, even if it is not shown to be better.
        differences: Between baseline and candidate: name → (baseline, candidate).
        explanation: In sentences.
    """

    point: Point
    verdict: Verdict
    value: float | None
    baseline_value: float | None
    improvement: float | None
    interval: tuple[float, float] | None
    confidence: float
    probability: float | None
    n_baseline: int
    n_candidate: int
    candidate: Point
    differences: dict[str, tuple[Value, Value]]
    explanation: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return values | {
            "interval": list(self.interval) if self.interval else None,
            "differences": {name: list(pair) for name, pair in self.differences.items()},
        }


def compare(
    baseline: Sequence[float],
    candidate: Sequence[float],
    *,
    prior: tuple[Noise, Noise] = (Noise(), Noise()),
    expected: Expectation | None = None,
    confidence: float = 0.95,
) -> Comparison | None:
    """Compare readings by Welch's interval, each variance moderated by what is known of the noise otherwise.

    Args:
        baseline: Readings, to be minimised.
        candidate: The same.
        prior: Noise of a reading of each, as known from repeated readings of other points; pooled with the side's own
            (Smyth 2004, "moderated t").
        expected: Of the candidate, counted as some readings more; not at all if the candidate's readings contradict
            it, for then what was believed rests on something that did not repeat itself.
        confidence: Of the two-sided interval.

    Returns:
        None if there is no reading of one of them, or nothing is known of the noise.
    """
    from scipy.special import stdtr, stdtrit  # Student's t; scipy.stats takes a second to import

    if not baseline or not candidate:
        return None
    sides = [_pooled(sample, noise) for sample, noise in zip((baseline, candidate), prior, strict=True)]
    known = [side for side in sides if side[1] > 0]
    if not known:
        return None
    # A side with a single reading and nothing else known of it is taken to be as noisy as the other.
    sides = [side if side[1] > 0 else known[0] for side in sides]
    after, weight = _mean(candidate), float(len(candidate))
    if expected is not None and _agree(expected, after, sides[1][0] / weight):
        worth = min(expected.most, sides[1][0] / max(expected.sd, 1e-300) ** 2)
        after = (after * weight + expected.mean * worth) / (weight + worth)
        weight += worth
    errors = [sides[0][0] / len(baseline), sides[1][0] / weight]
    gain = _mean(baseline) - after
    error = math.sqrt(sum(errors))
    pooled = math.sqrt(sum(variance for variance, _ in sides) / 2)
    if error == 0:
        return Comparison(gain, gain, gain, 0.5 if gain == 0 else float(gain > 0), 0.0)
    freedom = sum(errors) ** 2 / sum(e * e / f for e, (_, f) in zip(errors, sides, strict=True))
    reach = float(stdtrit(freedom, 0.5 + confidence / 2)) * error
    return Comparison(gain, gain - reach, gain + reach, float(stdtr(freedom, gain / error)), pooled)


def _agree(expected: Expectation, mean: float, variance: float) -> bool:
    """Whether the mean of readings is where it was expected, give or take two standard deviations."""
    return abs(mean - expected.mean) <= _CONTRADICTION * math.hypot(expected.sd, math.sqrt(variance))


def _pooled(sample: Sequence[float], noise: Noise) -> tuple[float, float]:
    """The variance of one reading, and its degrees of freedom."""
    mean = _mean(sample)
    freedom = len(sample) - 1 + noise.freedom
    squares = math.fsum((reading - mean) ** 2 for reading in sample) + noise.squares
    return (squares / freedom, freedom) if freedom > 0 else (0.0, 0.0)


def _mean(sample: Sequence[float]) -> float:
    return math.fsum(sample) / len(sample)
