"""Whether the runs of a batch are all alike: drift over their order, two clusters, single values far from the rest.

Each is a criterion with a stated rate of false alarms, held by a test: a batch of ordinary noise must not be called unstable.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    import numpy as np

    places, found, told = np.arange(len(values)), [], 0
    for _ in range(max(1, len(values) // 5)):
        left = values[places]
        far = np.abs(left - left.mean())
        worst = int(far.argmax())
        if not float(np.ptp(left)) or float(far[worst]) <= 0:
            break
        found.append(int(places[worst]))
        if float(far[worst]) > _grubbs(len(left)) * float(left.std(ddof=1)):
            told = len(found)
        places = np.delete(places, worst)
    return sorted(found[:told])


def _grubbs(n: int) -> float:
    """The distance, in standard deviations, that the farthest of n normal values passes once in a hundred samples."""
    from scipy.special import stdtrit

    t = float(stdtrit(n - 2, OUTLIER_LEVEL / (2 * n)))
    return (n - 1) / math.sqrt(n) * math.sqrt(t * t / (n - 2 + t * t))
