"""When each request is meant to be sent, decided before anything is sent.

An open loop never asks the application whether it is ready: what it does not answer in time waits, and the
wait counts. A client that sends the next request only after the last answer hides exactly the moments that
hurt (coordinated omission).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_FUZZ = 1e-9  # 0.3 s at 10/s is three requests, though 0.3 * 10 may be a little more than three


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of time with one rate.

    Attributes:
        rate: Requests per second; 0 sends none.
        duration: Seconds.
        measured: Whether what is sent in it counts (a warm-up does not).
    """

    rate: float
    duration: float
    measured: bool = True


def starts(phases: Sequence[Phase]) -> list[float]:
    """Offset in seconds at which each phase starts, and last the one at which all end."""
    offsets = [0.0]
    for phase in phases:
        offsets.append(offsets[-1] + phase.duration)
    return offsets


def arrivals(
    phases: Sequence[Phase], *, shard: int = 0, shards: int = 1, poisson: bool = False, seed: int = 0
) -> Iterator[float]:
    """Offsets in seconds, ascending, at which one of several generators sends its share of the requests.

    Args:
        phases: What to send, in order.
        shard: Which of the generators this is, from 0.
        shards: How many share the load.
        poisson: Draw exponential gaps (independent users) instead of equal ones.
        seed: Of the random gaps; each shard derives its own.
    """
    if poisson:
        return _random(phases, shards, random.Random(f"{seed}:{shard}"))  # noqa: S311 - load, not secrets
    return _even(phases, shard, shards)


def _even(phases: Sequence[Phase], shard: int, shards: int) -> Iterator[float]:
    turn = 0
    for phase, (begin, _) in zip(phases, pairwise(starts(phases)), strict=True):
        count = math.ceil(phase.rate * phase.duration - _FUZZ)
        # Multiplying keeps the rate exact over hours, where adding up gaps drifts.
        for number in range((shard - turn) % shards, count, shards):
            yield begin + number / phase.rate
        turn = (turn + count) % shards


def _random(phases: Sequence[Phase], shards: int, source: random.Random) -> Iterator[float]:
    for phase, (begin, end) in zip(phases, pairwise(starts(phases)), strict=True):
        if phase.rate <= 0:
            continue
        offset = begin + source.expovariate(phase.rate / shards)
        while offset < end:
            yield offset
            offset += source.expovariate(phase.rate / shards)
