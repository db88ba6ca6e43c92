"""What is believed of every point, given readings and a kernel."""

import math
from functools import cached_property

import numpy as np
from scipy.linalg import lapack

from trimtab.optimizer.gaussian.columns import Array
from trimtab.optimizer.gaussian.kernel import Kernel
from trimtab.optimizer.gaussian.likelihood import JITTER, Hyperparameters, Readings

__all__ = ["Posterior"]

_LEAST = 1e-12


class Posterior:
    """A Gaussian process conditioned on readings, on the scale of these.

    Args:
        readings: What was measured.
        hyperparameters: Of the kernel and the noise.
    """

    def __init__(self, readings: Readings, hyperparameters: Hyperparameters) -> None:
        self.readings = readings
        self.hyperparameters = hyperparameters
        self.kernel: Kernel = hyperparameters.kernel(readings.columns, readings.frame)
        self.noise: Array = hyperparameters.noise * readings.noise / readings.counts + JITTER
        covariance = self.kernel.between(readings.points, readings.points)
        n = len(readings.values)
        covariance.flat[:: n + 1] += self.kernel.ruggedness + self.noise
        factor = np.linalg.cholesky(covariance)
        inverse = lapack.dpotri(factor, lower=1)[0]
        self.inverse: Array = np.tril(inverse) + np.tril(inverse, -1).T
        self.weights: Array = self.inverse @ readings.values

    @cached_property
    def measured_mean(self) -> Array:
        """At the measured points, their ruggedness included: what a point itself gives, without noise."""
        return np.asarray(self.readings.values - self.noise * self.weights)

    @cached_property
    def measured_variance(self) -> Array:
        """Of `measured_mean`."""
        return np.maximum(self.noise - self.noise**2 * np.diag(self.inverse), _LEAST)

    @cached_property
    def left_out(self) -> Array:
        """Standardised residual of each point's mean, had it been left out (Dubrule 1983)."""
        return np.asarray(self.weights / np.sqrt(np.diag(self.inverse)))

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Mean and variance of the smooth part at points, each of shape (n,)."""
        cross = self.kernel.between(points, self.readings.points)
        variance = self.kernel.variance(points) - ((cross @ self.inverse) * cross).sum(1)
        return cross @ self.weights, np.maximum(variance, _LEAST)

    def slope(self, point: Array) -> tuple[float, float, Array, Array]:
        """Mean and variance of the smooth part at one point, and their derivatives by its coordinates."""
        cross, moving = self.kernel.slopes(point, self.readings.points)
        prior, prior_slope = self.kernel.variance_slope(point)
        solved = self.inverse @ cross
        variance = max(prior - float(cross @ solved), _LEAST)
        return float(cross @ self.weights), variance, self.weights @ moving, prior_slope - 2 * solved @ moving

    def noise_near(self, mean: float) -> float:
        """Standard deviation of one reading of a point with this mean."""
        order = np.argsort(self.measured_mean)
        relative = np.interp(mean, self.measured_mean[order], self.readings.noise[order])
        return math.sqrt(self.hyperparameters.noise * float(relative))
