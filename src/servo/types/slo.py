"""Service level objectives: conditions on metrics that an optimizer sends with a measurement."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self, TypeAlias

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from servo.types.model import BaseModel

__all__ = ["SloCondition", "SloInput", "SloKeep", "TriggerConstraints"]

TriggerConstraints: TypeAlias = Annotated[int, Field(ge=1, strict=True)]
"""A number of observations, at least 1."""

_MAX_CONDITIONS = 1000


class SloKeep(StrEnum):
    """On which side of its threshold a metric is to be kept."""

    above = "above"
    below = "below"


class SloCondition(BaseModel):
    """A metric's bound, and how often it must be broken before that counts.

    Exactly one of ``threshold`` and ``threshold_metric`` is given. The condition is triggered when ``trigger_count`` of
    the last ``trigger_window`` observations broke it. Next to a metric at or below ``slo_metric_minimum``, or a threshold
    metric at or below ``slo_threshold_minimum``, comparing the two says nothing: such observations are skipped.
    """

    model_config = ConfigDict(extra="forbid")

    description: str | None = None
    metric: str
    threshold: Decimal | None = None
    threshold_metric: str | None = None
    threshold_multiplier: Decimal = Decimal(1)
    keep: SloKeep = SloKeep.below
    trigger_count: TriggerConstraints = 1
    trigger_window: TriggerConstraints = Field(default_factory=lambda data: data.get("trigger_count", 1))
    slo_metric_minimum: float | None = 0.25
    slo_threshold_minimum: float | None = 0.25

    @field_validator("trigger_window", mode="before")
    @classmethod
    def _same_as_count(cls, window: object, info: ValidationInfo) -> object:
        return info.data.get("trigger_count") if window is None else window

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.threshold is None and self.threshold_metric is None:
            raise ValueError("SLO condition needs a threshold or a threshold_metric")
        if self.threshold is not None and self.threshold_metric is not None:
            raise ValueError("SLO condition takes a threshold or a threshold_metric, not both")
        if self.trigger_count > self.trigger_window:
            raise ValueError(
                "trigger_count cannot be greater than trigger_window"
                f" ({self.trigger_count} > {self.trigger_window})"
            )
        return self

    def __str__(self) -> str:
        threshold = self.threshold_metric if self.threshold is None else self.threshold
        condition = f"{self.metric} {self.keep} {threshold}"
        return f"({condition} -> {self.description})" if self.description else f"({condition})"

    def __hash__(self) -> int:
        return hash(str(self))


class SloInput(BaseModel):
    """The conditions of a measurement; no two may read the same."""

    conditions: list[SloCondition] = Field(max_length=_MAX_CONDITIONS)

    @field_validator("conditions")
    @classmethod
    def _check_unique(cls, conditions: list[SloCondition]) -> list[SloCondition]:
        texts = [str(condition) for condition in conditions]
        if twice := [text for text in dict.fromkeys(texts) if texts.count(text) > 1]:
            raise ValueError(f"Slo conditions must be unique. Redundant conditions found: {', '.join(twice)}")
        return conditions
