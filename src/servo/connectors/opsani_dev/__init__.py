"""Tunes one Deployment behind a service: a tuning pod, and metrics from a proxy in front of each pod."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servo.connectors.kubernetes.sidecar import ENVOY_SIDECAR_DEFAULT_PORT, ENVOY_SIDECAR_NAME
    from servo.connectors.opsani_dev.checks import OpsaniDevChecks
    from servo.connectors.opsani_dev.configuration import (
        ENVOY_SIDECAR_IMAGE,
        PROMETHEUS_SIDECAR_BASE_URL,
        OpsaniDevConfiguration,
    )
    from servo.connectors.opsani_dev.connector import OpsaniDevConnector

__all__ = [
    "ENVOY_SIDECAR_DEFAULT_PORT",
    "ENVOY_SIDECAR_IMAGE",
    "ENVOY_SIDECAR_NAME",
    "PROMETHEUS_SIDECAR_BASE_URL",
    "OpsaniDevChecks",
    "OpsaniDevConfiguration",
    "OpsaniDevConnector",
]

_HOME = "servo.connectors.opsani_dev"
_MODULES = {
    "OpsaniDevChecks": f"{_HOME}.checks",
    "OpsaniDevConnector": f"{_HOME}.connector",
    "ENVOY_SIDECAR_DEFAULT_PORT": "servo.connectors.kubernetes.sidecar",
    "ENVOY_SIDECAR_NAME": "servo.connectors.kubernetes.sidecar",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES.get(name, f"{_HOME}.configuration")), name)
