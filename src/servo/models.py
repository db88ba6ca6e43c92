"""The configuration class of a servo: its own part and a section for each connector it mounts.

Classes are kept by the routes they are made for, so that ten thousand servos with the same connectors share one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import Field, create_model

from servo.configuration.base import AbstractBaseConfiguration
from servo.configuration.environment import route_prefix
from servo.configuration.servo import BaseServoConfiguration
from servo.connector import BaseConnector
from servo.release import release

__all__ = ["configuration_model", "section_model"]

KEPT = 64
TITLE = "Servo Configuration Schema"

Routes = Mapping[str, type[BaseConnector]]


def configuration_model(
    routes: Routes, *, required: bool
) -> tuple[type[BaseServoConfiguration], dict[str, type[AbstractBaseConfiguration]]]:
    """Return the class for a servo with these routes, and the class of each section.

    Args:
        routes: Connector classes by the name of their section.
        required: Whether each section must be given.

    Raises:
        ValueError: A name cannot be that of a section.
    """
    model, sections = _model(tuple(routes.items()), required)
    return model, dict(sections)


@lru_cache(maxsize=KEPT)
def _model(
    routes: tuple[tuple[str, type[BaseConnector]], ...],
    required: bool,  # noqa: FBT001 - part of the cache's key
) -> tuple[type[BaseServoConfiguration], tuple[tuple[str, type[AbstractBaseConfiguration]], ...]]:
    sections = tuple((name, section_model(name, kind)) for name, kind in routes)
    fields: dict[str, Any] = {}
    for name, section in sections:
        _must_be_free(name)
        extra: dict[str, Any] = {"env_names": [route_prefix(name).removesuffix("_")]}
        fields[name] = (
            (section, Field(json_schema_extra=extra))
            if required
            else (section | None, Field(default=None, json_schema_extra=extra))
        )
    model = create_model(
        "ServoConfiguration", __base__=BaseServoConfiguration, __doc__=_description(routes), **fields
    )
    model.model_config["title"] = TITLE
    model.model_rebuild(force=True)
    return model, sections


@lru_cache(maxsize=KEPT * 4)
def section_model(name: str, connector: type[BaseConnector]) -> type[AbstractBaseConfiguration]:
    """Return the class of a connector's section under a name: titled for it, filled from its variables."""
    base = connector.config_model()
    is_default = name == connector.__default_name__
    namespace = {
        "__module__": base.__module__,
        "__doc__": base.__doc__,
        "model_config": {
            "title": f"{connector.full_name} Settings (named {name})",
            "env_prefix": route_prefix(name),
        },
    }
    class_name = base.__name__ if is_default else f"{base.__name__}__{name}"
    metaclass: Any = type(base)
    section: type[AbstractBaseConfiguration] = metaclass(class_name, (base,), namespace)
    return section


def _must_be_free(name: str) -> None:
    if name in BaseServoConfiguration.model_fields or hasattr(BaseServoConfiguration, name):
        raise ValueError(f'Name "{name}" is reserved')


def _description(routes: tuple[tuple[str, type[BaseConnector]], ...]) -> str:
    with_connectors = " and ".join(
        [f"{kind.full_name} v{kind.version}" for kind in dict.fromkeys(kind for _, kind in routes)]
    )
    text = f"Schema for configuration of Servo v{release()}"
    return f"{text} with {with_connectors}" if with_connectors else text
