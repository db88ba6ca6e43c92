"""CPU and memory of an application: of all its processes, also those that come and go meanwhile."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from itertools import pairwise

import psutil

from servo.connectors.process.tree import descendants, processes

_BATCHES = 10
_FEW = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """A look at an application.

    Attributes:
        time: Seconds of the monotonic clock.
        cpu: CPU seconds used so far.
        memory: Resident bytes of all processes; pages that several of them share count once for each.
    """

    time: float
    cpu: float
    memory: int


def look(supervisor: int, watcher: int) -> tuple[float, int]:
    """CPU seconds and resident bytes of all that runs under a supervisor.

    A process that ended has left its CPU time with the one that waited for it, and that one with the next; so
    the living and what they waited for are all, and no sampling can miss a short-lived process.
    """
    cpu, memory = _waited_for(supervisor), 0
    for pid in descendants(supervisor, processes()) - {watcher}:
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                times = process.cpu_times()
                memory += process.memory_info().rss
        except psutil.Error:
            continue
        cpu += times.user + times.system + times.children_user + times.children_system
    return cpu, memory


def _waited_for(supervisor: int) -> float:
    try:
        times = psutil.Process(supervisor).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.children_user + times.children_system)


@dataclass(slots=True)
class Usage:
    """What was used during a measurement.

    Attributes:
        samples: Looks, in order of time.
        restarts: How often the application was started again because it had ended.
    """

    samples: list[Sample] = field(default_factory=list)
    restarts: int = 0

    @property
    def seconds(self) -> float:
        """Length of the measurement."""
        return self.samples[-1].time - self.samples[0].time if self.samples else 0.0

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds used."""
        return max(self.samples[-1].cpu - self.samples[0].cpu, 0.0) if self.samples else 0.0

    @property
    def cpu_cores(self) -> float:
        """Cores used on average."""
        return self.cpu_seconds / self.seconds if self.seconds > 0 else 0.0

    @property
    def memory_peak(self) -> int:
        """Most resident bytes of any look."""
        return max((sample.memory for sample in self.samples), default=0)

    def last(self, seconds: float) -> Usage:
        """What was used in the last seconds, from the sample before them on."""
        since = self.samples[-1].time - seconds if self.samples else 0.0
        before = [n for n, sample in enumerate(self.samples) if sample.time <= since]
        return Usage(self.samples[before[-1] if before else 0 :], self.restarts)

    def figures(self) -> dict[str, float]:
        """All metrics, by name."""
        return {
            "cpu_seconds": self.cpu_seconds,
            "cpu_cores": self.cpu_cores,
            "memory_peak": float(self.memory_peak),
            "restarts": float(self.restarts),
        }

    def spread(self) -> dict[str, float]:
        """Standard errors, from parts of the measurement; empty if there are too few samples."""
        rates = self._rates()
        if len(rates) < _FEW:
            return {}
        error = statistics.stdev(rates) / math.sqrt(len(rates))
        return {"cpu_cores": error, "cpu_seconds": error * self.seconds}

    def _rates(self) -> list[float]:
        stride = max(len(self.samples) // _BATCHES, 1)
        chosen = self.samples[::stride]
        return [max(b.cpu - a.cpu, 0.0) / (b.time - a.time) for a, b in pairwise(chosen) if b.time > a.time]
