"""Builds environments and runs processes on this machine, without a container engine."""

from trimtab.engines.process.engine import ProcessEngine
from trimtab.engines.process.settings import ProcessSettings

__all__ = ["ProcessEngine", "ProcessSettings"]
