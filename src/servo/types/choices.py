"""Settings that take one of a list of values."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from servo.types.setting import Setting, Value

__all__ = ["EnumSetting", "InstanceType", "InstanceTypeUnits"]

_MAX_VALUES = 10_000


class EnumSetting(Setting):
    """A setting that takes one of a list of values.

    Args:
        values: The list: texts or numbers, at least one.
        value: The current one.
        unit: What they count, if anything.
    """

    type: Literal["enum"] = "enum"
    values: Annotated[list[Value], Field(min_length=1, max_length=_MAX_VALUES)]

    wire_keys: ClassVar[tuple[str, ...]] = ("type", "pinned", "unit", "value", "values")

    @model_validator(mode="after")
    def _check_value(self) -> Self:
        if self.value is not None and self.value not in self.values:
            raise ValueError(f"invalid value: {self.value!r} is not in the values list {self.values!r}")
        return self

    def summary(self) -> str:
        """Return the kind of setting and its values."""
        return f"{type(self).__name__}(values={self.values!r}, unit={self.unit!s})"

    def __opsani_repr__(self) -> dict[str, Any]:
        """Return ``{name: {"type": "enum", "values": [...], ...}}``."""
        return self._wire()


class InstanceTypeUnits(StrEnum):
    """Whose instance types they are."""

    ec2 = "ec2"


class InstanceType(EnumSetting):
    """A type of machine."""

    name: Literal["inst_type"] = "inst_type"
    unit: InstanceTypeUnits = InstanceTypeUnits.ec2
