"""Builds and runs with podman or Docker, through their command."""

from trimtab.engines.container.engine import ContainerEngine
from trimtab.engines.container.settings import ContainerSettings

__all__ = ["ContainerEngine", "ContainerSettings"]
