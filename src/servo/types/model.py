"""The base of Servo's own models."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self, TypeAlias

import pydantic
from pydantic import ConfigDict, SecretStr

from servo.types.duration import Duration

__all__ = ["DEFAULT_JSON_ENCODERS", "BaseModel", "BaseModelConfig", "OldNames", "PositionalModel"]

BaseModelConfig = ConfigDict(validate_default=True, validate_assignment=True, arbitrary_types_allowed=True)
"""How our models validate: defaults and assignments too."""

DEFAULT_JSON_ENCODERS: Mapping[type, Any] = {
    Duration: Duration.human_readable,
    timedelta: timedelta.total_seconds,
    SecretStr: str,
}
"""How values that JSON does not know are written. A secret is written as asterisks."""

_Fields: TypeAlias = dict[str, Any]


class OldNames(pydantic.BaseModel):
    """Method names of Pydantic 1 that connectors written for ServoX call on its models; each does what it did.

    Pydantic 2 has them still, but warns, and of some changed the meaning.
    """

    @classmethod
    def parse_obj(cls, obj: Any) -> Self:
        """Validate ``obj``; today's ``model_validate``."""
        return cls.model_validate(obj)

    @classmethod
    def construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:
        """Make a model of trusted values; today's ``model_construct``."""
        return cls.model_construct(_fields_set, **values)  # type: ignore[return-value]  # the plugin's reading of Self

    @classmethod
    def schema(cls, by_alias: bool = True, **options: Any) -> _Fields:  # type: ignore[override]  # noqa: FBT001, FBT002  the old signature
        """Return the JSON Schema; today's ``model_json_schema``."""
        return cls.model_json_schema(by_alias=by_alias, **options)

    def dict(self, **options: Any) -> _Fields:
        """Return the fields; today's ``model_dump``."""
        return self.model_dump(**options)

    def json(self, **options: Any) -> str:
        """Return the fields as JSON; today's ``model_dump_json``."""
        return self.model_dump_json(**options)

    def copy(
        self,
        *,
        include: Any = None,
        exclude: Any = None,
        update: Mapping[str, Any] | None = None,
        deep: bool = False,
    ) -> Self:
        """Copy the model without validation, with some fields left out or changed; today's ``model_copy``."""
        copied = self.model_copy(update=update, deep=deep)
        if include is not None or exclude is not None:
            _drop(copied, keep=set(self.model_dump(include=include, exclude=exclude)) | set(update or ()))
        return copied


class BaseModel(OldNames):
    """A model that validates defaults and assignments, and answers to the method names of Pydantic 1."""

    model_config = BaseModelConfig

    def __setattr__(self, name: str, value: Any) -> None:
        before = self.__dict__.copy()
        try:
            super().__setattr__(name, value)
        except pydantic.ValidationError:
            # A validator of the whole model runs when the value is already set; what it refuses must not stay.
            self.__dict__.clear()
            self.__dict__.update(before)
            raise


class PositionalModel(BaseModel):
    """A model whose fields may also be given by position, in the order they are declared."""

    def __init__(self, *values: Any, **fields: Any) -> None:
        names = list(type(self).model_fields)
        if len(values) > len(names):
            raise TypeError(f"{type(self).__name__} takes at most {len(names)} values, not {len(values)}")
        given = dict(zip(names, values, strict=False))
        if twice := sorted(given.keys() & fields.keys()):
            raise TypeError(f"{type(self).__name__} got {twice[0]!r} by position and by name")
        super().__init__(**given, **fields)


def _drop(model: pydantic.BaseModel, keep: set[str]) -> None:
    for name in model.__dict__.keys() - keep:
        del model.__dict__[name]
        model.__pydantic_fields_set__.discard(name)
