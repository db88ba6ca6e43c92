"""Two samples of one measure: by how much the second differs from the first, and whether chance would do as much.

Sources: Hodges and Lehmann (1963), the shift and its interval from the ordered differences of pairs; Cliff (1993), delta; Wilcoxon
(1945), the test. Test and intervals come from the same distribution of ranks, so that they do not contradict each other.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from trimtab.inspection.statistics.ranks import MAX_EXACT, rank_sum

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[np.float64]

__all__ = ["MAX_VALUES", "Shift", "least_p", "shift"]

MAX_VALUES = 1000
"""Of each sample, in pairs: of more, so many quantiles stand for them."""
_LARGEST_RATIO = 1e100


@dataclass(frozen=True, slots=True)
class Shift:
    """The second sample against the first.

    Args:
        n: Values of the first and of the second.
        medians: Of the first and of the second.
        difference_of_medians: Second less first, in the measure's unit.
        shift: The median of all differences between a value of the second and one of the first (Hodges and Lehmann).
        low: Lower end of the shift's interval; None if there are too few values for one.
        high: Upper end.
        ratio: The median of all ratios, second by first; None if a value is not more than 0.
        ratio_low: Lower end of its interval.
        ratio_high: Upper end.
        delta: Cliff's: how much likelier a value of the second is above one of the first than below it, from -1 to 1.
        p_value: Two-sided, of the exact test of ranks; roughly, for more than `MAX_EXACT` values.
        confidence: Of the intervals; they have at least that, if values have no ties.
    """

    n: tuple[int, int]
    medians: tuple[float, float]
    difference_of_medians: float
    shift: float
    low: float | None
    high: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    delta: float
    p_value: float
    confidence: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval is on one side."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "n": list(self.n), "medians": list(self.medians)}


def shift(first: Sequence[float], second: Sequence[float], confidence: float = 0.99) -> Shift:
    """Compare two samples of at least one finite value each."""
    import numpy as np

    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    few_a, few_b = _few(a), _few(b)
    differences = np.subtract.outer(few_b, few_a).ravel()
    middle, low, high = _middle(differences, len(few_a), len(few_b), confidence)
    ratios = np.divide.outer(few_b, few_a).ravel() if _have_ratios(a, b) else None
    ratio = _middle(ratios, len(few_a), len(few_b), confidence) if ratios is not None else (None, None, None)
    medians = float(np.median(a)), float(np.median(b))
    return Shift(
        n=(len(a), len(b)),
        medians=medians,
        difference_of_medians=medians[1] - medians[0],
        shift=float(middle),
        low=low,
        high=high,
        ratio=ratio[0],
        ratio_low=ratio[1],
        ratio_high=ratio[2],
        delta=float(np.sign(differences).mean()),
        p_value=rank_sum(first, second),
        confidence=confidence,
    )


@lru_cache(maxsize=256)
def least_p(n: int, other: int) -> float:
    """The least p-value that samples of these sizes can have: all values of one are above all of the other."""
    if n + other <= MAX_EXACT:
        return min(1.0, 2.0 / math.comb(n + other, n))
    return min(1.0, 2.0 * math.exp(math.lgamma(n + 1) + math.lgamma(other + 1) - math.lgamma(n + other + 1)))


def _have_ratios(*samples: "Array") -> bool:
    least, most = min(float(each.min()) for each in samples), max(float(each.max()) for each in samples)
    return least > 0 and most / least < _LARGEST_RATIO


def _few(values: "Array") -> "Array":
    import numpy as np

    if len(values) <= MAX_VALUES:
        return values
    return np.quantile(values, (np.arange(MAX_VALUES) + 0.5) / MAX_VALUES)


def _middle(
    pairs: "Array", n: int, other: int, confidence: float
) -> tuple[float, float | None, float | None]:
    """The median of the pairs' values, and the two between which the interval is."""
    import numpy as np

    ordered = np.sort(pairs)
    out = _left_out(n, other, round(1 - confidence, 12))
    if out is None:
        return float(np.median(ordered)), None, None
    return float(np.median(ordered)), float(ordered[out]), float(ordered[-1 - out])


@lru_cache(maxsize=256)
def _left_out(n: int, other: int, level: float) -> int | None:
    """How many values of pairs are outside at either end; None if even all of them are not enough."""
    import numpy as np

    if least_p(n, other) > level:
        return None
    if n + other > MAX_EXACT:
        from scipy.special import ndtri

        spread = math.sqrt(n * other * (n + other + 1) / 12)
        return max(0, math.floor(n * other / 2 + float(ndtri(level / 2)) * spread - 0.5))
    shares = np.cumsum(_counts(n, other)) / math.comb(n + other, n)
    return int(np.searchsorted(shares, level / 2 + 1e-12, "right")) - 1


def _counts(n: int, other: int) -> "Array":
    """How many divisions of n + other values have each number of pairs in the wrong order: Gauss's binomial coefficient."""
    import numpy as np

    found = np.zeros(n * other + 1)
    found[0] = 1
    for size in range(1, n + 1):
        up, down = other + size, size
        if up < len(found):
            found[up:] -= found[:-up].copy()
        for place in range(down, len(found)):
            found[place] += found[place - down]
    return found
