"""Whether a drift that goes on from one inspection into the next explains their difference.

The test of ranks takes runs for independent. A machine that grows slower from run to run makes the later inspection the slower one,
whatever was changed. Where one inspection was wholly after the other, a drift within them towards the difference takes the verdict away,
unless the difference is far more than the drift had run up to.
"""

import math
from collections.abc import Sequence

from trimtab.inspection.statistics.ranks import trend
from trimtab.inspection.statistics.runs import Reading

__all__ = ["LEVEL", "explains", "later"]

LEVEL = 0.1
"""One-sided, of the trend within both inspections together: so many of true differences are held back, too."""
_FAR_MORE = 2.0


def later(first: Sequence[Reading], second: Sequence[Reading]) -> int | None:
    """1 if the second inspection was after the first, -1 if before it, 0 if they overlap; None if that is not known."""
    times = [[each.started for each in runs if each.started is not None] for runs in (first, second)]
    if len(times[0]) < len(first) or len(times[1]) < len(second):
        return None
    if max(times[0]) < min(times[1]):
        return 1
    return -1 if max(times[1]) < min(times[0]) else 0


def explains(first: Sequence[float], second: Sequence[float], shift: float, after: int | None) -> bool:
    """Whether it may be a drift.

    Args:
        first: Values of one inspection, in the order of the runs.
        second: Of the other.
        shift: Second less first.
        after: What `later` says; if it is None, any drift counts.
    """
    if after == 0 or not shift:
        return False
    found = [trend(first), trend(second)]
    variance = sum(each.variance for each in found)
    if variance <= 0:
        return False
    strength = sum(each.score for each in found) / math.sqrt(variance)
    towards = abs(strength) if after is None else strength * after * math.copysign(1, shift)
    if math.erfc(towards / math.sqrt(2)) / 2 > LEVEL:
        return False
    run_up = abs(_slope(first, second)) * (len(first) + len(second)) / 2
    return abs(shift) <= _FAR_MORE * run_up


def _slope(*batches: Sequence[float]) -> float:
    """Theil and Sen's: the median of the slopes of all pairs within a batch."""
    import numpy as np

    slopes = []
    for values in batches:
        array = np.asarray(values, dtype=float)
        rows, columns = np.triu_indices(min(len(array), 500), 1)
        slopes.append((array[columns] - array[rows]) / (columns - rows))
    return float(np.median(np.concatenate(slopes)))
