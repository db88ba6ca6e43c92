"""Readings on the scale on which they are modelled.

Losses of services have heavy tails: near saturation a latency is thousands of times what it is elsewhere, and a model
of the tail is a bad model of the optimum. So a reading y becomes log(y' + offset), y' being its distance from the least
one in units of the median's; the offset (infinite: no logarithm) is chosen by the likelihood, as in warped Gaussian
processes (Snelson, Rasmussen and Ghahramani 2003).
"""

import math
from dataclasses import dataclass

import numpy as np

from trimtab.optimizer.gaussian.columns import Array

__all__ = ["OFFSETS", "Warp"]

OFFSETS = (math.inf, 1.0, 0.1, 0.01, 0.001)
"""From no warping to much of it."""
_FLAT = 1e-12
"""Standard deviations below it are rounding."""
_SMALLEST = 1e-50
"""No difference between readings is as small; the square of what is scaled by it is still a number."""


@dataclass(frozen=True)
class Warp:
    """A monotone map of readings to a standardised scale.

    Args:
        offset: See the module.
        least: The least reading.
        unit: The median's distance from it.
        mean: Of the readings once mapped.
        sd: Their standard deviation.
    """

    offset: float
    least: float
    unit: float
    mean: float
    sd: float

    @classmethod
    def fitted(cls, readings: Array, offset: float) -> "Warp":
        """The map that standardises these readings."""
        least = float(readings.min())
        unit = float(np.median(readings)) - least or float(readings.max()) - least
        # Readings that are all alike, but for rounding, have no scale of their own.
        unit = unit if unit > max(_FLAT * abs(least), _SMALLEST) else max(abs(least), _SMALLEST)
        distances = (readings - least) / unit
        mapped = distances if math.isinf(offset) else np.log(distances + offset)
        sd = float(mapped.std())
        return cls(offset, least, unit, float(mapped.mean()), sd if sd > _FLAT else 1.0)

    @property
    def plain(self) -> bool:
        """Whether it is only standardisation."""
        return math.isinf(self.offset)

    def apply(self, readings: Array) -> Array:
        """Readings on the model's scale. Below the map's domain it goes on as a straight line."""
        distances = (np.asarray(readings, dtype=float) - self.least) / self.unit
        if self.plain:
            return np.asarray((distances - self.mean) / self.sd)
        inside = np.maximum(distances, 0.0)
        mapped = np.log(inside + self.offset) + np.minimum(distances, 0.0) / self.offset
        return np.asarray((mapped - self.mean) / self.sd)

    def slope(self, readings: Array) -> Array:
        """Derivative of `apply`."""
        distances = np.maximum((np.asarray(readings, dtype=float) - self.least) / self.unit, 0.0)
        rise = np.ones_like(distances) if self.plain else 1.0 / (distances + self.offset)
        return np.asarray(rise / (self.sd * self.unit))

    def invert(self, values: Array) -> Array:
        """Readings of values on the model's scale."""
        mapped = np.asarray(values, dtype=float) * self.sd + self.mean
        if self.plain:
            return np.asarray(self.least + self.unit * mapped)
        lowest = math.log(self.offset)
        inside = np.exp(np.clip(mapped, lowest, 700.0)) - self.offset
        return np.asarray(self.least + self.unit * (inside + np.minimum(mapped - lowest, 0.0) * self.offset))
