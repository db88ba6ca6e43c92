"""Settings as the wire nests them: ``application.components.<component>.settings.<setting>``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from servo.types.api import Adjustment

__all__ = ["adjustments_to_descriptor", "descriptor_to_adjustments"]


def descriptor_to_adjustments(descriptor: Mapping[str, Any]) -> list[Adjustment]:
    """Return an adjustment for each setting's value of an ADJUST command's ``state``.

    Args:
        descriptor: ``{"application": {"components": {...}}}``; a value keeps its JSON type.

    Raises:
        ValueError: It is not of that form; the message says where.
    """
    components = _mapping(_mapping(descriptor, "application"), "components")
    return [
        Adjustment(
            component_name=component, setting_name=setting, value=_value(attributes, component, setting)
        )
        for component in components
        for setting, attributes in _mapping(_mapping(components, component), "settings").items()
    ]


def adjustments_to_descriptor(adjustments: Iterable[Adjustment]) -> dict[str, Any]:
    """Return the ``param`` of an ADJUST command for adjustments."""
    components: dict[str, Any] = {}
    for adjustment in adjustments:
        settings = components.setdefault(adjustment.component_name, {"settings": {}})["settings"]
        settings[adjustment.setting_name] = {"value": adjustment.value}
    return {"state": {"application": {"components": components}}}


def _mapping(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key) if isinstance(holder, Mapping) else None
    if not isinstance(value, Mapping):
        raise ValueError(f"{key!r} must be an object")  # noqa: TRY004 - the wire's values are wrong, not the caller's types
    return value


def _value(attributes: Any, component: str, setting: str) -> Any:
    if not isinstance(attributes, Mapping) or "value" not in attributes:
        raise ValueError(f"the setting '{component}.{setting}' has no value")
    return attributes["value"]
