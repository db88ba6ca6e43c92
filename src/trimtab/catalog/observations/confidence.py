"""How sure a count is: a proportion with its interval, and what may be said of it.

The interval is Wilson's score interval (Wilson 1927): unlike the usual one it is right for few builds, and for none and all of them.
"""

from dataclasses import dataclass
from functools import cache
from math import sqrt
from statistics import NormalDist

__all__ = ["LEVEL", "TOO_FEW", "Proportion", "proportion"]

LEVEL = 0.95
TOO_FEW = "not enough builds to say"


@dataclass(frozen=True, slots=True)
class Proportion:
    """So many of so many.

    Args:
        n: How many.
        m: Of how many.
        rate: n / m; None of nothing.
        low: Least share that is plausible.
        high: Greatest one.
        level: With this probability an interval made so holds the true share.
    """

    n: int
    m: int
    rate: float | None
    low: float
    high: float
    level: float = LEVEL

    def __str__(self) -> str:
        return f"{self.n} of {self.m} ({self.low:.0%} to {self.high:.0%})"

    def exceeds(self, other: "Proportion") -> bool:
        """Whether it is greater, beyond what chance explains."""
        return self.low > other.high


def proportion(n: int, m: int, level: float = LEVEL) -> Proportion:
    """So many of so many, with Wilson's interval.

    Args:
        n: How many, not below 0.
        m: Of how many; of 0 the interval is from 0 to 1.
        level: Of the interval, between 0 and 1.
    """
    if m <= 0:
        return Proportion(0, 0, None, 0.0, 1.0, level)
    z = _quantile(level)
    rate, square = n / m, z * z
    middle = (rate + square / (2 * m)) / (1 + square / m)
    half = z / (1 + square / m) * sqrt(rate * (1 - rate) / m + square / (4 * m * m))
    low, high = (0.0 if n == 0 else middle - half), (1.0 if n == m else middle + half)
    return Proportion(n, m, round(rate, 4), round(max(low, 0.0), 4), round(min(high, 1.0), 4), level)


@cache
def _quantile(level: float) -> float:
    return NormalDist().inv_cdf(0.5 + level / 2)
