"""What each coordinate of a point in the unit cube is, for whole arrays at once."""

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from trimtab.optimizer.space import Parameter, Space

__all__ = ["Array", "Columns", "Indices"]

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.signedinteger[Any]]
Flags = npt.NDArray[np.bool_]

_FINE = 10_000
"""A setting with more levels than this is treated as continuous until it is set."""


class Columns:
    """The coordinates of a space.

    Args:
        space: Whose free parameters they are.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.count = space.dimensions
        self.categorical: Flags = np.array([each.categorical for each in space.free])
        self.numeric: Flags = ~self.categorical
        self._levels = [_coordinates(each) for each in space.free]

    @cached_property
    def continuous(self) -> bool:
        """Whether any two points may be as close as one likes in every coordinate."""
        return all(levels is None for levels in self._levels)

    def snap(self, points: Array) -> Array:
        """The nearest points whose coordinates are on their lattices: shape (n, count) in and out."""
        snapped = np.clip(points, 0.0, 1.0)
        for column, levels in enumerate(self._levels):
            if levels is not None:
                snapped[:, column] = _nearest(levels, snapped[:, column])
        return snapped

    def draw(self, random: np.random.Generator, count: int) -> Array:
        """Uniform points: shape (count, columns)."""
        return self.snap(random.random((count, self.count)))

    def neighbours(
        self, random: np.random.Generator, centres: Array, reach: Array, frame: Array | None = None
    ) -> Array:
        """Points near centres, each moved in some coordinates: at least one, about four of many.

        Args:
            random: Of the draw.
            centres: Shape (n, count).
            reach: Typical distance along each axis, shape (count,); a category jumps with this probability.
            frame: The axes; None where they are the coordinates.
        """
        shape = centres.shape
        moved = random.random(shape) < max(0.3, min(1.0, 4.0 / self.count))
        moved[np.arange(len(centres)), random.integers(self.count, size=len(centres))] = True
        steps = random.standard_normal(shape) * reach
        if frame is not None:
            steps, moved = np.where(moved, steps, 0.0) @ frame.T, np.ones(shape, dtype=bool)
        steps = self._at_least_one_level(steps, reach)
        jumps = random.random(shape)
        change = self.categorical & (random.random(shape) < np.maximum(reach, 0.1))
        near = np.where(self.numeric, centres + steps, np.where(change, jumps, centres))
        return self.snap(np.where(moved, near, centres))

    def _at_least_one_level(self, steps: Array, reach: Array) -> Array:
        """Widen steps that would snap back to where they came from."""
        gaps = np.array([0.0 if levels is None else 1.0 / max(1, len(levels) - 1) for levels in self._levels])
        return np.where(reach < gaps, np.sign(steps) * np.maximum(np.abs(steps), gaps), steps)


def _coordinates(parameter: Parameter) -> Array | None:
    """The lattice of a parameter; None if it is continuous or as good as."""
    count = parameter.levels
    if count is None or count > _FINE:
        return None
    if parameter.kind == "enum":
        return np.array([parameter.to_unit(value) for value in parameter.ordered])
    step = parameter.step or 1.0
    return np.array([parameter.to_unit(parameter.snap(parameter.minimum + i * step)) for i in range(count)])


def _nearest(levels: Array, values: Array) -> Array:
    right = np.clip(np.searchsorted(levels, values), 1, len(levels) - 1)
    below, above = levels[right - 1], levels[right]
    return np.where(values - below <= above - values, below, above)
