"""Runs an application as a child of the agent and adjusts its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servo.connectors.process.configuration import ProcessConfiguration
    from servo.connectors.process.connector import ProcessConnector

__all__ = ["ProcessConfiguration", "ProcessConnector"]


def __getattr__(name: str) -> Any:
    """Import what is asked for; the supervisor's functions need nothing of it."""
    if name == "ProcessConnector":
        from servo.connectors.process.connector import ProcessConnector

        return ProcessConnector
    if name == "ProcessConfiguration":
        from servo.connectors.process.configuration import ProcessConfiguration

        return ProcessConfiguration
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
