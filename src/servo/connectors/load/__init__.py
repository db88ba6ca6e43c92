"""Loads an application with HTTP requests and measures how it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servo.connectors.load.configuration import LoadConfiguration
    from servo.connectors.load.connector import LoadConnector

__all__ = ["LoadConfiguration", "LoadConnector"]


def __getattr__(name: str) -> Any:
    """Import what is asked for; the generator's process needs none of it, and starts the sooner."""
    if name == "LoadConnector":
        from servo.connectors.load.connector import LoadConnector

        return LoadConnector
    if name == "LoadConfiguration":
        from servo.connectors.load.configuration import LoadConfiguration

        return LoadConfiguration
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
