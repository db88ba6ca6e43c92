"""Figures of a load: what is reported as metrics, and how sure each one is."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence

from servo.connectors.load.tally import Tally, total

_MILLISECONDS = 1000.0
_FEW = 2

FIGURES: Mapping[str, Callable[[Tally], float]] = {
    "throughput": lambda tally: tally.throughput,
    "error_rate": lambda tally: tally.error_rate,
    "latency_mean": lambda tally: tally.latency_mean * _MILLISECONDS,
    "latency_p50": lambda tally: tally.percentile(50) * _MILLISECONDS,
    "latency_p90": lambda tally: tally.percentile(90) * _MILLISECONDS,
    "latency_p95": lambda tally: tally.percentile(95) * _MILLISECONDS,
    "latency_p99": lambda tally: tally.percentile(99) * _MILLISECONDS,
    "latency_max": lambda tally: tally.latency_max * _MILLISECONDS if tally.recorded else math.nan,
}
"""Name of each metric and how it follows from a tally: per second, percent, milliseconds."""


def figures(tally: Tally) -> dict[str, float]:
    """All figures of a tally that exist: without any latency there are no latencies."""
    values = {name: figure(tally) for name, figure in FIGURES.items()}
    return {name: value for name, value in values.items() if math.isfinite(value)}


def spread(batches: Sequence[Tally]) -> dict[str, float]:
    """Standard error of each figure over the whole, estimated from the same figure of its batches.

    Neighbouring requests resemble each other, so single latencies would make the error look far too small;
    the means of batches are nearly independent. A figure that some batch lacks has no estimate.
    """
    if len(batches) < _FEW:
        return {}
    columns = {name: [figure(batch) for batch in batches] for name, figure in FIGURES.items()}
    return {
        name: statistics.stdev(values) / math.sqrt(len(values))
        for name, values in columns.items()
        if all(map(math.isfinite, values))
    }


def by_phase(batches: Sequence[Tally]) -> list[Tally]:
    """The batches of each phase added up, in order."""
    phases = sorted({batch.phase for batch in batches})
    return [total([batch for batch in batches if batch.phase == phase]) for phase in phases]
