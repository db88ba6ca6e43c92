"""What was counted in one stretch of time, in a form that adds up across processes."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from hdrh.histogram import HdrHistogram

HIGHEST_LATENCY = 3600.0
"""Seconds; longer waits are recorded as this."""

_MICROSECONDS = 1_000_000
_HIGHEST = int(HIGHEST_LATENCY * _MICROSECONDS)
_DIGITS = 3


def histogram() -> HdrHistogram:
    """An empty histogram of microseconds, 1 µs to an hour, exact to three digits."""
    return HdrHistogram(1, _HIGHEST, _DIGITS)


def clamp(seconds: float) -> int:
    """Whole microseconds that the histogram can hold."""
    return min(max(round(seconds * _MICROSECONDS), 1), _HIGHEST)


class Tally:
    """Counts of a stretch of time.

    Attributes:
        start: Seconds from the beginning of the load.
        end: The same.
        phase: Number of the phase it belongs to.
        measured: False for a warm-up.
        requests: Requests meant to be sent in it.
        succeeded: Of these, answered as expected.
        completed: Successful answers that arrived in it, whenever they were asked for.
        errors: Of the requests, those that failed, by kind.
        latency_sum: Seconds, over the recorded latencies.
        latency_max: Seconds.
        received: Bytes of response bodies.
    """

    __slots__ = (
        "completed",
        "end",
        "errors",
        "latencies",
        "latency_max",
        "latency_sum",
        "measured",
        "phase",
        "received",
        "requests",
        "start",
        "succeeded",
    )

    def __init__(self, start: float, end: float, *, phase: int = 0, measured: bool = True) -> None:
        self.start = start
        self.end = end
        self.phase = phase
        self.measured = measured
        self.requests = 0
        self.succeeded = 0
        self.completed = 0
        self.received = 0
        self.errors: Counter[str] = Counter()
        self.latency_sum = 0.0
        self.latency_max = 0.0
        self.latencies = histogram()

    def latency(self, seconds: float) -> None:
        """Record how long a request took."""
        self.latencies.record_value(clamp(seconds))
        self.latency_sum += seconds
        self.latency_max = max(self.latency_max, seconds)

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start

    @property
    def failed(self) -> int:
        """Number of requests that failed, of whatever kind."""
        return sum(self.errors.values())

    @property
    def recorded(self) -> int:
        """Number of recorded latencies."""
        return int(self.latencies.get_total_count())

    @property
    def throughput(self) -> float:
        """Successful answers per second."""
        return self.completed / self.duration if self.duration > 0 else 0.0

    @property
    def error_rate(self) -> float:
        """Share of the requests that failed, in percent; nothing asked is nothing failed."""
        decided = self.succeeded + self.failed
        return 100.0 * self.failed / decided if decided else 0.0

    @property
    def latency_mean(self) -> float:
        """Seconds; NaN without any latency."""
        return self.latency_sum / self.recorded if self.recorded else math.nan

    def percentile(self, percent: float) -> float:
        """Seconds within which `percent` of the requests were answered; NaN without any latency."""
        if not self.recorded:
            return math.nan
        # The bucket's upper edge may lie beyond the largest value that was seen.
        edge: float = self.latencies.get_value_at_percentile(percent) / _MICROSECONDS
        return min(edge, self.latency_max)

    def add(self, other: Tally) -> None:
        """Take in the counts of another tally, and reach over its time too."""
        self.start = min(self.start, other.start)
        self.end = max(self.end, other.end)
        for name in ("requests", "succeeded", "completed", "received", "latency_sum"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.errors.update(other.errors)
        self.latency_max = max(self.latency_max, other.latency_max)
        self.latencies.add(other.latencies)

    def dump(self) -> dict[str, Any]:
        """JSON-ready form; the histogram in its standard compressed encoding."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in {"errors", "latencies"}}
        return plain | {"errors": dict(self.errors), "latencies": self.latencies.encode().decode("ascii")}

    @classmethod
    def load(cls, document: dict[str, Any]) -> Tally:
        """The tally that was dumped."""
        tally = cls(document["start"], document["end"])
        for name in set(cls.__slots__) - {"errors", "latencies"}:
            setattr(tally, name, document[name])
        tally.errors = Counter(document["errors"])
        tally.latencies = HdrHistogram.decode(document["latencies"])
        return tally


def total(tallies: list[Tally]) -> Tally:
    """The sum of tallies, over the time they span together.

    Raises:
        ValueError: There is none.
    """
    if not tallies:
        raise ValueError("there is nothing to add up")
    first = tallies[0]
    result = Tally(first.start, first.end, phase=first.phase, measured=first.measured)
    for tally in tallies:
        result.add(tally)
    return result
