"""How images are built in a cluster."""

from trimtab.engines.kubernetes.strategies.buildah import Buildah
from trimtab.engines.kubernetes.strategies.strategy import Order, Strategy

__all__ = ["Buildah", "Order", "Strategy"]
