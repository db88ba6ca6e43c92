"""What an agent posts as a result, read with suspicion: a number that is none makes the trial fail, not the server."""

import json
import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from trimtab.optimizer.session_messages import Message, clean, finite
from trimtab.optimizer.trial import Outcome, Status

__all__ = ["is_ok", "read_failure", "read_measurement"]

MAX_METRICS = 256
MAX_NAME = 200
_FAILURES: dict[str, Status] = {"rejected": "rejected", "aborted": "aborted", "failed": "failed"}


def is_ok(message: Message) -> bool:
    """Whether the agent did what it was told."""
    return message.param.get("status") == "ok"


def read_failure(message: Message, *, seconds: float = 0.0) -> Outcome:
    """The outcome of a trial whose command did not succeed; a status out of the vocabulary is a failure."""
    posted = message.param.get("status")
    known = _FAILURES.get(posted) if isinstance(posted, str) else None
    reason, text = message.text("reason"), message.text("message") or ""
    if posted == "cancelled":
        return Outcome("lost", {}, {}, reason or "cancelled", text, seconds)
    if known is None:
        return Outcome(
            "failed", {}, {}, "unknown-status", f"the agent posted no known status: {text}", seconds
        )
    return Outcome(known, {}, {}, reason, text, seconds)


def read_measurement(message: Message, wanted: Collection[str], *, seconds: float = 0.0) -> Outcome:
    """The outcome of a trial whose measurement succeeded, as far as the agent is concerned.

    Args:
        message: MEASUREMENT with status ok.
        wanted: Metrics without which there is no outcome.
        seconds: How long the trial took.

    Returns:
        "failed", with what is missing, if a wanted metric is absent or not a finite number.
    """
    readings = dict(_readings(message.param.get("metrics")))
    metrics = {name: mean for name, (mean, _) in readings.items()}
    spread = {name: error for name, (_, error) in readings.items() if error is not None}
    spread |= {name: error for name, error in _annotated_spread(message).items() if name in metrics}
    if missing := sorted(set(wanted) - metrics.keys()):
        text = f"no finite value of {', '.join(missing)} was measured"
        return Outcome("failed", metrics, spread, "invalid-measurement", text, seconds)
    return Outcome("ok", metrics, spread, None, message.text("message") or "", seconds)


def _readings(metrics: object) -> Iterator[tuple[str, tuple[float, float | None]]]:
    """Mean and standard error of each metric that has a value."""
    if not isinstance(metrics, Mapping):
        return
    for name, reading in list(metrics.items())[:MAX_METRICS]:
        read = _reading(reading) if isinstance(reading, Mapping) else None
        if read is not None:
            yield clean(str(name), MAX_NAME), read


def _reading(reading: Mapping[str, Any]) -> tuple[float, float | None] | None:
    if "values" not in reading:
        value = finite(reading.get("value"))
        return None if value is None else (value, None)
    points = list(_points(reading["values"]))
    if not points or None in points:
        return None
    return _summary([point for point in points if point is not None])


def _points(series: object) -> Iterator[float | None]:
    """The values of all series of a metric; None for what is not a finite number."""
    for each in series if isinstance(series, list) else ():
        data = each.get("data") if isinstance(each, Mapping) else None
        for point in data if isinstance(data, list) else ():
            yield finite(point[1]) if isinstance(point, list) and len(point) == 2 else None  # noqa: PLR2004 # time and value


def _summary(values: list[float]) -> tuple[float, float | None] | None:
    """Mean and its standard error; None if they are beyond what a float holds."""
    count = len(values)
    try:
        mean = math.fsum(values) / count
        squares = math.fsum((value - mean) ** 2 for value in values)
    except OverflowError:
        return None
    return mean, math.sqrt(squares / (count - 1) / count) if count > 1 else None


def _annotated_spread(message: Message) -> dict[str, float]:
    """Standard errors the connector states itself: it has seen each request, we have seen means of windows."""
    annotations = message.param.get("annotations")
    if not isinstance(annotations, Mapping):
        return {}
    # Of annotations of one name only one connector's survives: a second states its own as `spread.<connector>`.
    names = [name for name in list(annotations)[:MAX_METRICS] if str(name).partition(".")[0] == "spread"]
    return {metric: error for name in names for metric, error in _stated_errors(annotations[name])}


def _stated_errors(stated: object) -> Iterator[tuple[str, float]]:
    if isinstance(stated, str):
        stated = _parse(stated)
    if not isinstance(stated, Mapping):
        return
    for name, value in list(stated.items())[:MAX_METRICS]:
        error = finite(value)
        if error is not None and error >= 0:
            yield clean(str(name), MAX_NAME), error


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
