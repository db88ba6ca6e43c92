"""JSON Schemas of servos and their connectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from servo.connector import BaseConnector
from servo.models import section_model

if TYPE_CHECKING:
    from servo.servo import Servo

__all__ = ["top_level_schema"]


def top_level_schema(servo: Servo, *, every: bool = False) -> dict[str, Any]:
    """Return one schema with those of a servo's connectors as definitions.

    Args:
        servo: Whose connectors.
        every: Whether to describe all routes rather than the active connectors.
    """
    active: list[tuple[str, type[BaseConnector]]] = [
        (connector.name, type(connector)) for connector in servo.connectors
    ]
    routes = list(servo.routes.items()) if every else active
    models = [(section_model(name, kind), "validation") for name, kind in routes]
    _, schema = models_json_schema(models, title="Servo Schema")  # type: ignore[arg-type]  # the mode is a literal
    return schema
