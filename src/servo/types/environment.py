"""Settings that are environment variables of the application."""

from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

from pydantic import Field, GetCoreSchemaHandler, RootModel, model_validator
from pydantic_core import core_schema

from servo.types.choices import EnumSetting
from servo.types.ranges import RangeSetting
from servo.types.setting import Numeric, Setting

__all__ = [
    "EnvironmentEnumSetting",
    "EnvironmentRangeSetting",
    "EnvironmentSetting",
    "EnvironmentSettingList",
    "NumericType",
]


def _name(kind: type | None) -> str | None:
    return None if kind is None else kind.__name__


_TYPES: dict[str, type[int] | type[float]] = {"int": int, "float": float}


class NumericType:
    """The type of a number, written ``"int"`` or ``"float"``; validated, it is the Python type."""

    @classmethod
    def validate(cls, value: Any) -> type[int] | type[float]:
        """Return the type of that name, or the type itself.

        Raises:
            ValueError: If it is neither.
        """
        for name, kind in _TYPES.items():
            if value == name or value is kind:
                return kind
        raise ValueError(f"invalid numeric type {value!r}: it must be 'int' or 'float'")

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validate the name or the type; JSON is the name."""
        return core_schema.no_info_before_validator_function(
            cls.validate,
            core_schema.any_schema(),
            json_schema_input_schema=core_schema.literal_schema(list(_TYPES)),
            serialization=core_schema.plain_serializer_function_ser_schema(_name, when_used="json"),
        )


class EnvironmentSetting(Setting):
    """A setting that is an environment variable.

    Args:
        literal: The variable's name where it differs from the setting's.
    """

    literal: str | None = None

    @property
    def variable_name(self) -> str:
        """The name of the variable."""
        return self.literal or self.name


class EnvironmentRangeSetting(RangeSetting, EnvironmentSetting):
    """A number in an environment variable.

    Args:
        value_type: As what the variable's text is read, ``"int"`` or ``"float"``; None: text as ``"float"``, numbers as
            they are.
    """

    value: Numeric | None = None
    value_type: NumericType | None = None

    @model_validator(mode="before")
    @classmethod
    def _cast_value(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or fields.get("value") is None:
            return fields
        return {**fields, "value": _cast(fields["value"], fields.get("value_type"))}


class EnvironmentEnumSetting(EnumSetting, EnvironmentSetting):
    """One of a list of values in an environment variable."""


AnyEnvironmentSetting: TypeAlias = Annotated[
    EnvironmentRangeSetting | EnvironmentEnumSetting, Field(discriminator="type")
]


class EnvironmentSettingList(RootModel[list[AnyEnvironmentSetting]]):
    """Settings that are environment variables; ``type`` tells which kind each is."""

    root: list[AnyEnvironmentSetting] = Field(default_factory=list)

    def __iter__(self) -> Iterator[EnvironmentRangeSetting | EnvironmentEnumSetting]:  # type: ignore[override]  # as a list
        return iter(self.root)

    def __getitem__(self, index: int) -> EnvironmentRangeSetting | EnvironmentEnumSetting:
        return self.root[index]

    def __len__(self) -> int:
        return len(self.root)


def _cast(value: Any, value_type: Any) -> Any:
    if value_type is None and not isinstance(value, str):
        return value
    kind = float if value_type is None else NumericType.validate(value_type)
    if isinstance(value, bool):
        raise ValueError(f"invalid value {value!r}: it must be a number")  # noqa: TRY004  validators raise ValueError
    try:
        return kind(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"invalid value {value!r}: it cannot be read as {kind.__name__}") from None
