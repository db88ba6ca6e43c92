"""Is the candidate better than the baseline, and how sure are we: statistics of repeated readings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trimtab.optimizer.space import Point, Value

__all__ = ["Comparison", "Recommendation", "Verdict", "compare"]

Verdict = Literal["improved", "no improvement shown", "not measured"]


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
    prior_sd: float | None = None,
    prior_freedom: float = 0.0,
    confidence: float = 0.95,
) -> Comparison | None:
    """Compare readings by Welch's interval, each variance moderated by what is known of the noise otherwise.

    Args:
        baseline: Readings, to be minimised.
        candidate: The same.
        prior_sd: Standard deviation of a reading, as known from repeated readings of other points.
        prior_freedom: Degrees of freedom behind it. Variances are shrunk towards it in proportion
            (Smyth 2004, "moderated t").
        confidence: Of the two-sided interval.

    Returns:
        None if there is no reading of one of them, or nothing is known of the noise.
    """
    from scipy.stats import t

    if not baseline or not candidate:
        return None
    sides = [_moderated(sample, prior_sd, prior_freedom) for sample in (baseline, candidate)]
    if any(freedom <= 0 for _, freedom in sides):
        return None
    errors = [variance / len(s) for (variance, _), s in zip(sides, (baseline, candidate), strict=True)]
    gain = _mean(baseline) - _mean(candidate)
    error = math.sqrt(sum(errors))
    pooled = math.sqrt(sum(variance for variance, _ in sides) / 2)
    if error == 0:
        return Comparison(gain, gain, gain, 0.5 if gain == 0 else float(gain > 0), 0.0)
    freedom = sum(errors) ** 2 / sum(e * e / f for e, (_, f) in zip(errors, sides, strict=True))
    reach = float(t.ppf(0.5 + confidence / 2, freedom)) * error
    return Comparison(gain, gain - reach, gain + reach, float(t.cdf(gain / error, freedom)), pooled)


def _moderated(sample: Sequence[float], prior_sd: float | None, prior_freedom: float) -> tuple[float, float]:
    """The variance of one reading, and its degrees of freedom."""
    mean, own = _mean(sample), len(sample) - 1
    squares = sum((reading - mean) ** 2 for reading in sample)
    freedom = own + (prior_freedom if prior_sd is not None else 0.0)
    if freedom <= 0:
        return 0.0, 0.0
    return (squares + (prior_freedom * prior_sd**2 if prior_sd is not None else 0.0)) / freedom, freedom


def _mean(sample: Sequence[float]) -> float:
    return math.fsum(sample) / len(sample)
