"""Adjusts workloads of a Kubernetes cluster: their cpu, memory, replicas and environment."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servo.connectors.kubernetes.configuration import (
        ContainerConfiguration,
        DeploymentConfiguration,
        KubernetesConfiguration,
        RolloutConfiguration,
        StatefulSetConfiguration,
    )
    from servo.connectors.kubernetes.connector import KubernetesConnector
    from servo.connectors.kubernetes.options import AutoscalerMode, FailureMode, PermissionSet, ResizeMode
    from servo.connectors.kubernetes.quantities import Core, ShortByteSize
    from servo.connectors.kubernetes.resources import CPU, Memory
    from servo.connectors.kubernetes.strategies import CanaryStrategy, DefaultStrategy

__all__ = [
    "CPU",
    "AutoscalerMode",
    "CanaryStrategy",
    "ContainerConfiguration",
    "Core",
    "DefaultStrategy",
    "DeploymentConfiguration",
    "FailureMode",
    "KubernetesConfiguration",
    "KubernetesConnector",
    "Memory",
    "PermissionSet",
    "ResizeMode",
    "RolloutConfiguration",
    "ShortByteSize",
    "StatefulSetConfiguration",
]

_MODULES = {
    "connector": ("KubernetesConnector",),
    "options": ("AutoscalerMode", "FailureMode", "PermissionSet", "ResizeMode"),
    "quantities": ("Core", "ShortByteSize"),
    "resources": ("CPU", "Memory"),
    "strategies": ("CanaryStrategy", "DefaultStrategy"),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    owner = next((module for module, names in _MODULES.items() if name in names), "configuration")
    return getattr(importlib.import_module(f"{__name__}.{owner}"), name)
