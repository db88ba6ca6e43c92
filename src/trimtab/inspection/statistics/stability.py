"""Whether the runs of a batch are all alike: drift over their order, two clusters, single values far from the rest.

Each is a criterion with a stated rate of false alarms, held by a test: a batch of ordinary noise must not be called unstable.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from trimtab.inspection.statistics.ranks import trend

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[np.float64]

__all__ = ["DRIFT_LEVEL", "MIN_RUNS", "OUTLIER_LEVEL", "Stability", "stability"]

MIN_RUNS = 5
"""With fewer nothing is tested: no order of 4 values is rare enough."""
DRIFT_LEVEL = 0.02
"""Of Kendall's test: five runs that rise all the way have 0.017."""
OUTLIER_LEVEL = 0.01
"""Of Grubbs's test, for all values of the measure together."""

# Found by simulation at 5 to 50 runs of normal, log-normal (sd 0.5), uniform and exponential noise: at most about 1 % have such a gap.
_GAP_BY_RUNS = 66.0
_LEAST_GAP = 1.3
_LEAST_SHARE = 0.2  # of the runs in the smaller cluster; fewer are outliers
_LEAST_RELATIVE_GAP = 0.02
_LEAST_VALUES = 4  # different ones: fewer may be a coarse clock


@dataclass(frozen=True, slots=True)
class Stability:
    """What was found in one measure.

    Args:
        tested: Whether there were enough runs.
        drift: Kendall's tau of value and order if it drifts, from -1 (falls all the way) to 1; else None.
        drift_p: The p-value of the trend; None if not tested.
        clusters: Medians of the lower and the upper cluster if there are two; else None.
        outliers: Places of the outliers in the order of the runs.
    """

    tested: bool
    drift: float | None = None
    drift_p: float | None = None
    clusters: tuple[float, float] | None = None
    outliers: tuple[int, ...] = ()

    @property
    def is_stable(self) -> bool:
        """Whether nothing was found; also where nothing was tested."""
        return self.drift is None and self.clusters is None and not self.outliers

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "tested": self.tested,
            "drift": self.drift,
            "drift_p": self.drift_p,
            "clusters": list(self.clusters) if self.clusters else None,
            "outliers": list(self.outliers),
        }

    def warnings(self, measure: str) -> Iterator[str]:
        """What was found, in sentences."""
        if self.drift is not None:
            way = "rises" if self.drift > 0 else "falls"
            yield (
                f"{measure} {way} over the order of the runs (p = {self.drift_p:.2g}): the machine was not in a steady state; "
                "warm-up runs may help"
            )
        if self.clusters:
            low, high = self.clusters
            yield (
                f"{measure} has two clusters, about {low:.4g} and {high:.4g}: the median stands for neither, or for one of them"
            )
        if self.outliers:
            yield f"{measure} has {len(self.outliers)} outlier(s), in the order of the runs at {list(self.outliers)}"


def stability(values: Sequence[float]) -> Stability:
    """Test the values of one measure, in the order of the runs."""
    import numpy as np

    if len(values) < MIN_RUNS:
        return Stability(tested=False)
    array = np.asarray(values, dtype=float)
    array = array / (float(np.abs(array).max()) or 1.0)
    found = trend(values)
    tau = found.score / (len(values) * (len(values) - 1) / 2)
    split = _split(np.sort(array))
    clusters = None
    if split:
        ordered = np.sort(np.asarray(values, dtype=float))
        clusters = float(np.median(ordered[:split])), float(np.median(ordered[split:]))
    outliers = () if clusters else tuple(_outliers(array))
    return Stability(
        tested=True,
        drift=tau if found.p_value <= DRIFT_LEVEL else None,
        drift_p=found.p_value,
        clusters=clusters,
        outliers=outliers,
    )


def _split(ordered: "Array") -> int | None:
    """How many values are in the lower of two clusters; None if there are not two.

    The widest gap between neighbours that leaves a fifth of the values, and at least two, on either side is measured in standard
    deviations within the sides.
    """
    import numpy as np

    n = len(ordered)
    least = max(2, math.ceil(_LEAST_SHARE * n))
    gaps = np.diff(ordered)
    places = np.arange(least, n - least + 1)
    place = int(places[gaps[places - 1].argmax()])
    gap = float(gaps[place - 1])
    told = len(np.unique(ordered)) >= _LEAST_VALUES and gap > _LEAST_RELATIVE_GAP * abs(
        float(np.median(ordered))
    )
    return place if told and gap > max(_LEAST_GAP, _GAP_BY_RUNS / n) * _within(ordered, place) else None


def _within(ordered: "Array", place: int) -> float:
    sides = ordered[:place], ordered[place:]
    return math.sqrt(sum(float(((side - side.mean()) ** 2).sum()) for side in sides) / (len(ordered) - 2))


def _outliers(values: "Array") -> list[int]:
    """Places of values that Rosner's test finds; at most a fifth of them."""
    remaining, found, told = _Remaining(values), [], 0
    for _ in range(max(1, len(values) // 5)):
        if remaining.low == remaining.high:
            break
        far, limit = remaining.distance, _grubbs(remaining.count) * remaining.deviation
        found.append(remaining.take())
        if far > limit:
            told = len(found)
    return sorted(found[:told])


class _Remaining:
    """Values of which the one that is farthest from the mean is taken, again and again.

    It is the lowest or the highest, so of the sorted values what remains is always without a gap. Sums go outwards from the
    middle, that what is taken leaves nothing of its rounding behind.
    """

    def __init__(self, values: "Array") -> None:
        import numpy as np

        places = np.arange(len(values))
        # Of equal values the first in the order of the runs goes first, at either end.
        self._rising: list[int] = np.lexsort((places, values)).tolist()
        self._falling: list[int] = np.lexsort((places, -values)).tolist()
        ordered = np.sort(values)
        middle = len(ordered) // 2
        self._center = float(ordered[middle])
        left, right = (ordered[:middle] - self._center)[::-1], ordered[middle:] - self._center
        self._left, self._right = _sums(left), _sums(right)
        self._ordered: list[float] = ordered.tolist()
        self._begin, self._end, self._middle = 0, len(ordered), middle

    @property
    def count(self) -> int:
        """How many there are."""
        return self._end - self._begin

    @property
    def low(self) -> float:
        """The lowest of them."""
        return self._ordered[self._begin]

    @property
    def high(self) -> float:
        """The highest."""
        return self._ordered[self._end - 1]

    @property
    def distance(self) -> float:
        """How far the farthest is from the mean."""
        mean = self._center + self._total(0) / self.count
        return max(mean - self.low, self.high - mean)

    @property
    def deviation(self) -> float:
        """Their standard deviation."""
        total = self._total(0)
        return math.sqrt(max(0.0, self._total(1) - total * total / self.count) / (self.count - 1))

    def take(self) -> int:
        """Remove the farthest; its place in the order of the runs."""
        mean = self._center + self._total(0) / self.count
        lowest, highest = self._rising[self._begin], self._falling[len(self._ordered) - self._end]
        below, above = mean - self.low, self.high - mean
        if below > above or (below == above and lowest < highest):
            self._begin += 1
            return lowest
        self._end -= 1
        return highest

    def _total(self, power: int) -> float:
        return self._left[power][self._middle - self._begin] + self._right[power][self._end - self._middle]


def _sums(values: "Array") -> tuple[list[float], list[float]]:
    """Of the first n values, and of their squares, for each n from 0 on."""
    import numpy as np

    first, second = (np.concatenate(([0.0], np.cumsum(each))).tolist() for each in (values, values * values))
    return first, second


@lru_cache(maxsize=4096)  # all measures of a batch have as many values
def _grubbs(n: int) -> float:
    """The distance, in standard deviations, that the farthest of n normal values passes once in a hundred samples."""
    from scipy.special import stdtrit

    t = float(stdtrit(n - 2, OUTLIER_LEVEL / (2 * n)))
    return (n - 1) / math.sqrt(n) * math.sqrt(t * t / (n - 2 + t * t))
