"""Where a generator writes down what became of each request."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from servo.connectors.load.arrivals import Phase, starts
from servo.connectors.load.tally import Tally, clamp, histogram


class Recorder:
    """Tallies by intended time (for the result) and by time of completion (for the live reports).

    Times are seconds from the beginning of the load. What is recorded arrives in order of time, so a pointer
    that only moves forward finds the tally.

    Attributes:
        batches: Tallies of equal parts of each phase; a warm-up is one batch, marked as not measured.
        lag: Histogram (microseconds) of how late the generator itself was, over what is measured.
        waited: Requests that found all connections busy, over what is measured.
        retried: Requests sent again because a kept-alive connection had been closed.
        connections: Connections opened.
    """

    def __init__(self, phases: Sequence[Phase], batches: int = 10) -> None:
        self.batches = _divide(phases, batches)
        self.lag = histogram()
        self.waited = 0
        self.retried = 0
        self.connections = 0
        self._released = 0
        self._completed = 0
        self._live = Tally(0.0, 0.0)

    def released(self, intended: float) -> Tally:
        """Count a request, and say where its outcome belongs."""
        while intended >= self.batches[self._released].end and self._released + 1 < len(self.batches):
            self._released += 1
        batch = self.batches[self._released]
        batch.requests += 1
        self._live.requests += 1
        return batch

    def late(self, seconds: float, count: int) -> None:
        """Count requests released together, the first of which was due `seconds` ago."""
        if self.batches[self._released].measured:
            self.lag.record_value(clamp(seconds), count)

    def succeeded(self, batch: Tally, latency: float, now: float, received: int) -> None:
        """Record an answer as expected."""
        batch.succeeded += 1
        batch.received += received
        batch.latency(latency)
        completing = self._completing(now)
        if completing:
            completing.completed += 1
        self._live.completed += 1
        self._live.succeeded += 1
        self._live.latency(latency)

    def failed(self, batch: Tally, kind: str, waited: float | None = None) -> None:
        """Record a failure.

        Args:
            batch: Where the request belongs.
            kind: What went wrong.
            waited: Seconds, when it was given up: recorded among the latencies, so that giving up never
                improves a percentile.
        """
        for tally in (batch, self._live):
            tally.errors[kind] += 1
            if waited is not None:
                tally.latency(waited)

    def flush(self, now: float) -> Tally:
        """What was completed since the last flush."""
        live, self._live = self._live, Tally(now, now)
        live.end = max(now, live.start)
        live.measured = self.batches[self._at(live.start)].measured
        return live

    def restart_live(self, now: float) -> None:
        """Forget what the next flush would have reported."""
        self._live = Tally(now, now)

    def _completing(self, now: float) -> Tally | None:
        while now >= self.batches[self._completed].end:
            if self._completed + 1 == len(self.batches):
                return None
            self._completed += 1
        return self.batches[self._completed]

    def _at(self, time: float) -> int:
        return next((i for i, batch in enumerate(self.batches) if time < batch.end), len(self.batches) - 1)


def _divide(phases: Sequence[Phase], parts: int) -> list[Tally]:
    return [
        Tally(
            begin + (end - begin) * part / (parts if phase.measured else 1),
            begin + (end - begin) * (part + 1) / (parts if phase.measured else 1),
            phase=number,
            measured=phase.measured,
        )
        for number, (phase, (begin, end)) in enumerate(zip(phases, pairwise(starts(phases)), strict=True))
        for part in range(parts if phase.measured else 1)
    ]
