"""What the runs of an inspection say."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import stdev
from typing import Any

from servo.connectors.inspection.configuration import FigureConfiguration
from servo.types.core import DataPoint, Metric, TimeSeries, Unit

__all__ = ["METRICS", "measured", "metrics", "spread"]

METRICS = (
    Metric("duration", Unit.float),
    Metric("memory", Unit.bytes),
    Metric("error_rate", Unit.float),
)
_KIB = 1024


def metrics(figures: Mapping[str, FigureConfiguration]) -> list[Metric]:
    """All metrics."""
    return [*METRICS, *(Metric(name, each.unit) for name, each in figures.items())]


def measured(
    results: Sequence[Mapping[str, Any]],
    *,
    failed: int,
    figures: Mapping[str, FigureConfiguration],
    wanted: Iterable[str] | None = None,
) -> list[TimeSeries]:
    """A series for each metric that there are readings of.

    Args:
        results: Documents of the runs that succeeded.
        failed: How many did not.
        figures: Numbers that the script prints.
        wanted: Names of metrics; None: all.
    """
    now = datetime.now(UTC)
    values: dict[Metric, list[tuple[datetime, float]]] = {each: [] for each in metrics(figures)}
    for result in results:
        time = _moment(result.get("end_datetime")) or now
        for metric, points in values.items():
            number = _number(_value(metric.name, result, figures))
            if number is not None:
                points.append((time, number))
    total = len(results) + failed
    values[METRICS[2]] = [(now, failed / total)] if total else []
    names = None if not wanted else set(wanted)
    return [
        TimeSeries(metric, [DataPoint(metric, time, number) for time, number in points])
        for metric, points in values.items()
        if points and (names is None or metric.name in names)
    ]


def spread(series: Iterable[TimeSeries]) -> dict[str, float]:
    """The standard error of each metric's mean."""
    found = {}
    for each in series:
        values = [point.value for point in each.data_points]
        if len(values) > 1:
            found[each.metric.name] = stdev(values) / math.sqrt(len(values))
    return found


def _value(name: str, result: Mapping[str, Any], figures: Mapping[str, FigureConfiguration]) -> Any:
    if name == "duration":
        return _duration(result)
    if name == "memory":
        peak = _at(result, ("cgroup", "memory", "peak"))
        largest = _number(_at(result, ("usage", "ru_maxrss")))
        return peak if peak is not None else None if largest is None else largest * _KIB
    if name in figures:
        return _at(_printed(result), figures[name].key.split("."))
    return None


def _duration(result: Mapping[str, Any]) -> float | None:
    said = _number(result.get("duration"))
    begin, end = _moment(result.get("start_datetime")), _moment(result.get("end_datetime"))
    if said is not None or begin is None or end is None:
        return said
    return max(0.0, (end - begin).total_seconds())


def _printed(result: Mapping[str, Any]) -> Any:
    stdout = result.get("stdout")
    if isinstance(stdout, str):
        try:
            return json.loads(stdout)
        except (ValueError, RecursionError):
            return None
    return stdout


def _at(value: Any, keys: Iterable[str]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found
