"""Watches builds and sends what is learnt of each, once, to a backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servo.connectors.builds.agent import Agent
    from servo.connectors.builds.build import Build, Image, Missing, Part, Phase
    from servo.connectors.builds.configuration import BuildsConfiguration
    from servo.connectors.builds.connector import BuildsConnector
    from servo.connectors.builds.sources import Batch, Source

__all__ = [
    "Agent",
    "Batch",
    "Build",
    "BuildsConfiguration",
    "BuildsConnector",
    "Image",
    "Missing",
    "Part",
    "Phase",
    "Source",
]

_HOMES = {
    "Agent": "agent",
    "Batch": "sources",
    "Build": "build",
    "BuildsConfiguration": "configuration",
    "BuildsConnector": "connector",
    "Image": "build",
    "Missing": "build",
    "Part": "build",
    "Phase": "build",
    "Source": "sources",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: a servo without builds pays nothing for them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found
