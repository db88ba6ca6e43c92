"""What every section of a configuration can do."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import ConfigDict, Field, GetJsonSchemaHandler, SecretBytes, SecretStr, model_serializer
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from servo.configuration import environment
from servo.configuration.document import read_documents
from servo.configuration.sample import sample_values
from servo.types.core import BaseModel

__all__ = ["AbstractBaseConfiguration", "BaseConfiguration", "dump_yaml"]


class AbstractBaseConfiguration(BaseModel):
    """Base of all sections: unknown keys are errors, and the environment fills what a caller omits.

    Only direct construction reads the environment, each field from ``<CLASS>_<FIELD>`` in upper case (``VEGETA_RATE``)
    or from the names it declares with ``Field(json_schema_extra={"env_names": [...]})``. A section that is validated as
    part of a larger configuration gets its variables from there (``SERVO_<ROUTE>_<FIELD>``), so a stray variable never
    changes a nested value.
    """

    model_config = ConfigDict(
        extra="forbid",
        validate_assignment=True,
        validate_by_name=True,
        validate_by_alias=True,
        coerce_numbers_to_str=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,  # which may be a secret
        use_attribute_docstrings=False,
    )

    def __init__(self, /, **values: Any) -> None:
        super().__init__(**environment.fill(type(self), values, os.environ).values)

    # Marks the constructor as one that pydantic need not call for nested values: those do not read the environment.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # pydantic's own mark

    @classmethod
    def parse_file(  # type: ignore[override]  # the original's meaning, not that of Pydantic 1
        cls, path: Path | str, *, key: str | None = None
    ) -> list[Self]:
        """Read one configuration of each document of a YAML file.

        Args:
            path: The file.
            key: The key of each document to read instead of the whole.

        Raises:
            KeyError: A document has no such key.
            ConfigurationError: The file is no readable YAML.
        """
        return [cls.model_validate(_section(document.data, key)) for document in read_documents(path)]

    @classmethod
    def generate(cls, **values: Any) -> Self:
        """Return a sample: what is given, the defaults, and placeholders for what is required."""
        return cls.model_validate({**sample_values(cls, values), **values})

    def yaml(self, *, reveal_secrets: bool = False, comments: bool = False, **options: Any) -> str:
        """Return the configuration as YAML.

        Args:
            reveal_secrets: Whether secrets appear in clear; they are masked otherwise.
            comments: Whether each field's description stands above it.
            **options: Options of ``model_dump`` (``include``, ``exclude``, ``by_alias``, ``exclude_unset``,
                ``exclude_defaults``, ``exclude_none``), and ``sort_keys``.
        """
        sort_keys = bool(options.pop("sort_keys", False))
        data = self.plain(reveal_secrets=reveal_secrets, **options)
        if comments:
            from servo.configuration.comments import commented_yaml

            return commented_yaml(data, self)
        return dump_yaml(data, sort_keys=sort_keys)

    def plain(self, *, reveal_secrets: bool = False, **options: Any) -> dict[str, Any]:
        """Return the configuration as texts, numbers, lists and mappings, secrets masked unless they shall show."""
        context = {**(options.pop("context", None) or {}), "reveal_secrets": reveal_secrets}
        dumped: dict[str, Any] = self.model_dump(mode="json", context=context, **options)
        return dumped

    @classmethod
    def json_encoders(
        cls, extra: Mapping[type, Callable[[Any], Any]] | None = None
    ) -> dict[type, Callable[[Any], Any]]:
        """Return functions from a value's class to its JSON form, with ``extra`` added."""
        from servo.types.core import DEFAULT_JSON_ENCODERS

        return {**DEFAULT_JSON_ENCODERS, **(extra or {})}

    @property
    def logger(self) -> Any:
        """The log."""
        from servo.logging import logger

        return logger

    @model_serializer(mode="wrap")
    def _reveal_secrets(self, serialize: Any, info: Any) -> Any:
        dumped = serialize(self)
        if info.context and info.context.get("reveal_secrets") and info.mode == "json":
            return _revealed(self, dumped)
        return dumped

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Give the schema the title of a connector's configuration and each field the variables that fill it."""
        described = handler(schema)
        resolved = handler.resolve_ref_schema(described)
        if cls.model_config.get("title") is None:
            base = cls.__name__.removesuffix("Configuration")
            resolved["title"] = f"{base} Connector Configuration Schema"
        for name, info in cls.model_fields.items():
            property_ = resolved.get("properties", {}).get(info.alias or name)
            if property_ is not None:
                property_.pop("env_file", None)
                property_["env_names"] = list(environment.env_names(cls, name))
        return described


class BaseConfiguration(AbstractBaseConfiguration):
    """The configuration of a connector."""

    description: str | None = Field(default=None, description="An optional description of the configuration.")


def dump_yaml(data: Any, *, sort_keys: bool = False) -> str:
    """Return plain data as YAML in the layout of generated configurations."""
    text: str = yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=sort_keys, allow_unicode=True, width=4096)
    return text


def _section(data: Any, key: str | None) -> Any:
    if key is None:
        return {} if data is None else data
    if not isinstance(data, dict) or key not in data:
        raise KeyError(f"invalid key '{key}'")
    return data[key]


def _revealed(value: Any, dumped: Any) -> Any:
    """Return ``dumped`` with the secrets of ``value``, whose dump it is, in clear."""
    if isinstance(value, SecretStr | SecretBytes):
        secret = value.get_secret_value()
        return secret.decode() if isinstance(secret, bytes) else secret
    if isinstance(value, BaseModel) and isinstance(dumped, dict):
        fields = type(value).model_fields
        names = {str(info.serialization_alias or info.alias or name): name for name, info in fields.items()}
        return {
            key: _revealed(getattr(value, names.get(key) or key, None), item) for key, item in dumped.items()
        }
    if isinstance(value, Mapping) and isinstance(dumped, dict) and len(value) == len(dumped):
        return dict(zip(dumped, map(_revealed, value.values(), dumped.values()), strict=True))
    if isinstance(value, list | tuple) and isinstance(dumped, list) and len(value) == len(dumped):
        return list(map(_revealed, value, dumped))
    return dumped
