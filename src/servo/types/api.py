"""What optimizers and servos say to each other: descriptions, adjustments, measurements and how to make them."""

from typing import TYPE_CHECKING, Any

from pydantic import (
    ConfigDict,
    Field,
    SerializeAsAny,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from servo.types.duration import Duration
from servo.types.measurement import Measurement
from servo.types.metrics import Metric
from servo.types.model import BaseModel, PositionalModel
from servo.types.setting import Setting, find_setting
from servo.types.slo import SloInput

__all__ = ["Adjustment", "Component", "Control", "Description", "Measurement", "UserData"]


class Component(PositionalModel):
    """A thing with settings, e.g. a service.

    Args:
        name: Its name.
        settings: What can be adjusted.
    """

    name: str
    settings: list[SerializeAsAny[Setting]]

    if TYPE_CHECKING:

        def __init__(self, name: str, settings: list[Any]) -> None: ...

    def get_setting(self, name: str) -> Setting | None:
        """Return the setting of that name, or None."""
        return find_setting(self.settings, name)

    def __opsani_repr__(self) -> dict[str, Any]:
        """Return ``{name: {"settings": {...}}}``."""
        settings: dict[str, Any] = {}
        for setting in self.settings:
            settings |= setting.__opsani_repr__()
        return {self.name: {"settings": settings}}


class Description(BaseModel):
    """What can be adjusted and measured, with the values that are set.

    Args:
        components: What can be adjusted.
        metrics: What can be measured.
    """

    components: list[Component] = Field(default_factory=list)
    metrics: list[Metric] = Field(default_factory=list)

    def get_component(self, name: str) -> Component | None:
        """Return the component of that name, or None."""
        return next((component for component in self.components if component.name == name), None)

    def get_setting(self, name: str) -> Setting | None:
        """Return the setting of the name ``component.setting``, or None.

        Raises:
            ValueError: If the name has no dot.
        """
        component_name, dot, setting_name = name.partition(".")
        if not dot:
            raise ValueError(f"invalid setting name '{name}': it must be of the form component.setting")
        component = self.get_component(component_name)
        return component.get_setting(setting_name) if component else None

    def get_metric(self, name: str) -> Metric | None:
        """Return the metric of that name, or None."""
        return next((metric for metric in self.metrics if metric.name == name), None)

    def __opsani_repr__(self) -> dict[str, Any]:
        """Return ``{"application": {"components": {...}}, "measurement": {"metrics": {...}}}``."""
        components: dict[str, Any] = {}
        for component in self.components:
            components |= component.__opsani_repr__()
        metrics: dict[str, Any] = {}
        for metric in self.metrics:
            metrics |= metric.__opsani_repr__()
        return {"application": {"components": components}, "measurement": {"metrics": metrics}}


class Adjustment(BaseModel):
    """A value that a setting shall have."""

    model_config = ConfigDict(allow_inf_nan=False)

    component_name: str
    setting_name: str
    value: StrictInt | StrictFloat | StrictStr

    @property
    def selector(self) -> str:
        """Which setting: ``component.setting``."""
        return f"{self.component_name}.{self.setting_name}"

    def __str__(self) -> str:
        return f"{self.selector}={self.value}"


class UserData(BaseModel):
    """What the user of an optimizer has it send along; any field is allowed."""

    model_config = ConfigDict(extra="allow")

    slo: SloInput | None = None


class Control(BaseModel):
    """How a measurement or adjustment is to be made.

    Args:
        duration: How long to measure.
        delay: How long to wait after measuring, before the metrics are read; also called ``past``.
        warmup: How long to wait before measuring.
        settlement: How long an adjusted target must be stable; None: as the connector is configured.
        load: Parameters of the load to generate.
        userdata: What the optimizer's user sends along.
        environment: Parameters of the environment.
    """

    model_config = ConfigDict(extra="ignore")

    duration: Duration = Field(default=Duration("1s"), validate_default=True)
    delay: Duration = Duration(0)
    warmup: Duration = Duration(0)
    settlement: Duration | None = None
    load: dict[str, Any] | None = None
    userdata: UserData | None = None
    environment: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_past(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or "past" not in fields:
            return fields
        fields = dict(fields)
        past = fields.pop("past")
        if "delay" in fields and _duration(fields["delay"]) != _duration(past):
            raise ValueError("past and delay attributes must be equal")
        return {**fields, "delay": past}

    @field_validator("duration", "delay", "warmup", mode="before")
    @classmethod
    def _read_nothing_as_zero(cls, value: Any) -> Any:
        return value or Duration(0)

    @field_validator("duration", "delay", "warmup", "settlement")
    @classmethod
    def _check_sign(cls, value: Duration | None) -> Duration | None:
        if value is not None and value < Duration(0):
            raise ValueError(f"duration must not be negative: {value}")
        return value

    @property
    def past(self) -> Duration:
        """The older name of ``delay``."""
        return self.delay


def _duration(value: Any) -> Duration:
    return Duration(value or 0)
