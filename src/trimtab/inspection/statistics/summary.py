"""What one measure was over the runs of a batch, in figures."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from trimtab.inspection.statistics.median import Interval, interval

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[np.float64]

__all__ = ["Summary", "summarise"]


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of amun.md 12.2, and the interval of the median. None is what so few values, or a zero, leave undefined.

    Args:
        n: Runs.
        median: Of the runs.
        q1: First quartile, interpolated linearly.
        q3: Third quartile.
        iqr: `q3 - q1`.
        mean: Of the runs.
        std: Standard deviation, with n - 1.
        std_error: Of the mean: `std / √n`.
        cov: `std / |mean|`.
        covm: `iqr / |median|`.
        min: The least.
        max: The most.
        skew: Fisher and Pearson's, adjusted for n; 0 if all values are the same.
        interval: Of the median.
    """

    n: int
    median: float
    q1: float
    q3: float
    iqr: float
    mean: float
    std: float | None
    std_error: float | None
    cov: float | None
    covm: float | None
    min: float
    max: float
    skew: float | None
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def summarise(values: Sequence[float], confidence: float = 0.95) -> Summary:
    """Figures of at least one value, none beyond `measures.LARGEST`.

    Args:
        values: Of the runs, in any order.
        confidence: Of the interval of the median.

    Raises:
        ValueError: There is no value.
    """
    import numpy as np

    if not len(values):
        raise ValueError("there is no run to summarise")
    array = np.asarray(values, dtype=float)
    q1, median, q3 = (float(each) for each in np.quantile(array, [0.25, 0.5, 0.75]))
    mean, std = float(array.mean()), _std(array)
    return Summary(
        n=len(array),
        median=median,
        q1=q1,
        q3=q3,
        iqr=q3 - q1,
        mean=mean,
        std=std,
        std_error=None if std is None else std / math.sqrt(len(array)),
        cov=_share(std, mean),
        covm=_share(q3 - q1, median),
        min=float(array.min()),
        max=float(array.max()),
        skew=_skew(array, std),
        interval=interval(values, confidence),
    )


def _std(values: "Array") -> float | None:
    """Exactly 0 of equal values, whatever their mean is rounded to."""
    if len(values) < 2:  # noqa: PLR2004 - n - 1 degrees of freedom
        return None
    return float(values.std(ddof=1)) if values.min() < values.max() else 0.0


def _skew(values: "Array", std: float | None) -> float | None:
    n = len(values)
    if n < 3 or std is None:  # noqa: PLR2004 - the adjustment divides by n - 2
        return None
    if not std:
        return 0.0
    standard = (values - values.mean()) / std
    return float(n / (n - 1) / (n - 2) * (standard**3).sum())


def _share(part: float | None, whole: float) -> float | None:
    if part is None or not whole or not math.isfinite(part / abs(whole)):
        return None
    return part / abs(whole)
