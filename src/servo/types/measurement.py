"""A measurement, and the form in which optimizers read it."""

import math
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Self

from loguru import logger
from pydantic import Field, field_validator

from servo.types.metrics import DataPoint, Reading, Readings, TimeSeries
from servo.types.model import BaseModel

__all__ = ["Measurement"]


class Measurement(BaseModel):
    """Readings that were taken together.

    Args:
        readings: All of them data points, or all of them time series.
        annotations: Remarks for people, by name.
    """

    readings: Readings = Field(default_factory=list)
    annotations: dict[str, str] = Field(default_factory=dict)

    @field_validator("readings")
    @classmethod
    def _check_types(cls, readings: Readings) -> Readings:
        for reading in readings:
            if type(reading) is not type(readings[0]):
                raise ValueError(
                    f'all readings must be of the same type: expected "{type(readings[0]).__name__}"'
                    f' but found "{type(reading).__name__}"'
                )
        return readings

    @field_validator("readings")
    @classmethod
    def _note_lengths(cls, readings: Readings) -> Readings:
        lengths = {len(reading) for reading in readings if isinstance(reading, TimeSeries)}
        if len(lengths) > 1:
            logger.debug(
                f"the time series of a measurement differ in length: from {min(lengths)} to {max(lengths)}"
            )
        return readings

    @classmethod
    def merged(cls, measurements: Iterable["Measurement"]) -> Self:
        """Return one measurement with all readings and annotations, of which the later win.

        If some are points and others series, each point becomes a series of its own: nothing is lost.
        """
        readings: Readings = []
        annotations: dict[str, str] = {}
        for measurement in measurements:
            readings += measurement.readings
            annotations |= measurement.annotations
        if len({type(reading) for reading in readings}) > 1:
            readings = [_as_series(reading) for reading in readings]
        return cls(readings=readings, annotations=annotations)

    def __len__(self) -> int:
        return len(self.readings)

    def __iter__(self) -> Iterator[Reading]:  # type: ignore[override]  # pydantic iterates fields; interface here
        return iter(self.readings)

    def __getitem__(self, index: int) -> Reading:
        if not isinstance(index, int):
            raise TypeError(f"index must be an integer, not {type(index).__name__}")
        return self.readings[index]

    def __opsani_repr__(self) -> dict[str, Any]:
        """Return ``{"metrics": {name: {"unit": ..., "values": [...]}}, "annotations": {...}}``.

        A metric's ``values`` hold every series, each ``{"id": ..., "data": [[epoch seconds, value], ...]}``; a series
        without an id has the current epoch second for one. A single data point is sent as ``value``. What is no
        number is left out of a series, and is null as a single value: JSON has no word for it.
        """
        by_name: dict[str, list[Reading]] = {}
        for reading in self.readings:
            by_name.setdefault(reading.metric.name, []).append(reading)
        metrics = {name: _metric(readings) for name, readings in by_name.items()}
        return {"metrics": metrics, "annotations": dict(self.annotations)}


def _as_series(reading: Reading) -> TimeSeries:
    return TimeSeries(reading.metric, [reading]) if isinstance(reading, DataPoint) else reading


def _metric(readings: list[Reading]) -> dict[str, Any]:
    unit = readings[0].unit.value
    match readings:
        case [DataPoint() as point]:
            return {"unit": unit, "value": point.value if math.isfinite(point.value) else None}
        case _:
            return {"unit": unit, "values": _values(_series(readings))}


def _series(readings: list[Reading]) -> list[TimeSeries]:
    points = [reading for reading in readings if isinstance(reading, DataPoint)]
    series = [reading for reading in readings if isinstance(reading, TimeSeries)]
    return [TimeSeries(points[0].metric, points), *series] if points else series


def _values(series: list[TimeSeries]) -> list[dict[str, Any]]:
    unnamed = _unnamed_ids({one.id for one in series})
    return [{"id": next(unnamed) if one.id is None else one.id, "data": _data(one)} for one in series]


def _unnamed_ids(taken: set[str | None]) -> Iterator[str]:
    second = int(time.time())
    while True:
        if str(second) not in taken:
            yield str(second)
        second += 1


def _data(series: TimeSeries) -> list[list[float]]:
    return [[_epoch_second(point.time), point.value] for point in series if math.isfinite(point.value)]


def _epoch_second(moment: datetime) -> int:
    return math.floor(moment.timestamp())
