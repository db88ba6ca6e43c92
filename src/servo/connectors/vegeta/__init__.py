"""Loads an application with vegeta, and measures by its reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servo.connectors.vegeta.checks import VegetaChecks
    from servo.connectors.vegeta.configuration import TargetFormat, VegetaConfiguration
    from servo.connectors.vegeta.connector import VegetaConnector
    from servo.connectors.vegeta.report import Latencies, VegetaReport

_HOMES = {
    "Latencies": "report",
    "TargetFormat": "configuration",
    "VegetaChecks": "checks",
    "VegetaConfiguration": "configuration",
    "VegetaConnector": "connector",
    "VegetaReport": "report",
}

__all__ = [
    "Latencies",
    "TargetFormat",
    "VegetaChecks",
    "VegetaConfiguration",
    "VegetaConnector",
    "VegetaReport",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for: a servo without vegeta pays nothing for it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found
