"""Exact null distributions of ranks: of the rank sum of two samples, and of the order within one.

Sources: Streitberg and Röhmel, "Exact distributions for permutation and rank tests" (1986), the shift algorithm; Kendall,
"Rank correlation methods" (1948); the tie correction of the variance is in both fields' textbooks.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[np.float64]

__all__ = ["MAX_EXACT", "RankSum", "Trend", "rank_sum", "trend"]

MAX_EXACT = 60
"""Values up to which the distribution is counted; above it is the normal one, with a correction for ties."""

_FEW = 64  # values whose pairs are looked at one by one

RankSum: TypeAlias = float
"""The two-sided p-value of the rank sum: how often a division of the values at random is as uneven as the one given."""


def rank_sum(first: Sequence[float], second: Sequence[float]) -> RankSum:
    """Wilcoxon's test, Mann and Whitney's, conditional on the ties that there are; both samples have at least one value.

    Its level holds whatever the distribution of the values, if all come from the same one, independently.
    """
    import numpy as np

    doubled = _doubled_ranks(np.asarray([*first, *second], dtype=float))
    if len(doubled) > MAX_EXACT:
        return _rank_sum_roughly(doubled, len(first))
    counts = _sums(tuple(sorted(doubled.tolist())), min(len(first), len(second)))
    given = doubled[: len(first)] if len(first) <= len(second) else doubled[len(first) :]
    return _two_sided(counts, int(given.sum()))


def trend(values: Sequence[float]) -> "Trend":
    """Kendall's test of whether values rise or fall over their order."""
    import numpy as np

    array = np.asarray(values, dtype=float)
    n = len(array)
    score = _score(array)
    _, ties = np.unique(array, return_counts=True)
    variance = (_weight(n) - sum(_weight(int(each)) for each in ties)) / 18
    if n <= MAX_EXACT and len(ties) == n:
        return Trend(score, variance, _kendall(n, abs(score)))
    return Trend(score, variance, _normal_tails(max(0, abs(score) - 1), variance))


def _score(values: "Array") -> int:
    """Pairs that rise less pairs that fall: of each half, and of one with the other, for a batch may have ten thousand runs."""
    import numpy as np

    if len(values) <= _FEW:
        pairs = np.triu_indices(len(values), 1)
        first, second = values[pairs[0]], values[pairs[1]]
        return int((second > first).sum()) - int((second < first).sum())
    half = len(values) // 2
    left, right = values[:half], values[half:]
    ordered = np.sort(left)
    rising = int(np.searchsorted(ordered, right, "left").sum())
    falling = half * len(right) - int(np.searchsorted(ordered, right, "right").sum())
    return _score(left) + _score(right) + rising - falling


class Trend:
    """How values go over their order.

    Args:
        score: Pairs that rise less pairs that fall.
        variance: Of the score, if the order means nothing.
        p_value: Two-sided.
    """

    def __init__(self, score: int, variance: float, p_value: float) -> None:
        self.score = score
        self.variance = variance
        self.p_value = p_value


def _doubled_ranks(values: "Array") -> "npt.NDArray[np.int64]":
    """Twice the mean rank of each, so that ties have whole numbers, too."""
    import numpy as np

    ordered = np.sort(values)
    below, upto = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return (below + upto + 1).astype(np.int64)


@lru_cache(maxsize=256)
def _sums(doubled: tuple[int, ...], size: int) -> "Array":
    """How many subsets of that size have each sum."""
    import numpy as np

    counts = np.zeros((size + 1, sum(doubled[len(doubled) - size :]) + 1))
    counts[0, 0] = 1
    for rank in doubled:
        counts[1:, rank:] += counts[:-1, : counts.shape[1] - rank].copy()
    found: Array = counts[size]
    return found


def _two_sided(counts: "Array", given: int) -> float:
    """Twice the smaller tail, at most 1."""
    tail = min(counts[: given + 1].sum(), counts[given:].sum()) / counts.sum()
    return min(1.0, 2.0 * float(tail))


def _rank_sum_roughly(doubled: "npt.NDArray[np.int64]", n: int) -> float:
    total, other = len(doubled), len(doubled) - n
    variance = n * other / total * float(doubled.var(ddof=1))
    return _normal_tails(max(0.0, abs(float(doubled[:n].sum()) - n * (total + 1)) - 1), variance)


@lru_cache(maxsize=128)
def _inversions(n: int) -> "Array":
    """The share of orders of n values with each number of inversions."""
    import numpy as np

    shares = np.ones(1)
    for size in range(2, n + 1):
        shares = np.convolve(shares, np.full(size, 1 / size))
    return shares


def _kendall(n: int, score: int) -> float:
    shares = _inversions(n)
    most = n * (n - 1) // 2
    return min(1.0, 2.0 * float(shares[: (most - score) // 2 + 1].sum()))


def _weight(n: int) -> float:
    return n * (n - 1) * (2 * n + 5)


def _normal_tails(distance: float, variance: float) -> float:
    return math.erfc(distance / math.sqrt(2 * variance)) if variance > 0 else 1.0
