"""The default strategy."""

from trimtab.optimizer.strategies.random import Random

__all__ = ["GaussianProcess"]


class GaussianProcess(Random):
    """A Gaussian process with a noise model."""
