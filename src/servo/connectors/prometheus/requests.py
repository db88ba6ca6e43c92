"""What can be asked of a Prometheus: paths and parameters of its HTTP API."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import urlencode

from pydantic import BeforeValidator, model_validator

from servo.connectors.prometheus.metric import PrometheusMetric
from servo.types.core import BaseModel, Duration

__all__ = ["BaseRequest", "InstantQuery", "RangeQuery", "TargetsRequest", "TargetsStateFilter"]


class TargetsStateFilter(StrEnum):
    """Which targets to list."""

    active = "active"
    dropped = "dropped"
    any = "any"


def _promql(value: Any) -> Any:
    return value.build_query() if isinstance(value, PrometheusMetric) else value


Query = Annotated[str, BeforeValidator(_promql)]
"""PromQL; a metric stands for its query."""


class BaseRequest(BaseModel):
    """A request; its fields are the parameters.

    Attributes:
        endpoint: The path below that of the API.
    """

    endpoint: ClassVar[str]

    @property
    def params(self) -> dict[str, str]:
        """The parameters as they are sent: moments as seconds since 1970, spans as seconds."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: _written(value) for name, value in values.items() if value is not None}

    @property
    def url(self) -> str:
        """Path and query string, below the path of the API."""
        return f"{self.endpoint}?{urlencode(self.params)}" if self.params else self.endpoint


class InstantQuery(BaseRequest):
    """A query evaluated once.

    Args:
        query: PromQL, or a metric.
        time: When; without it, the server's present.
        timeout: Of the evaluation.
        limit: Most series of the answer; servers before Prometheus 3 do not know it.
    """

    endpoint: ClassVar[str] = "/query"

    query: Query
    time: datetime | None = None
    timeout: Duration | None = None
    limit: int | None = None


class RangeQuery(BaseRequest):
    """A query evaluated again and again over a span of time.

    Args:
        query: PromQL, or a metric.
        start: The first evaluation.
        end: Nothing is evaluated after it.
        step: Between two evaluations.
        timeout: Of the evaluation.
        limit: Most series of the answer; servers before Prometheus 3 do not know it.
    """

    endpoint: ClassVar[str] = "/query_range"

    query: Query
    start: datetime
    end: datetime
    step: Duration = Duration("1m")
    timeout: Duration | None = None
    limit: int | None = None

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        if self.end.timestamp() <= self.start.timestamp():
            raise ValueError("the end of a range must be after its start")
        if self.step <= Duration(0):
            raise ValueError("the step of a range must be greater than zero")
        return self


class TargetsRequest(BaseRequest):
    """What is scraped.

    Args:
        state: Which targets; all by default.
    """

    endpoint: ClassVar[str] = "/targets"

    state: TargetsStateFilter | None = None


def _written(value: Any) -> str:
    match value:
        case datetime():
            return _number(value.timestamp())
        case Duration():
            return _number(value.total_seconds())
        case _:
            return str(value)


def _number(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
