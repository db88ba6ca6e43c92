"""What vegeta reports, and the metrics in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from pydantic import ConfigDict, Field

from servo.types.core import BaseModel, Metric, Reading, TimeSeries, Unit

__all__ = ["METRICS", "Latencies", "VegetaReport", "parse", "series"]

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_NANOSECONDS = 1e6
"""In a millisecond."""
_SECONDS = 60
"""In a minute."""
_WHOLE = 100.0


class Latencies(BaseModel):
    """Latencies of the requests so far, in nanoseconds; what a version of vegeta does not report is None."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    total: float | None = None
    mean: float | None = None
    p50: float | None = Field(default=None, alias="50th")
    p90: float | None = Field(default=None, alias="90th")
    p95: float | None = Field(default=None, alias="95th")
    p99: float | None = Field(default=None, alias="99th")
    max: float | None = None
    min: float | None = None


class VegetaReport(BaseModel):
    """What happened since the attack began.

    Args:
        latencies: How long the answers took.
        requests: How many were sent.
        rate: How many per second.
        throughput: Successful answers per second.
        success: Their share, 0 to 1.
        end: When the last answer was there.
        status_codes: Answers by status; 0 where there was none.
        errors: What went wrong, each message once.
    """

    latencies: Latencies = Field(default_factory=Latencies)
    requests: int = 0
    rate: float = 0.0
    throughput: float = 0.0
    success: float = 0.0
    end: datetime
    status_codes: dict[str, int] = Field(default_factory=dict)
    errors: list[str] | None = None

    @property
    def error_rate(self) -> float:
        """Failed requests, in percent."""
        return _WHOLE - _WHOLE * self.success


_FIGURES: Mapping[Metric, Callable[[VegetaReport], float | None]] = {
    Metric("throughput", Unit.requests_per_minute): lambda it: it.throughput * _SECONDS,
    Metric("error_rate", Unit.percentage): lambda it: it.error_rate,
    Metric("latency_total", Unit.milliseconds): lambda it: it.latencies.total,
    Metric("latency_mean", Unit.milliseconds): lambda it: it.latencies.mean,
    Metric("latency_50th", Unit.milliseconds): lambda it: it.latencies.p50,
    Metric("latency_90th", Unit.milliseconds): lambda it: it.latencies.p90,
    Metric("latency_95th", Unit.milliseconds): lambda it: it.latencies.p95,
    Metric("latency_99th", Unit.milliseconds): lambda it: it.latencies.p99,
    Metric("latency_max", Unit.milliseconds): lambda it: it.latencies.max,
    Metric("latency_min", Unit.milliseconds): lambda it: it.latencies.min,
}

METRICS = [*_FIGURES]
"""What is measured."""


def parse(line: str) -> VegetaReport | None:
    """Read a line of ``vegeta report -type json``; None if it says nothing yet.

    Raises:
        ValueError: It is no report.
    """
    text = _ESCAPE.sub("", line).strip()
    if not text:
        return None
    report = VegetaReport.model_validate_json(text)
    return report if report.requests else None


def series(reports: Sequence[VegetaReport], wanted: Collection[str] | None) -> list[Reading]:
    """A series of each metric, with a point for each report.

    Args:
        reports: In order.
        wanted: Names of metrics; all if there are none.
    """
    return [
        TimeSeries(metric, [(report.end, value) for report in reports if (value := _value(metric, report)) is not None])
        for metric in METRICS
        if not wanted or metric.name in wanted
    ]  # fmt: skip


def _value(metric: Metric, report: VegetaReport) -> float | None:
    value = _FIGURES[metric](report)
    return value / _NANOSECONDS if value is not None and metric.unit is Unit.milliseconds else value
