"""From what was counted to what is reported."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from servo.connectors.load.configuration import LoadConfiguration, SustainedConfiguration
from servo.connectors.load.crew import Outcome
from servo.connectors.load.figures import by_phase, figures, spread
from servo.connectors.load.saturation import Saturation
from servo.connectors.load.tally import Tally
from servo.types.api import Measurement
from servo.types.core import DataPoint, Metric, Reading, TimeSeries, Unit

SUSTAINED = "throughput_sustained"

METRICS = (
    Metric("throughput", Unit.requests_per_second),
    Metric("error_rate", Unit.percentage),
    Metric("latency_mean", Unit.milliseconds),
    Metric("latency_p50", Unit.milliseconds),
    Metric("latency_p90", Unit.milliseconds),
    Metric("latency_p95", Unit.milliseconds),
    Metric("latency_p99", Unit.milliseconds),
    Metric("latency_max", Unit.milliseconds),
)


def metrics(config: LoadConfiguration) -> list[Metric]:
    """What a load of this configuration measures."""
    extra = [Metric(SUSTAINED, Unit.requests_per_second)] if config.steps else []
    return [*METRICS, *extra]


def points(tally: Tally, time: datetime) -> dict[str, Sequence[Reading]]:
    """One point of each metric that exists."""
    values = figures(tally)
    return {
        metric.name: [DataPoint(metric, time, values[metric.name])]
        for metric in METRICS
        if metric.name in values
    }


def measurement(
    config: LoadConfiguration,
    outcome: Outcome,
    total: Tally,
    saturation: Saturation,
    *,
    wanted: Collection[str] | None,
    ended: datetime,
) -> Measurement:
    """What is reported of a load.

    By default each metric is one point over the whole measurement, for a percentile of the whole is not the mean
    of the percentiles of its parts; how far it may be off is in the annotation `spread`.

    Args:
        config: What was configured.
        outcome: What came of it.
        total: All that counts of it.
        saturation: How the generator itself did.
        wanted: Names of the metrics to report; all by default.
        ended: When it ended.
    """
    readings = _series(config, outcome, ended) if config.series else _points(config, outcome, total, ended)
    kept = [reading for reading in readings if not wanted or reading.metric.name in wanted]
    return Measurement(readings=kept, annotations=_annotations(config, outcome, total, saturation))


def _points(config: LoadConfiguration, outcome: Outcome, total: Tally, ended: datetime) -> list[Reading]:
    readings = [reading for found in points(total, ended).values() for reading in found]
    if config.steps:
        value = sustained(by_phase(outcome.measured), config.steps, config.sustained)
        readings.append(DataPoint(Metric(SUSTAINED, Unit.requests_per_second), ended, value))
    return readings


def _series(config: LoadConfiguration, outcome: Outcome, ended: datetime) -> list[Reading]:
    parts = by_phase(outcome.measured) if config.steps else outcome.measured
    last = parts[-1].end
    timed = [(ended - timedelta(seconds=last - part.end), figures(part)) for part in parts]
    readings: list[Reading] = [
        TimeSeries(metric, [(time, values[metric.name]) for time, values in timed if metric.name in values])
        for metric in METRICS
    ]
    if config.steps:
        value = sustained(parts, config.steps, config.sustained)
        readings.append(TimeSeries(Metric(SUSTAINED, Unit.requests_per_second), [(ended, value)]))
    return readings


def sustained(steps: Sequence[Tally], rates: Sequence[float], wanted: SustainedConfiguration) -> float:
    """Throughput of the highest step up to which, in order of the rates, every step was sustained; 0 if none was."""
    best = 0.0
    for rate, step in sorted(zip(rates, steps, strict=True), key=lambda pair: pair[0]):
        if not is_sustained(step, rate, wanted):
            break
        best = step.throughput
    return best


def is_sustained(step: Tally, rate: float, wanted: SustainedConfiguration) -> bool:
    """Whether the application kept up with a step."""
    slow = wanted.latency_p99 is not None and not step.percentile(99) <= wanted.latency_p99.total_seconds()
    return step.throughput >= wanted.rate * rate and step.error_rate <= wanted.error_rate and not slow


def _annotations(
    config: LoadConfiguration, outcome: Outcome, total: Tally, saturation: Saturation
) -> dict[str, str]:
    found: dict[str, Any] = {"load": _summary(outcome, total, saturation)}
    if saturation.warnings:
        found["load_warnings"] = list(saturation.warnings)
    if config.steps:
        found["steps"] = _steps(config, config.steps, by_phase(outcome.measured))
    elif not config.series:
        found["spread"] = _rounded(spread(outcome.measured))
    return {name: json.dumps(value) for name, value in found.items() if value}


def _summary(outcome: Outcome, total: Tally, saturation: Saturation) -> dict[str, Any]:
    return {
        "requests": total.requests,
        "succeeded": total.succeeded,
        "errors": dict(total.errors),
        "bytes": total.received,
        "connections": outcome.connections,
        "retried": outcome.retried,
        **_rounded(
            {
                "waited_share": saturation.waited_share,
                "lag_p99_ms": saturation.lag_p99 * 1000,
                "lag_max_ms": saturation.lag_max * 1000,
                "cpu_share": saturation.cpu_share,
            }
        ),
    }


def _steps(config: LoadConfiguration, rates: Sequence[float], steps: Sequence[Tally]) -> list[dict[str, Any]]:
    return [
        {"rate": rate, **_rounded(figures(step)), "sustained": is_sustained(step, rate, config.sustained)}
        for rate, step in zip(rates, steps, strict=True)
    ]


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.6g}") for name, value in values.items()}
