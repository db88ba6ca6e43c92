"""Search without a model: the yardstick of the others."""

import numpy as np

from trimtab.optimizer.space import Space
from trimtab.optimizer.strategy import Context, Observation, Suggestion

__all__ = ["Random"]


class Random:
    """Points drawn uniformly and independently."""

    def __init__(self, space: Space, *, seed: int, n_constraints: int = 0) -> None:
        del n_constraints  # nothing is learned
        self._space = space
        self._seed = seed

    def suggest(self, context: Context) -> Suggestion:
        """A point drawn by the trial's number alone."""
        draw = np.random.default_rng([self._seed, context.number])
        return Suggestion(self._space.from_unit(draw.random(self._space.dimensions)), "drawn at random")

    def observe(self, observation: Observation) -> None:
        """Nothing is learned."""
