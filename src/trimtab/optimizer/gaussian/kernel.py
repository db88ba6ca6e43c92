"""How alike two points are.

The kernel is a sum: a constant; an inhomogeneous polynomial of second degree, for most surfaces have a bowl in them;
a Matérn 5/2 with a length scale for every coordinate (categories count as at distance 1); and ruggedness, a part that
is a point's own, which repeated measurements of it share and neighbours do not.
"""

import math
from dataclasses import dataclass

import numpy as np

from trimtab.optimizer.gaussian.columns import Array, Columns

__all__ = ["CONSTANT", "SQRT5", "Kernel", "polynomial", "turned"]

SQRT5 = math.sqrt(5.0)
CONSTANT = 1.0
"""Variance of the constant, on the scale of standardised readings."""


@dataclass(frozen=True)
class Kernel:
    """A kernel with its hyperparameters.

    Args:
        columns: What the coordinates are.
        scales: Length scales, shape (count,).
        matern: Variance of the Matérn part.
        bowl: Variance of the polynomial part.
        ruggedness: Variance of a point's own part.
        frame: The axes of the length scales, in columns; None where they are the coordinates.
    """

    columns: Columns
    scales: Array
    matern: float
    bowl: float
    ruggedness: float
    frame: Array | None = None

    def between(self, left: Array, right: Array) -> Array:
        """Covariances of the smooth part, without ruggedness: shape (len(left), len(right))."""
        squared = self._squared(left, right)
        distance = np.sqrt(squared)
        matern = (1 + SQRT5 * distance + (5 / 3) * squared) * np.exp(-SQRT5 * distance)
        return np.asarray(CONSTANT + self.matern * matern + self.bowl * polynomial(self.columns, left, right))

    def variance(self, points: Array) -> Array:
        """Prior variance of the smooth part at each point."""
        centred = (2 * points - 1)[:, self.columns.numeric]
        bowl = (1 + (centred**2).sum(1)) ** 2 / (1 + centred.shape[1])
        return np.asarray(CONSTANT + self.matern + self.bowl * bowl)

    def _squared(self, left: Array, right: Array) -> Array:
        numeric = self.columns.numeric
        a, b = (turned(points, self.frame)[:, numeric] / self.scales[numeric] for points in (left, right))
        squared = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * a @ b.T
        for column in np.flatnonzero(self.columns.categorical):
            differ = left[:, column][:, None] != right[:, column][None]
            squared += differ / self.scales[column] ** 2
        return np.asarray(np.maximum(squared, 0.0))

    def slopes(self, point: Array, others: Array) -> tuple[Array, Array]:
        """Covariances of one point with others, and their derivatives by its coordinates.

        Returns:
            Shapes (n,) and (n, count); derivatives by categories are 0.
        """
        numeric = self.columns.numeric
        difference = turned(np.where(numeric, point - others, (point != others).astype(float)), self.frame)
        squared = ((difference / self.scales) ** 2).sum(1)
        distance = np.sqrt(squared)
        decay = np.exp(-SQRT5 * distance)
        u, v = (2 * point - 1) * numeric, (2 * others - 1) * numeric
        bowl = self.bowl / (1 + numeric.sum())
        along = 1 + v @ u
        value = CONSTANT + self.matern * (1 + SQRT5 * distance + (5 / 3) * squared) * decay + bowl * along**2
        pull = -self.matern * (5 / 3) * (1 + SQRT5 * distance) * decay
        along_axes = pull[:, None] * difference / self.scales**2
        matern_slope = along_axes if self.frame is None else along_axes @ self.frame.T
        slope = matern_slope * numeric + (4 * bowl * along)[:, None] * v
        return value, slope

    def variance_slope(self, point: Array) -> tuple[float, Array]:
        """Prior variance at one point, and its derivative."""
        numeric = self.columns.numeric
        u = (2 * point - 1) * numeric
        bowl = self.bowl / (1 + numeric.sum())
        along = 1 + float(u @ u)
        return CONSTANT + self.matern + bowl * along**2, 8 * bowl * along * u


def turned(points: Array, frame: Array | None) -> Array:
    """Points by their coordinates along the axes of a frame."""
    return points if frame is None else points @ frame


def polynomial(columns: Columns, left: Array, right: Array) -> Array:
    """The polynomial part of variance 1: shape (len(left), len(right))."""
    numeric = columns.numeric
    a, b = (2 * left - 1)[:, numeric], (2 * right - 1)[:, numeric]
    return np.asarray((1 + a @ b.T) ** 2 / (1 + a.shape[1]))
