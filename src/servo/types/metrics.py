"""What is measured: metrics, points in time, and series of them."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from servo.types.duration import Duration
from servo.types.model import PositionalModel

__all__ = ["DataPoint", "Metric", "Reading", "Readings", "TimeSeries", "Unit"]


class Unit(StrEnum):
    """What a metric counts; the value is its abbreviation. The first four are one member of four names."""

    float = ""
    int = ""
    count = ""  # type: ignore[assignment]  # a name of the interface; nobody counts letters in a unit
    rate = ""
    percentage = "%"
    milliseconds = "ms"
    bytes = "bytes"
    gibibytes = "GiB"
    cores = "cores"
    requests_per_minute = "rpm"
    requests_per_second = "rps"


class Metric(PositionalModel):
    """Something that can be measured.

    Args:
        name: Its name, by which optimizers ask for it.
        unit: What it counts.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    unit: Unit = Unit.float

    if TYPE_CHECKING:

        def __init__(self, name: str, unit: Unit | str = Unit.float) -> None: ...

    def __str__(self) -> str:
        return f"{self.name} ({self.unit})"

    def __hash__(self) -> int:
        return hash((self.name, self.unit))

    def __opsani_repr__(self) -> dict[str, Any]:
        """Return ``{name: {"unit": abbreviation}}``."""
        return {self.name: {"unit": self.unit.value}}


class DataPoint(PositionalModel):
    """One value of a metric at one time; it iterates as ``(time, value)``.

    Args:
        metric: What was measured.
        time: When; without a time zone it is local time.
        value: How much, in the metric's unit.
    """

    metric: Metric
    time: datetime
    value: float

    if TYPE_CHECKING:

        def __init__(self, metric: Metric, time: datetime, value: float) -> None: ...

    @property
    def unit(self) -> Unit:
        """The metric's unit."""
        return self.metric.unit

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # pydantic iterates fields; interface here
        return iter((self.time, self.value))

    def __getitem__(self, index: int) -> datetime | float:
        if not isinstance(index, int):
            raise TypeError(f"index must be an integer, not {type(index).__name__}")
        if index not in {0, 1}:
            raise KeyError(f"index out of bounds: {index} not in (0, 1)")
        return (self.time, self.value)[index]

    def __str__(self) -> str:
        return f"{self.metric.name}: {self.value:.2f}{self.unit} @ {self.time}"

    def __repr__(self) -> str:
        return f"DataPoint({self.metric}, ({self.time}, {self.value}))"


class TimeSeries(PositionalModel):
    """Values of one metric over time, in the order of time.

    Args:
        metric: What was measured.
        data_points: Points in any order; a pair ``(time, value)`` is one too.
        id: What tells this series from others of the metric, e.g. the instance it was measured at.
        annotation: A remark for people.
        metadata: Remarks for programs.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)

    metric: Metric
    data_points: list[DataPoint] = Field(default_factory=list)
    id: str | None = None
    annotation: str | None = None
    metadata: dict[str, Any] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            metric: Metric,
            data_points: Iterable[DataPoint | tuple[datetime, float]] = (),
            *,
            id: str | int | None = None,  # noqa: A002  a field of the interface
            annotation: str | None = None,
            metadata: dict[str, Any] | None = None,
        ) -> None: ...

    @field_validator("data_points", mode="before")
    @classmethod
    def _accept_pairs(cls, points: Any, info: ValidationInfo) -> Any:
        metric = info.data.get("metric")
        if metric is None or isinstance(points, str | bytes) or not isinstance(points, Iterable):
            return points
        return [DataPoint(metric, *point) if _is_pair(point) else point for point in points]

    @field_validator("data_points")
    @classmethod
    def _sort(cls, points: list[DataPoint]) -> list[DataPoint]:
        # By timestamp: datetimes with and without a time zone do not compare, but both have one.
        return sorted(points, key=lambda point: point.time.timestamp())

    @property
    def unit(self) -> Unit:
        """The metric's unit."""
        return self.metric.unit

    @property
    def min(self) -> DataPoint | None:
        """The point of the least value; None if there are none."""
        return min(self.data_points, key=_value, default=None)

    @property
    def max(self) -> DataPoint | None:
        """The point of the greatest value; None if there are none."""
        return max(self.data_points, key=_value, default=None)

    @property
    def timespan(self) -> tuple[datetime, datetime] | None:
        """The times of the first and the last point; None if there are none."""
        return (self.data_points[0].time, self.data_points[-1].time) if self.data_points else None

    @property
    def duration(self) -> Duration | None:
        """How long the time from the first point to the last is; None if there are none."""
        if self.timespan is None:
            return None
        first, last = self.timespan
        return Duration(last.timestamp() - first.timestamp())

    def __len__(self) -> int:
        return len(self.data_points)

    def __iter__(self) -> Iterator[DataPoint]:  # type: ignore[override]  # pydantic iterates fields; interface here
        return iter(self.data_points)

    def __reversed__(self) -> Iterator[DataPoint]:
        return reversed(self.data_points)

    def __getitem__(self, index: int) -> DataPoint:
        if not isinstance(index, int):
            raise TypeError(f"index must be an integer, not {type(index).__name__}")
        return self.data_points[index]

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from super().__repr_args__()
        yield "timespan", self.timespan
        yield "duration", self.duration


Reading: TypeAlias = DataPoint | TimeSeries
"""What one measurement of one metric gave."""

Readings: TypeAlias = list[Reading]


def _value(point: DataPoint) -> float:
    return point.value


def _is_pair(point: Any) -> bool:
    return isinstance(point, tuple | list) and len(point) == 2  # noqa: PLR2004  a time and a value
