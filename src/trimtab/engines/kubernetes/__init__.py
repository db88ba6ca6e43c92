"""Builds and runs in a cluster: a Job each, its image in a registry."""

from trimtab.engines.kubernetes.engine import KubernetesEngine
from trimtab.engines.kubernetes.settings import KubernetesSettings

__all__ = ["KubernetesEngine", "KubernetesSettings"]
