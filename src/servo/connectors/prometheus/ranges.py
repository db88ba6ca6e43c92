"""Ranges of time cut into pieces, so that no answer has more points than a server gives, or we want."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

__all__ = ["count_points", "pieces"]


def count_points(start: datetime, end: datetime, step: timedelta) -> int:
    """How many times a range query evaluates: at ``start``, and after each step up to ``end``."""
    return (end - start) // step + 1


def pieces(start: datetime, end: datetime, step: timedelta, most: int) -> Iterator[tuple[datetime, datetime]]:
    """Start and end of each piece of a range, in order.

    Together they evaluate at the very times at which the whole does, each once: a piece ends with its last evaluation
    (or, if that is its first, half a step later, for a range has to have a length), and the next starts a step after it.

    Args:
        start: The first evaluation.
        end: Nothing is evaluated after it.
        step: Between two evaluations.
        most: Evaluations of a piece.
    """
    left = count_points(start, end, step)
    while left > 0:
        count = min(left, most)
        yield start, start + (step * (count - 1) if count > 1 else step / 2)
        start += step * count
        left -= count
