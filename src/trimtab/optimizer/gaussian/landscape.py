"""The objective, the SLOs and whether points come up, believed together."""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.special import log_ndtr

from trimtab.optimizer.gaussian.columns import Array, Columns
from trimtab.optimizer.gaussian.model import Belief, Model
from trimtab.optimizer.space import Point, Space
from trimtab.optimizer.strategy import Observation
from trimtab.optimizer.trial import Prediction

__all__ = ["Bound", "Landscape", "Surface"]

_BREAKS = 0.5
"""Health is modelled as 0 for a point that was measured and 1 for one that broke."""


@dataclass(frozen=True)
class Bound:
    """A quantity that must not exceed a limit, on the scale of its model."""

    belief: Belief
    limit: float

    def log_probability(self, points: Array) -> Array:
        """Logarithm of the probability that points keep it."""
        mean, variance = self.belief.posterior.predict(points)
        sd = np.sqrt(variance + self.belief.posterior.kernel.ruggedness)
        return np.asarray(log_ndtr((self.limit - mean) / sd))

    def slope(self, point: Array) -> tuple[float, Array]:
        """The same at one point, and its derivative."""
        mean, variance, mean_slope, variance_slope = self.belief.posterior.slope(point)
        sd = math.sqrt(variance + self.belief.posterior.kernel.ruggedness)
        z = (self.limit - mean) / sd
        value = float(log_ndtr(z))
        hazard = math.exp(-0.5 * z * z - value) / math.sqrt(2 * math.pi)
        return value, hazard * (-mean_slope - z * variance_slope / (2 * sd)) / sd

    @cached_property
    def measured(self) -> dict[bytes, float]:
        """Log probability at measured points, by coordinates; what they showed themselves is in it."""
        posterior = self.belief.posterior
        z = (self.limit - posterior.measured_mean) / np.sqrt(posterior.measured_variance)
        keys = (point.tobytes() for point in posterior.readings.points)
        return dict(zip(keys, map(float, log_ndtr(z)), strict=True))


@dataclass(frozen=True)
class Surface:
    """What is believed after some observations.

    Args:
        space: The settings.
        objective: To be minimised.
        bounds: SLOs, and health if something broke.
        tried: Coordinates of every point that was observed, those that broke included.
    """

    space: Space
    objective: Belief
    bounds: tuple[Bound, ...]
    tried: frozenset[bytes]

    def doubting(self) -> "Surface":
        """The same, less sure of the objective away from what was measured."""
        return replace(self, objective=self.objective.doubting())

    @property
    def points(self) -> Array:
        """Coordinates of the points whose objective was measured, shape (n, count)."""
        return self.objective.posterior.readings.points

    @cached_property
    def feasibility(self) -> Array:
        """Probability of each of `points` to keep all bounds."""
        logs = np.zeros(len(self.points))
        for bound in self.bounds:
            logs += self._at_points(bound)
        return np.exp(logs)

    def _at_points(self, bound: Bound) -> Array:
        elsewhere = bound.log_probability(self.points)
        known = bound.measured
        return np.array(
            [known.get(point.tobytes(), other) for point, other in zip(self.points, elsewhere, strict=True)]
        )

    def log_feasibility(self, points: Array) -> Array:
        """Logarithm of the probability of unmeasured points to keep all bounds."""
        return sum((bound.log_probability(points) for bound in self.bounds), np.zeros(len(points)))

    @cached_property
    def _index(self) -> dict[bytes, int]:
        return {point.tobytes(): i for i, point in enumerate(self.points)}

    def score(self, coordinates: Array, caution: float) -> float | None:
        """Mean of a measured point, and `caution` standard deviations, on the model's scale; None if not measured."""
        i = self._index.get(coordinates.tobytes())
        posterior = self.objective.posterior
        if i is None:
            return None
        return float(posterior.measured_mean[i] + caution * math.sqrt(posterior.measured_variance[i]))

    def believed(self, coordinates: Array) -> Prediction | None:
        """What a measured point gives, its own readings included; None if it was not measured."""
        i = self._index.get(coordinates.tobytes())
        if i is None:
            return None
        posterior = self.objective.posterior
        middle, sd = self.objective.quantiles(
            posterior.measured_mean[i : i + 1], posterior.measured_variance[i : i + 1]
        )
        return Prediction(float(middle[0]), float(sd[0]), float(self.feasibility[i]))

    def feasible(self, coordinates: Array) -> float:
        """Probability of a measured point to keep all bounds; 0 if it was not measured."""
        i = self._index.get(coordinates.tobytes())
        return 0.0 if i is None else float(self.feasibility[i])

    def best(self, caution: float, demanded: float) -> int | None:
        """The best of `points`.

        Args:
            caution: Standard deviations of doubt that count against a point.
            demanded: Probability of feasibility.

        Returns:
            Its index; None if no point is feasible with that probability.
        """
        posterior = self.objective.posterior
        scores = posterior.measured_mean + caution * np.sqrt(posterior.measured_variance)
        allowed = self.feasibility >= demanded
        return int(np.argmin(np.where(allowed, scores, np.inf))) if allowed.any() else None

    def predict(self, point: Point) -> Prediction:
        """What a point is expected to give; mean and sd of the loss in its own unit."""
        return self.predict_at(self.space.to_unit(point))

    def predict_at(self, coordinates: Array) -> Prediction:
        """The same by coordinates."""
        at = coordinates[None]
        mean, variance = self.objective.posterior.predict(at)
        middle, sd = self.objective.quantiles(mean, variance)
        return Prediction(float(middle[0]), float(sd[0]), float(np.exp(self.log_feasibility(at)[0])))


@dataclass
class Landscape:
    """Takes observations, gives the surface they suggest.

    Args:
        space: The settings.
        n_constraints: How many SLOs there are.
    """

    space: Space
    n_constraints: int = 0
    columns: Columns = field(init=False)
    _observed: int = field(init=False, default=0)
    _surface: tuple[int, Surface] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.columns = Columns(self.space)
        self._objective = Model(self.columns)
        self._constraints = [Model(self.columns) for _ in range(self.n_constraints)]
        self._health = Model(self.columns, warped=False)
        self._broken = 0
        self._points: dict[bytes, Point] = {}

    def observe(self, observation: Observation) -> None:
        """Take an observation."""
        at = self.space.to_unit(observation.point)
        self._points.setdefault(at.tobytes(), dict(observation.point))
        self._observed += 1
        if observation.value is not None:
            self._objective.observe(at, observation.value, observation.noise, observation.weight)
        for model, excess in zip(self._constraints, observation.constraints, strict=False):
            model.observe(at, excess, weight=observation.weight)
        # What was cut short without a reading is as good as broken: the point cannot be used.
        broken = observation.failed or observation.value is None
        self._broken += broken
        self._health.observe(at, float(broken), weight=observation.weight)

    def point_at(self, coordinates: Array) -> Point:
        """The point at coordinates: the very one that was observed there, or the nearest of the space."""
        known = self._points.get(coordinates.tobytes())
        return self.space.from_unit(coordinates) if known is None else dict(known)

    def surface(self) -> Surface | None:
        """What is believed; None before two readings of the objective."""
        if len(self._objective) < 2:  # noqa: PLR2004 - two points make a line
            return None
        if self._surface is None or self._surface[0] != self._observed:
            bounds = [_bound(model, 0.0) for model in self._constraints if len(model) > 1]
            if self._broken:
                bounds.append(_bound(self._health, _BREAKS))
            self._surface = (
                self._observed,
                Surface(self.space, self._objective.belief(), tuple(bounds), frozenset(self._points)),
            )
        return self._surface[1]


def _bound(model: Model, limit: float) -> Bound:
    belief = model.belief()
    return Bound(belief, float(belief.warp.apply(np.array([limit]))[0]))
