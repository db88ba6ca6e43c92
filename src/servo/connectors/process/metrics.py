"""What is measured of an application."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from servo.types.core import DataPoint, Metric, Unit

METRICS = (
    Metric("cpu_seconds", Unit.float),
    Metric("cpu_cores", Unit.cores),
    Metric("memory_peak", Unit.bytes),
    Metric("restarts", Unit.count),
)
GROWING = frozenset({"cpu_seconds", "memory_peak", "restarts"})
"""Metrics that never become less during a measurement: once too much, always too much."""


def points(figures: Mapping[str, float], time: datetime) -> list[DataPoint]:
    """One point of each metric that has a figure."""
    return [DataPoint(metric, time, figures[metric.name]) for metric in METRICS if metric.name in figures]
