"""Settings of an application: what they may be, and where they go."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from servo.configuration import AbstractBaseConfiguration
from servo.types.settings import EnumSetting, RangeSetting, Setting

Value = int | float | str

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_TOLERANCE = Decimal("1e-6")
_MAX_VALUES = 1000


class SettingError(ValueError):
    """A value that a setting cannot take."""


class BaseSettingConfiguration(AbstractBaseConfiguration):
    """What all settings have in common."""

    name: str = Field(description="Name of the setting; `${name}` stands for its value in the template.")
    unit: str | None = Field(default=None, max_length=32, description="Unit of the value, to be shown.")
    pinned: bool = Field(default=False, description="Report the setting, and refuse to change it.")
    environment: str | None = Field(default=None, description="Environment variable that takes the value.")
    argument: list[str] | None = Field(
        default=None,
        max_length=100,
        description="Arguments added to the command; `${value}` in them is replaced by the value.",
    )

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("a name has letters, digits, `_` and `-`, and starts with a letter")
        return value

    @field_validator("environment")
    @classmethod
    def _check_variable(cls, value: str | None) -> str | None:
        if value is not None and not _VARIABLE.fullmatch(value):
            raise ValueError(f"{value!r} is no name of an environment variable")
        return value

    @field_validator("argument", mode="before")
    @classmethod
    def _one_argument(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


class RangeSettingConfiguration(BaseSettingConfiguration):
    """A number between two others."""

    type: Literal["range"] = Field(default="range", description="A number from min to max.")
    min: int | float = Field(description="Least value.")
    max: int | float = Field(description="Greatest value.")
    step: int | float = Field(default=1, description="Distance between neighbouring values; 0: any value.")
    default: int | float = Field(description="Value until another one proves good.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not all(math.isfinite(number) for number in (self.min, self.max, self.step, self.default)):
            raise ValueError(f"setting {self.name}: min, max, step and default are finite numbers")
        if self.min > self.max:
            raise ValueError(f"setting {self.name}: min {self.min} is greater than max {self.max}")
        if self.step < 0:
            raise ValueError(f"setting {self.name}: step {self.step} is negative")
        self.accept(self.default)
        return self

    def accept(self, value: object) -> Value:
        """The value as it is applied: exactly on a step, whole where all of the range is.

        Raises:
            SettingError: It is no number, out of range, or between two steps.
        """
        number = _number(value, self.name)
        if not Decimal(str(self.min)) <= number <= Decimal(str(self.max)):
            raise SettingError(f"{self.name}={value} is not between {self.min} and {self.max}")
        if self.step:
            number = self._on_step(number, value)
        return int(number) if self.whole else float(number)

    def _on_step(self, number: Decimal, value: object) -> Decimal:
        step, origin = Decimal(str(self.step)), Decimal(str(self.min))
        nearest = origin + ((number - origin) / step).to_integral_value() * step
        if abs(nearest - number) > step * _TOLERANCE:
            raise SettingError(f"{self.name}={value} is not a multiple of {self.step} above {self.min}")
        return nearest

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers."""
        return bool(self.step) and all(float(number).is_integer() for number in (self.min, self.step))

    def describe(self, value: Value) -> Setting:
        """The setting as it is reported."""
        return RangeSetting(
            name=self.name,
            min=self.min,
            max=self.max,
            step=self.step,
            value=value,
            unit=self.unit,
            pinned=self.pinned,
        )


class EnumSettingConfiguration(BaseSettingConfiguration):
    """One of some values."""

    type: Literal["enum"] = Field(description="One of the values.")
    values: list[Value] = Field(
        min_length=1,
        max_length=_MAX_VALUES,
        description='What it may be; true and false become "true" and "false".',
    )
    default: Value = Field(description="Value until another one proves good.")
    arguments: dict[str, list[str]] | None = Field(
        default=None,
        description="Arguments added to the command for each value, e.g. a flag for true and none for false.",
    )

    @field_validator("values", mode="before")
    @classmethod
    def _plain_values(cls, value: object) -> object:
        return [plain(item) for item in value] if isinstance(value, list) else value

    @field_validator("default", mode="before")
    @classmethod
    def _plain_default(cls, value: object) -> object:
        return plain(value)

    @field_validator("arguments", mode="before")
    @classmethod
    def _plain_keys(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {str(plain(k)): [v] if isinstance(v, str) else v for k, v in value.items()}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(map(str, self.values))) != len(self.values):
            raise ValueError(f"setting {self.name}: a value is there twice")
        self.accept(self.default)
        if unknown := sorted(set(self.arguments or ()) - set(map(str, self.values))):
            raise ValueError(
                f"setting {self.name}: arguments for {unknown[0]!r}, which is not among the values"
            )
        return self

    def accept(self, value: object) -> Value:
        """The value as it is applied, of the type it is configured with.

        Raises:
            SettingError: It is none of the values.
        """
        for known in self.values:
            if str(plain(value)) == str(known):
                return known
        raise SettingError(f"{self.name}={value} is not one of {', '.join(map(str, self.values))}")

    def describe(self, value: Value) -> Setting:
        """The setting as it is reported."""
        return EnumSetting(
            name=self.name, values=self.values, value=value, unit=self.unit, pinned=self.pinned
        )


SettingConfiguration = Annotated[
    RangeSettingConfiguration | EnumSettingConfiguration, Field(discriminator="type")
]


def plain(value: Any) -> Any:
    """YAML's true and false as text, which programs and optimizers can tell apart from 1 and 0."""
    return str(value).lower() if isinstance(value, bool) else value


def text(value: Value) -> str:
    """A value as a program reads it: whole numbers without a fraction."""
    return str(value)


def accept(
    settings: Iterable[SettingConfiguration], current: dict[str, Value], wanted: dict[str, object]
) -> dict[str, Value]:
    """All values with the wanted ones in place.

    Raises:
        SettingError: A setting is unknown or pinned, or cannot take its value; all reasons in one message.
    """
    known = {setting.name: setting for setting in settings}
    result, wrong = dict(current), []
    for name, value in wanted.items():
        try:
            result[name] = _accept_one(known.get(name), name, value, current)
        except SettingError as error:
            wrong.append(str(error))
    if wrong:
        raise SettingError("; ".join(wrong))
    return result


def _accept_one(
    setting: SettingConfiguration | None, name: str, value: object, current: dict[str, Value]
) -> Value:
    if setting is None:
        raise SettingError(f"there is no setting {name!r}")
    accepted = setting.accept(value)
    if setting.pinned and accepted != current[name]:
        raise SettingError(f"{name} is pinned to {current[name]}")
    return accepted


def _number(value: object, name: str) -> Decimal:
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ArithmeticError  # noqa: TRY004, TRY301 - one place for the message
        number = Decimal(str(value))
    except ArithmeticError:
        raise SettingError(f"{name}={value!r} is not a number") from None
    if not number.is_finite():
        raise SettingError(f"{name}={value} is not a number")
    return number
