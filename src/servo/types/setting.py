"""What every setting has: a name, a value, and whether it is pinned."""

import abc
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self, TypeAlias, TypeVar

import pydantic
from pydantic import (
    ConfigDict,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from servo.types.model import BaseModel
from servo.types.protocols import HumanReadable

__all__ = ["Numeric", "Setting", "Value", "find_setting"]

Numeric: TypeAlias = StrictInt | StrictFloat
"""A number that is one: neither text nor a boolean."""


def _keep_readable(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    # Pydantic makes plain numbers and texts of their subclasses, which know how people write them.
    plain = validate(value)
    return value if isinstance(value, HumanReadable) else plain


Value: TypeAlias = Annotated[StrictInt | StrictFloat | StrictStr, WrapValidator(_keep_readable)]
"""What a setting can be set to."""

_S = TypeVar("_S", bound="Setting")


class Setting(BaseModel, abc.ABC):
    """A parameter of a component.

    A *pinned* setting keeps the value it has: assigning another raises ``pydantic.ValidationError``.
    """

    model_config = ConfigDict(allow_inf_nan=False, extra="forbid")

    name: str
    type: str
    pinned: bool = False
    unit: str | None = None
    value: Value | None = None

    wire_keys: ClassVar[tuple[str, ...]] = ("type", "pinned", "unit", "value")

    @abc.abstractmethod
    def __opsani_repr__(self) -> dict[str, Any]:
        """Return ``{name: {...}}`` as optimizers read it, without what is None."""

    def summary(self) -> str:
        """Return the kind of setting and its bounds, e.g. ``Replicas(range=[1..5], step=1, unit=None)``."""
        return f"{type(self).__name__}(unit={self.unit})"

    @property
    def human_readable_value(self) -> str:
        """The value as people write it."""
        return self.human_readable(self.value)

    @classmethod
    def human_readable(cls, value: Any) -> str:
        """Return ``value`` as people write it: its own ``human_readable()`` if it has one."""
        return value.human_readable() if isinstance(value, HumanReadable) else str(value)

    def safe_set_value_copy(self, value: Any) -> Self:
        """Return a copy with another value, which is not validated."""
        return self.model_copy(update={"value": value})

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "value" and self.pinned:
            self._check_unchanged(value)
        super().__setattr__(name, value)

    def _check_unchanged(self, value: Any) -> None:
        if self.value is None or self.value == value:
            return
        error = PydanticCustomError(
            "value_error",
            "value of pinned settings cannot be changed:"
            " assigned value {assigned} is not equal to existing value {existing}",
            {"assigned": repr(value), "existing": repr(self.value)},
        )
        raise pydantic.ValidationError.from_exception_data(
            type(self).__name__, [{"type": error, "loc": ("value",), "input": value}]
        )

    def __str__(self) -> str:
        return f"{self.name}={self.human_readable_value}"

    def _wire(self) -> dict[str, Any]:
        fields = {key: _plain(getattr(self, key)) for key in self.wire_keys}
        return {self.name: {key: value for key, value in fields.items() if value is not None}}


def find_setting(settings: Iterable[_S] | None, name: str) -> _S | None:
    """Return the setting of that name, or None."""
    return next((setting for setting in settings or () if setting.name == name), None)


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return list(value) if isinstance(value, list) else value
