"""What a Prometheus answers, and the readings in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import AliasChoices, ConfigDict, Field, TypeAdapter, ValidationInfo, field_validator

from servo.connectors.prometheus.errors import QueryError
from servo.connectors.quoting import harmless
from servo.types.core import BaseModel, DataPoint, Metric, Reading, TimeSeries

__all__ = [
    "ActiveTarget",
    "BaseResponse",
    "DroppedTarget",
    "Error",
    "InstantVector",
    "MetricResponse",
    "QueryData",
    "RangeVector",
    "ResultType",
    "TargetsResponse",
]

Sample = tuple[datetime, float]
"""When, and how much; what is no number is NaN or infinite."""

_IDENTIFYING = ("instance", "job")
_SHOWN = 500


class ResultType(StrEnum):
    """The kinds of answers to a query."""

    matrix = "matrix"
    vector = "vector"
    scalar = "scalar"
    string = "string"


class Error(BaseModel):
    """Why a request was refused.

    Args:
        type: A word, such as ``bad_data`` or ``timeout``.
        message: A sentence.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    type: str = Field(alias="errorType")
    message: str = Field(alias="error")

    def __str__(self) -> str:
        return f"{harmless(self.message)[:_SHOWN]} ({harmless(self.type)[:_SHOWN]})"


class InstantVector(BaseModel):
    """A series at one moment.

    Args:
        metric: Its labels.
        value: When, and how much.
    """

    metric: dict[str, str]
    value: Sample


class RangeVector(BaseModel):
    """A series over time.

    Args:
        metric: Its labels.
        values: When, and how much, in order.
    """

    metric: dict[str, str]
    values: list[Sample]

    def __len__(self) -> int:
        return len(self.values)


_RESULTS: Mapping[ResultType, TypeAdapter[Any]] = {
    ResultType.matrix: TypeAdapter(list[RangeVector]),
    ResultType.vector: TypeAdapter(list[InstantVector]),
    ResultType.scalar: TypeAdapter(Sample),
    ResultType.string: TypeAdapter(tuple[datetime, str]),
}


class QueryData(BaseModel):
    """What a query gave: series, or a single value.

    Args:
        result_type: Which of them.
        result: Series of a matrix or vector; a pair of time and value of a scalar or string.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    result_type: ResultType = Field(alias="resultType")
    result: Any

    @field_validator("result", mode="plain")
    @classmethod
    def _read(cls, value: Any, info: ValidationInfo) -> Any:
        kind = info.data.get("result_type")
        if isinstance(value, list) and any(isinstance(one, dict) and _is_histogram(one) for one in value):
            raise ValueError("it gives native histograms, which are no numbers: use histogram_quantile()")
        return value if kind is None else _RESULTS[kind].validate_python(value)

    @property
    def is_vector(self) -> bool:
        """Whether it holds series."""
        return self.result_type in {ResultType.matrix, ResultType.vector}

    @property
    def is_value(self) -> bool:
        """Whether it holds a single value."""
        return not self.is_vector

    def _items(self) -> list[Any]:
        return self.result if self.is_vector else [self.result]

    def __len__(self) -> int:
        return len(self._items())

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # pydantic iterates fields; interface here
        return iter(self._items())

    def __getitem__(self, index: int) -> Any:
        return self._items()[index]


class ActiveTarget(BaseModel):
    """Something that is scraped.

    Args:
        pool: The job's name.
        url: What is scraped.
        global_url: The same as others see it.
        health: ``up``, ``down`` or ``unknown``.
        labels: Its labels.
        discovered_labels: Those before relabelling.
        last_scraped_at: When it was scraped last; None if never.
        last_scrape_duration: How many seconds that took.
        last_error: What went wrong then.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    pool: str = Field(default="", alias="scrapePool")
    url: str = Field(alias="scrapeUrl")
    global_url: str | None = Field(default=None, alias="globalUrl")
    health: str = "unknown"
    labels: dict[str, str] = Field(default_factory=dict)
    discovered_labels: dict[str, str] = Field(default_factory=dict, alias="discoveredLabels")
    last_scraped_at: datetime | None = Field(
        default=None, validation_alias=AliasChoices("lastScrape", "last_scraped_at")
    )
    last_scrape_duration: float | None = Field(default=None, alias="lastScrapeDuration")
    last_error: str | None = Field(default=None, alias="lastError")

    @field_validator("last_scraped_at", mode="before")
    @classmethod
    def _never(cls, value: Any) -> Any:
        # Go's zero time stands for a target that has not been scraped yet.
        return None if isinstance(value, str) and value.startswith("0001-") else value

    def is_healthy(self) -> bool:
        """Whether its last scrape succeeded."""
        return self.health == "up"


class DroppedTarget(BaseModel):
    """Something that was discovered, and is not scraped.

    Args:
        discovered_labels: Its labels.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    discovered_labels: dict[str, str] = Field(default_factory=dict, alias="discoveredLabels")


class BaseResponse(BaseModel):
    """An answer.

    Args:
        request: What was asked.
        status: Whether it succeeded.
        error: Why it did not.
        warnings: What may be wrong with it, e.g. a part that is missing.
        data: What it says.
    """

    request: Any = None
    status: Literal["success", "error"]
    error: Error | None = None
    warnings: list[str] = Field(default_factory=list)
    data: Any = None

    def raise_for_error(self) -> None:
        """Raise what a failed answer says.

        Raises:
            QueryError: The request was refused.
        """
        if self.status == "error":
            raise QueryError(
                f"Prometheus refused: {self.error or 'it did not say why'}", reason="query-refused"
            )


class MetricResponse(BaseResponse):
    """The answer to a query.

    Args:
        metric: Of what the query gives values.
    """

    data: QueryData | None = None
    metric: Metric = Metric("")

    def results(self) -> list[Reading]:
        """A time series for each series of a range, a data point for each of a moment.

        A series has the id ``{instance=…,job=…}`` if these labels tell it from the others, else all its labels; they
        are its annotation, and its metadata.
        """
        if self.data is None or self.data.result_type is ResultType.string:
            return []
        if self.data.result_type is not ResultType.matrix:
            samples = [getattr(one, "value", one) for one in self.data]
            return [DataPoint(self.metric, *sample) for sample in samples]
        ids = _ids([one.metric for one in self.data])
        return [
            TimeSeries(
                self.metric, one.values, id=name, annotation=_annotation(one.metric), metadata=dict(one.metric)
            )
            for name, one in zip(ids, self.data, strict=True)
        ]  # fmt: skip


class TargetsResponse(BaseResponse):
    """What is scraped, and what is not."""

    @property
    def active(self) -> list[ActiveTarget]:
        """What is scraped."""
        return _ACTIVE.validate_python((self.data or {}).get("activeTargets") or [])

    @property
    def dropped(self) -> list[DroppedTarget]:
        """What was discovered, and is not scraped."""
        return _DROPPED.validate_python((self.data or {}).get("droppedTargets") or [])


_ACTIVE = TypeAdapter(list[ActiveTarget])
_DROPPED = TypeAdapter(list[DroppedTarget])


def _is_histogram(series: Mapping[str, Any]) -> bool:
    return "histogram" in series or "histograms" in series


def _ids(labels: list[dict[str, str]]) -> list[str]:
    """Ids that tell the series of a query from each other."""
    short = [_written({key: each[key] for key in _IDENTIFYING if key in each}) for each in labels]
    shared = Counter(short)
    return [
        name if shared[name] == 1 and len(each.keys() & set(_IDENTIFYING)) == len(_IDENTIFYING) else _written(each)
        for name, each in zip(short, labels, strict=True)
    ]  # fmt: skip


def _written(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{key}={harmless(value)}" for key, value in sorted(labels.items())) + "}"


def _annotation(labels: Mapping[str, str]) -> str:
    return " ".join(f"{key}={harmless(value)}" for key, value in sorted(labels.items()))
