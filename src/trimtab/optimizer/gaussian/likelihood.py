"""How plausible hyperparameters are, given readings and what is known beforehand; and the most plausible ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import fmin_l_bfgs_b

from trimtab.optimizer.gaussian.columns import Array, Columns
from trimtab.optimizer.gaussian.kernel import CONSTANT, SQRT5, Kernel, polynomial, turned

__all__ = ["JITTER", "Hyperparameters", "Readings", "most_plausible", "starts"]

JITTER = 1e-9
_IMPOSSIBLE = 1e10
_MATERN, _BOWL, _RUGGED, _NOISE = -4, -3, -2, -1

# Logarithms of (typical value, lower bound, upper bound), and how far from typical is surprising.
_SCALE = (math.log(0.6), math.log(0.02), math.log(30.0), 0.8)
_OTHERS = (
    (math.log(1.0), math.log(0.03), math.log(10.0), 1.0),  # Matérn
    (math.log(0.5), math.log(1e-3), math.log(30.0), 1.5),  # bowl
    (math.log(0.005), math.log(1e-5), math.log(1.0), 1.5),  # ruggedness
    (math.log(0.05), math.log(1e-5), math.log(2.0), 2.0),  # noise
)
_SMOOTH = (math.log(1e-5), math.log(0.03))


@dataclass(frozen=True)
class Readings:
    """Standardised means of readings, one for each distinct point.

    Args:
        columns: What the coordinates are.
        points: Shape (n, count).
        values: Shape (n,), of mean 0 and variance 1.
        counts: How many readings each mean is of.
        noise: Variance of a reading of each point, relative to the noise hyperparameter; 1 where alike.
        squares: Sum of squares of readings about the means of their points, on the same scale.
        freedom: Degrees of freedom of these squares: readings less points.
        rough: Whether points may differ from their neighbours for no reason; if not, ruggedness is held low.
        frame: The axes of the length scales; None where they are the coordinates.
    """

    columns: Columns
    points: Array
    values: Array
    counts: Array
    noise: Array
    squares: float = 0.0
    freedom: int = 0
    rough: bool = True
    frame: Array | None = None

    @cached_property
    def differences(self) -> Array:
        """Squared differences by coordinate, 0 or 1 of categories: shape (count, n * n)."""
        points = turned(self.points, self.frame)
        gaps = (points[:, None, :] - points[None, :, :]) ** 2
        gaps[:, :, self.columns.categorical] = gaps[:, :, self.columns.categorical] > 0
        return np.ascontiguousarray(gaps.transpose(2, 0, 1).reshape(points.shape[1], -1))

    @cached_property
    def polynomial(self) -> Array:
        """The polynomial part of the kernel."""
        return polynomial(self.columns, self.points, self.points)


@dataclass(frozen=True)
class Hyperparameters:
    """Logarithms of length scales, then of the standard deviations of Matérn, bowl, ruggedness and noise."""

    logarithms: Array

    @property
    def noise(self) -> float:
        """Variance of a reading."""
        return math.exp(2 * self.logarithms[_NOISE])

    def doubting(self) -> "Hyperparameters":
        """The same, but no surer of the landscape's shape than before anything was measured."""
        logarithms = self.logarithms.copy()
        logarithms[:_MATERN] = np.minimum(logarithms[:_MATERN], _SCALE[0])
        logarithms[_MATERN] = max(logarithms[_MATERN], _OTHERS[0][0])
        return Hyperparameters(logarithms)

    def kernel(self, columns: Columns, frame: Array | None = None) -> Kernel:
        """The kernel they describe, its length scales along the axes of a frame."""
        matern, bowl, rugged = (math.exp(2 * self.logarithms[i]) for i in (_MATERN, _BOWL, _RUGGED))
        return Kernel(columns, np.exp(self.logarithms[:_MATERN]), matern, bowl, rugged, frame)


def starts(readings: Readings) -> list[Array]:
    """Where to look for the most plausible: a landscape of hills, and a single bowl."""
    hills = _typical(readings.columns.count)[0]
    if readings.freedom:
        known = 0.5 * math.log(max(readings.squares, 1e-12) / readings.freedom)
        hills[_NOISE] = np.clip(known, *_OTHERS[_NOISE][1:3])
    bowl = hills.copy()
    bowl[:_MATERN] = 0.0
    bowl[_MATERN], bowl[_BOWL] = math.log(0.15), math.log(2.0)
    return [hills, bowl]


def most_plausible(
    readings: Readings, begin: Sequence[Array], iterations: int
) -> tuple[Hyperparameters, float]:
    """Maximise the posterior density by L-BFGS from each start.

    Returns:
        The hyperparameters, and the logarithm of the density at them.
    """
    typical, surprise = _typical(readings.columns.count)
    bounds = [_SCALE[1:3]] * readings.columns.count + [each[1:3] for each in _OTHERS]
    if not readings.rough:
        bounds[_RUGGED] = _SMOOTH
    best, best_value = begin[0], math.inf
    for start in begin:
        clipped = np.clip(start, *np.array(bounds).T)
        found, value, _ = fmin_l_bfgs_b(
            implausibility,
            clipped,
            args=(readings, typical, surprise),
            bounds=bounds,
            maxiter=iterations,
            factr=1e9,
        )
        if value < best_value:
            best, best_value = found, float(value)
    return Hyperparameters(best), -best_value


def _typical(count: int) -> tuple[Array, Array]:
    rows = [_SCALE] * count + list(_OTHERS)
    return np.array([row[0] for row in rows]), np.array([row[3] for row in rows])


def implausibility(
    logarithms: Array, readings: Readings, typical: Array, surprise: Array
) -> tuple[float, Array]:
    """Minus the log posterior density of hyperparameters, up to a constant, and its gradient.

    Rasmussen and Williams (2006), 5.9; the squares within points inform the noise as a chi-squared variable.
    """
    n = len(readings.values)
    matern, bowl, rugged, noise = np.exp(2 * logarithms[_MATERN:])
    inverse_squares = np.exp(-2 * logarithms[:_MATERN])
    squared = inverse_squares @ readings.differences
    distance = np.sqrt(squared)
    decay, linear = np.exp(-SQRT5 * distance), 1 + SQRT5 * distance
    smooth = matern * (linear + (5 / 3) * squared) * decay
    covariance = smooth.reshape(n, n) + bowl * readings.polynomial + CONSTANT
    share = readings.noise / readings.counts
    covariance.flat[:: n + 1] += rugged + noise * share + JITTER
    factor, problem = lapack.dpotrf(covariance, lower=1, overwrite_a=1)
    if problem:
        return _IMPOSSIBLE, np.zeros_like(logarithms)
    weights = lapack.dpotrs(factor, readings.values, lower=1)[0]
    inverse = lapack.dpotri(factor, lower=1)[0]
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    pull = np.outer(weights, weights) - inverse
    flat, diagonal = pull.ravel(), np.diag(pull)
    gradient = np.empty_like(logarithms)
    gradient[:_MATERN] = (
        -0.5 * (readings.differences @ ((5 / 3) * matern * linear * decay * flat)) * inverse_squares
    )
    gradient[_MATERN] = -(flat @ smooth)
    gradient[_BOWL] = -bowl * (flat @ readings.polynomial.ravel())
    gradient[_RUGGED] = -rugged * diagonal.sum()
    gradient[_NOISE] = -noise * (diagonal @ share)
    value = 0.5 * readings.values @ weights + np.log(np.diag(factor)).sum()
    if readings.freedom:
        value += readings.freedom * logarithms[_NOISE] + readings.squares / (2 * noise)
        gradient[_NOISE] += readings.freedom - readings.squares / noise
    surprising = (logarithms - typical) / surprise
    return float(value + 0.5 * surprising @ surprising), gradient + surprising / surprise
