"""A metric, and the query that gives it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field, field_validator

from servo.types.core import Duration, Metric, Unit

__all__ = ["AbsentMetricPolicy", "PrometheusMetric"]

MAX_QUERY = 65_536
_MILLISECOND = 1000
_SHORTEST = Duration("10ms")


class AbsentMetricPolicy(StrEnum):
    """What it means if a query gives nothing."""

    ignore = "ignore"
    zero = "zero"
    warn = "warn"
    fail = "fail"


class PrometheusMetric(Metric):
    """A metric that a query gives, in PromQL."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=256, description="Its name, by which optimizers ask for it.")
    unit: Unit = Field(default=Unit.float, description="What it counts.")
    query: str = Field(min_length=1, max_length=MAX_QUERY, description="The query, in PromQL.")
    step: Duration = Field(default=Duration("1m"), description="Time between two values.")
    absent: AbsentMetricPolicy = Field(
        default=AbsentMetricPolicy.ignore,
        description="What it means if the query gives nothing: ignore, zero, warn or fail.",
    )

    if TYPE_CHECKING:

        def __init__(
            self, name: str, unit: Unit | str = Unit.float, query: str = "", *, step: Any = "1m", absent: str = "ignore"
        ) -> None: ...  # fmt: skip

    @field_validator("step")
    @classmethod
    def _check_step(cls, value: Duration) -> Duration:
        # Servers count in milliseconds: the pieces of a range would not fit together.
        if value < _SHORTEST or value.microseconds % _MILLISECOND:
            raise ValueError("at least 10ms, in whole milliseconds")
        return value

    def build_query(self) -> str:
        """The query that is sent: one of policy ``zero`` gives 0 where it would give nothing."""
        if self.absent is not AbsentMetricPolicy.zero:
            return self.query
        # On a line of its own, if the query's last may end in a comment.
        return f"{self.query}{chr(10) if '#' in self.query else ' '}or on() vector(0)"
