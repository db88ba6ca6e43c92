"""A model of one quantity: readings are grouped, warped, cleaned of outliers, and conditioned on."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from trimtab.optimizer.gaussian.columns import Array, Columns, Indices
from trimtab.optimizer.gaussian.frame import directions
from trimtab.optimizer.gaussian.likelihood import Hyperparameters, Readings, most_plausible, starts
from trimtab.optimizer.gaussian.posterior import Posterior
from trimtab.optimizer.gaussian.warping import OFFSETS, Warp

__all__ = ["Belief", "Model"]

_SCREEN, _POLISH, _REFRESH = 8, 20, 5
_LEAST_NOISE = 1e-6
_NOISE_BELOW_OFFSET = 3.0
_SURPRISING = 4.0
_MILESTONES = ((20, 2), (50, 5), (100, 10), (math.inf, 25))
"""Below how many readings hyperparameters are sought from scratch at every so many."""
_TURNS, _REFINED, _CLEARLY, _STILL = 3, 2, 3.0, 0.03
"""Turned axes: from how many readings for each setting, how often refined, by how much more plausible they must be, and up
to which noise: slopes that drown in it have no directions."""
_JUDGED = 8
_HOPELESS = 1e3
"""Medians' distances from the best reading beyond which all readings are the same: as bad as can be."""
_PLATEAU, _PLATEAU_OFFSET = 2, 1.0


@dataclass(frozen=True)
class Belief:
    """A posterior, and the scale it is on."""

    posterior: Posterior
    warp: Warp

    def doubting(self) -> "Belief":
        """What the readings say if their hyperparameters are not trusted to be sure of the rest."""
        posterior = self.posterior
        return Belief(Posterior(posterior.readings, posterior.hyperparameters.doubting()), self.warp)

    def quantiles(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Median and standard deviation, to first order, in the quantity's own unit."""
        sd = np.sqrt(variance)
        low, high = self.warp.invert(mean - sd), self.warp.invert(mean + sd)
        return self.warp.invert(mean), (high - low) / 2

    @property
    def noise(self) -> float:
        """Standard deviation of one reading near the best, in the quantity's own unit."""
        least = float(self.posterior.measured_mean.min())
        return self.noise_at(float(self.warp.invert(np.array([least]))[0]))

    def noise_at(self, value: float) -> float:
        """Standard deviation of one reading of a point that gives this value, in the quantity's own unit."""
        at = np.array([value])
        return self.posterior.noise_near(float(self.warp.apply(at)[0])) / float(self.warp.slope(at)[0])


@dataclass
class _Sample:
    """Readings as they came: points, values, and the standard errors reported with them (NaN: none)."""

    points: list[Array] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def head(self, count: int) -> "_Sample":
        return _Sample(*(getattr(self, name)[:count] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class _Groups:
    """Readings by point: their weighted mean, how many, and what they say of the noise."""

    points: Array
    means: Array
    counts: Array
    relative: Array
    squares: float
    freedom: int


@dataclass(frozen=True)
class _Fit:
    """What was found most plausible: a warp's offset, hyperparameters and axes, and how plausible that is."""

    density: float
    warp: Warp
    readings: Readings
    found: Hyperparameters


class Model:
    """One quantity over a space.

    The belief is a function of the readings alone, whenever it was asked for before: hyperparameters are sought from
    scratch at milestones and refreshed from the last milestone in between.

    Args:
        columns: What the coordinates are.
        warped: Whether readings may be warped; they are not where they say yes or no, and neighbours agree on it.
    """

    def __init__(self, columns: Columns, *, warped: bool = True) -> None:
        self._columns = columns
        self._warped = warped
        self._offsets = OFFSETS if warped else OFFSETS[:1]
        self._sample = _Sample()
        self._milestones: dict[int, _Fit] = {}
        self._belief: Belief | None = None

    def __len__(self) -> int:
        return len(self._sample.values)

    def observe(self, point: Array, value: float, error: float | None = None, weight: float = 1.0) -> None:
        """Take a reading.

        Args:
            point: Coordinates, shape (count,).
            value: What was read.
            error: Its standard error, if reported.
            weight: 0 to 1: how much it counts.
        """
        sample = self._sample
        sample.points.append(point)
        sample.values.append(value)
        sample.errors.append(math.nan if error is None else error)
        sample.weights.append(weight)
        self._belief = None

    def belief(self) -> Belief:
        """What is believed now. Needs two readings at least."""
        if self._belief is None:
            self._belief = self._conditioned()
        return self._belief

    def _conditioned(self) -> Belief:
        milestone = _milestone(len(self))
        if milestone not in self._milestones:
            self._milestones = {milestone: self._search(_grouped(self._sample.head(milestone)))}
        fit = self._milestones[milestone]
        groups = _grouped(self._sample)
        warp = Warp.fitted(groups.means, fit.warp.offset)
        readings = self._readings(groups, warp, fit.readings.frame)
        found = fit.found
        if milestone != len(self):
            found, _ = most_plausible(readings, [found.logarithms], _REFRESH)
        posterior = Posterior(readings, found)
        return Belief(_without_outliers(posterior), warp)

    def _search(self, groups: _Groups) -> _Fit:
        """The offset, hyperparameters and axes that are most plausible together."""
        return self._turned(groups, max(self._polished(groups), key=lambda each: each.density))

    def _turned(self, groups: _Groups, straight: _Fit) -> _Fit:
        """The same with turned axes, if they are clearly more plausible."""
        enough = len(groups.points) >= _TURNS * self._columns.count and self._columns.numeric.sum() > 1
        if not (self._warped and enough) or math.sqrt(straight.found.noise) > _STILL:
            return straight
        best = straight
        for _ in range(1 + _REFINED):
            frame = directions(Posterior(best.readings, best.found))
            readings = self._readings(groups, straight.warp, frame)
            begin = starts(readings) if best is straight else [best.found.logarithms, *starts(readings)[:1]]
            screened, _ = most_plausible(readings, begin, _SCREEN)
            found, density = most_plausible(readings, [screened.logarithms], _POLISH)
            fit = _Fit(density + self._volume(groups, straight.warp), straight.warp, readings, found)
            if best is not straight and fit.density <= best.density:
                break
            best = fit
        return best if best.density > straight.density + _CLEARLY else straight

    def _polished(self, groups: _Groups) -> list[_Fit]:
        """The most plausible hyperparameters for the two most plausible warps."""
        screened = []
        noise = 0.0
        for offset in self._offsets:
            warp = Warp.fitted(groups.means, offset)
            if offset < max(_NOISE_BELOW_OFFSET * noise, _least_offset(groups.means)):
                break
            readings = self._readings(groups, warp)
            found, density = most_plausible(readings, starts(readings), _SCREEN)
            if warp.plain:
                noise = math.sqrt(found.noise) * warp.sd
            screened.append(_Fit(density + self._volume(groups, warp), warp, readings, found))
        screened.sort(key=lambda each: -each.density)
        return [
            _Fit(density + self._volume(groups, each.warp), each.warp, each.readings, best)
            for each in screened[:2]
            for best, density in [most_plausible(each.readings, [each.found.logarithms], _POLISH)]
        ]

    @staticmethod
    def _volume(groups: _Groups, warp: Warp) -> float:
        """Log of how much the map stretches: densities on different scales are compared with it."""
        slopes = np.log(warp.slope(groups.means))
        return float(slopes.sum() + groups.freedom * np.median(slopes))

    def _readings(self, groups: _Groups, warp: Warp, frame: Array | None = None) -> Readings:
        slopes = warp.slope(groups.means)
        typical = float(np.median(slopes))
        noise = np.clip((slopes / typical) ** 2, 1e-3, 10.0) * groups.relative
        squares = max(groups.squares * typical**2, groups.freedom * _LEAST_NOISE**2)
        return Readings(
            self._columns,
            groups.points,
            warp.apply(groups.means),
            groups.counts,
            noise,
            squares,
            groups.freedom,
            # Where readings do not repeat themselves, ruggedness would take noise for a point's merit.
            rough=self._warped and not groups.squares > 0,
            frame=frame,
        )


def _least_offset(means: Array) -> float:
    """A plateau at the bottom makes ever stronger warping ever more likely, and then nothing can be below it."""
    bottom = float(means.min()) + 1e-6 * float(np.ptp(means))
    return _PLATEAU_OFFSET if int((means <= bottom).sum()) > _PLATEAU else 0.0


def _milestone(count: int) -> int:
    """The last count at which hyperparameters are sought from scratch: ever rarer."""
    every = next(step for below, step in _MILESTONES if count < below)
    return max(2, count - count % every)


def _grouped(sample: _Sample) -> _Groups:
    points, inverse = np.unique(np.array(sample.points), axis=0, return_inverse=True)
    inverse = inverse.astype(np.int64).ravel()
    values, weights = _tamed(np.array(sample.values)), np.array(sample.weights)
    counts: Array = np.bincount(inverse, weights).astype(np.float64)
    means: Array = np.bincount(inverse, weights * values) / counts
    squares = float((weights * (values - means[inverse]) ** 2).sum())
    return _Groups(points, means, counts, _relative(sample, inverse), squares, len(values) - len(points))


def _tamed(values: Array) -> Array:
    """Readings with no end worse than the rest count as very bad: how bad must not set the scale of all others."""
    least = float(values.min())
    unit = float(np.median(values)) - least
    return np.minimum(values, least + _HOPELESS * unit) if unit > 0 else values


def _relative(sample: _Sample, inverse: Indices) -> Array:
    """Reported variances relative to their median; 1 where none is reported."""
    errors = np.array(sample.errors) ** 2
    typical = np.nanmedian(errors) if np.isfinite(errors).any() else 0.0
    if not typical > 0:
        return np.ones(int(inverse.max()) + 1)
    # Half trusted: what differs between runs is not in the spread within one.
    shares = np.where(np.isfinite(errors), 0.5 + 0.5 * np.clip(errors / typical, 0.05, 20.0), 1.0)
    return np.asarray(np.bincount(inverse, shares) / np.bincount(inverse))


def _without_outliers(posterior: Posterior) -> Posterior:
    """Trust readings less that nothing near them explains: one step of a Student-t likelihood."""
    readings = posterior.readings
    if posterior.hyperparameters.noise < _LEAST_NOISE:
        return posterior
    residuals = np.abs(posterior.left_out)
    if len(residuals) < _JUDGED or not (residuals > _SURPRISING).any():
        return posterior
    inflated = np.where(residuals > _SURPRISING, residuals**2, 1.0) * readings.noise
    return Posterior(replace(readings, noise=inflated), posterior.hyperparameters)
