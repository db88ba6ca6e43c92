"""The median of a batch: how far it may be from that of all runs there could be, and how many runs would tell.

The interval is the percentile bootstrap's, at its limit of infinitely many resamples: for a median their distribution
follows from the order of the values (Maritz and Jarrett, 1978; Efron, 1982), so nothing is drawn and there is no seed. The percentile
method, and not BCa: BCa's acceleration comes from leaving out single values, and that does not work for medians (Efron and
Tibshirani, 1993, chapter 11.6).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[np.float64]

__all__ = ["MAX_MORE", "Interval", "interval", "more_runs"]

MAX_MORE = 10_000
"""Runs; more than a batch may have are not asked for."""
_MAX_PAIRS = 500


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the median is.

    Args:
        low: In the measure's unit.
        high: The same.
        confidence: What was asked for.
        attained: The most that so few values can give: with fewer than 6 it is below 0.95, whatever the method.
    """

    low: float
    high: float
    confidence: float
    attained: float

    def to_dict(self) -> dict[str, float]:
        """As JSON has it."""
        return {
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
            "attained": self.attained,
        }


def interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """The bootstrap's interval of the median; None for fewer than 2 values.

    Args:
        values: Of the runs, in any order.
        confidence: More than 0 and less than 1.
    """
    import numpy as np

    ordered = np.sort(np.asarray(values, dtype=float))
    n = len(ordered)
    if n < 2:  # noqa: PLR2004 - one value has no spread
        return None
    medians, shares = _bootstrap(ordered)
    cumulated = np.cumsum(shares)
    tail = (1 - confidence) / 2
    low = medians[int(np.searchsorted(cumulated, tail + 1e-12, "right"))]
    high = medians[min(int(np.searchsorted(cumulated, 1 - tail - 1e-12)), len(medians) - 1)]
    return Interval(float(low), float(high), confidence, min(confidence, 1 - 2.0 ** (1 - n)))


def more_runs(values: Sequence[float], half_width: float, confidence: float = 0.95) -> int | None:
    """How many more runs bring the interval to at most this half-width, if the spread stays as it is.

    The width goes with the root of the number of runs. It is an estimate from these runs, and as rough as they are few.

    Args:
        values: Of the runs.
        half_width: Relative to the median: 0.01 is one percent.
        confidence: Of the interval.

    Returns:
        At most `MAX_MORE`; 0 if it is settled; None if fewer than 3 runs or a median of 0 tell nothing.
    """
    import numpy as np

    found, n = interval(values, confidence), len(values)
    median = abs(float(np.median(values))) if found else 0.0
    if found is None or n < 3 or not median:  # noqa: PLR2004 - two values tell next to nothing of a spread
        return None
    now = (found.high - found.low) / 2 / median
    enough = math.ceil(1 - math.log2(1 - confidence))
    wanted = n * min((now / half_width) ** 2, float(MAX_MORE))
    return int(min(MAX_MORE, max(0, math.ceil(wanted - 1e-9) - n, enough - n)))


def _bootstrap(ordered: "Array") -> "tuple[Array, Array]":
    """Each median that a resample can have, rising, and how likely it is."""
    import numpy as np

    n = len(ordered)
    if n % 2 or n > _MAX_PAIRS:  # of many values the two in the middle are as good as one
        return ordered, np.diff(_at_most(n, n // 2 + 1), prepend=0.0)
    shares = _pairs(n)
    rows, columns = np.triu_indices(n)
    medians = (ordered[rows] + ordered[columns]) / 2
    order = np.argsort(medians, kind="stable")
    return medians[order], shares[rows, columns][order]


@lru_cache(maxsize=8)  # it depends on nothing else, and all measures of a batch have as many values
def _at_most(n: int, which: int) -> "Array":
    """How likely the `which`-th of a resample is at most the first, the second, … value of the sample."""
    import numpy as np
    from scipy.special import bdtrc

    found: Array = bdtrc(which - 1, n, np.arange(1, n + 1) / n)
    return found


@lru_cache(maxsize=2)
def _pairs(n: int) -> "Array":
    """How likely the two in the middle of a resample are the i-th and the j-th value of the sample; n is even."""
    import numpy as np

    half = n // 2
    shares = np.arange(n + 1) / n
    powers = np.diff(shares**half)
    found = math.comb(n, half) * np.outer(powers, powers[::-1])
    found = np.triu(found, 1)
    lower = np.diff(_at_most(n, half), prepend=0.0)
    found[np.diag_indices(n)] = lower - found.sum(axis=1)
    return np.clip(found, 0.0, 1.0)
