"""The point that is worth most to be measured next."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import fmin_l_bfgs_b

from trimtab.optimizer.gaussian.acquisition import (
    knowledge_gradient,
    log_expected_improvement,
    log_improvement_slope,
)
from trimtab.optimizer.gaussian.columns import Array, Columns, Indices
from trimtab.optimizer.gaussian.landscape import Surface

__all__ = ["Proposal", "optimum", "propose"]

_RANDOM, _NEAR, _REACHES = 500, 80, (0.2, 0.05, 0.01, 0.002)
_REFINED, _STEPS = 4, 30
_LEADING, _ANYWHERE = 100, 300
_APART = 0.02
_DEMANDED = 0.5
_NOISY = 0.1
_HOPELESS, _EXHAUSTED, _BANNED = 0.2, 2e-3, -1e6
RISK = 1.0
"""How much the probability of keeping the SLOs weighs, in powers of it."""


Score = Callable[[Array], tuple[float, Array]]


@dataclass(frozen=True)
class Proposal:
    """A point, by coordinates, and why.

    Args:
        point: Shape (count,).
        repeats: Whether it was measured before.
        gain: Share of its worth that comes from being predicted better, 0 to 1; the rest is what is to be learned.
    """

    point: Array
    repeats: bool
    gain: float


def propose(
    surface: Surface, columns: Columns, random: np.random.Generator, demanded: float = 0.0
) -> Proposal:
    """The next point: expected improvement under SLOs, or what teaches most where readings are noisy.

    Args:
        surface: What is believed.
        columns: What the coordinates are.
        random: Of the candidates.
        demanded: Probability of keeping all bounds below which nothing is tried, if anything else is left to gain.
    """
    search = _Search(surface, columns, random, max(demanded, _HOPELESS))
    return search.chosen()


def optimum(surface: Surface, caution: float) -> Array | None:
    """Where the posterior itself is least, measured or not; None if SLOs bind, as only measured points are sure.

    Args:
        surface: What is believed.
        caution: Standard deviations of doubt that count against a point.
    """
    if surface.bounds:
        return None
    posterior = surface.objective.posterior
    numeric = posterior.readings.columns.numeric

    def score(point: Array) -> tuple[float, Array]:
        mean, variance, mean_slope, variance_slope = posterior.slope(point)
        sd = math.sqrt(variance + posterior.kernel.ruggedness)
        return mean + caution * sd, (mean_slope + caution * variance_slope / (2 * sd)) * numeric

    starts = surface.points[np.argsort(posterior.measured_mean)[:3]]
    found = [_refined(score, start, 40) for start in starts]
    least = min(found, key=lambda each: each[1])[0]
    return np.asarray(posterior.readings.columns.snap(least[None])[0])


def _refined(score: Score, start: Array, steps: int) -> tuple[Array, float]:
    point, value, _ = fmin_l_bfgs_b(score, start, bounds=[(0.0, 1.0)] * len(start), maxiter=steps)
    return point, float(value)


class _Search:
    def __init__(
        self, surface: Surface, columns: Columns, random: np.random.Generator, demanded: float
    ) -> None:
        self.surface = surface
        self.columns = columns
        self.random = random
        self.posterior = surface.objective.posterior
        self.demanded = demanded
        best = surface.best(0.0, _DEMANDED)
        self.best = None if best is None else float(self.posterior.measured_mean[best])

    def chosen(self) -> Proposal:
        candidates = self._candidates()
        worth = self._worth(candidates)
        if self.surface.bounds and worth.max() < math.log(_EXHAUSTED):
            # Nearly nothing is left to gain: what would gain it only if it were allowed must not be tried for it.
            self.demanded = max(self.demanded, _DEMANDED)
            worth = self._worth(candidates)
        order = np.argsort(-worth)
        refined = np.array([self._climb(candidates[i]) for i in self._apart(candidates, order)])
        leading = self._distinct(np.vstack([self.columns.snap(refined), candidates[order[:_LEADING]]]))
        leading = leading[np.argsort(-self._worth(leading), kind="stable")]
        mean, variance = (float(each[0]) for each in self.posterior.predict(leading[:1]))
        noise = self.posterior.noise_near(mean if self.best is None else self.best)
        if self.best is not None and noise > _NOISY * math.sqrt(variance + self.posterior.kernel.ruggedness):
            return self._taught(np.vstack([leading, *self._anywhere(candidates)]), noise)
        return Proposal(leading[0], repeats=False, gain=self._gain(mean, variance))

    def _anywhere(self, candidates: Array) -> list[Array]:
        """What teaches most need not be good itself: where a valley has its bottom is seen best from its sides.

        Where SLOs bind, off the best is mostly where they break, and only what may be good is worth that.
        """
        if self.surface.bounds:
            return []
        return [self.random.choice(candidates, min(_ANYWHERE, len(candidates)), replace=False)]

    def _candidates(self) -> Array:
        posterior = self.posterior
        scores = np.where(self.surface.feasibility >= _DEMANDED, posterior.measured_mean, np.inf)
        if not np.isfinite(scores).any():
            scores = -self.surface.feasibility
        centres = self.surface.points[np.argsort(scores, kind="stable")[:5]]
        typical = np.where(self.columns.numeric, np.minimum(1.0, posterior.kernel.scales / 0.6), 1.0)
        near = [
            self.columns.neighbours(
                self.random,
                centres[self.random.integers(len(centres), size=_NEAR)],
                reach * typical,
                posterior.readings.frame,
            )
            for reach in _REACHES
        ]
        return self._distinct(np.vstack([self.columns.draw(self.random, _RANDOM), *near]))

    def _distinct(self, points: Array) -> Array:
        """Without the measured ones, unless there is no other."""
        new = np.array([point.tobytes() not in self.surface.tried for point in points])
        return points[new] if new.any() else points

    def _worth(self, points: Array) -> Array:
        allowed = self.surface.log_feasibility(points)
        if self.best is None:
            return allowed
        hopeless = np.where(allowed < math.log(self.demanded), _BANNED, 0.0)
        mean, variance = self.posterior.predict(points)
        sd = np.sqrt(variance + self.posterior.kernel.ruggedness)
        return log_expected_improvement(mean, sd, self.best) + RISK * allowed + hopeless

    def _apart(self, candidates: Array, order: Indices) -> list[int]:
        picked: list[int] = []
        for i in order:
            if all(np.abs(candidates[i] - candidates[j]).max() > _APART for j in picked):
                picked.append(int(i))
            if len(picked) == _REFINED:
                break
        return picked

    def _climb(self, start: Array) -> Array:
        return _refined(self._negative_worth, start, _STEPS)[0]

    def _negative_worth(self, point: Array) -> tuple[float, Array]:
        value, slope = 0.0, np.zeros(len(point))
        if self.best is not None:
            mean, variance, *slopes = self.posterior.slope(point)
            variance += self.posterior.kernel.ruggedness
            value, slope = log_improvement_slope(mean, variance, (slopes[0], slopes[1]), self.best)
        for bound in self.surface.bounds:
            log_probability, rise = bound.slope(point)
            value, slope = value + RISK * log_probability, slope + RISK * rise
        return -value, -slope * self.columns.numeric

    def _taught(self, leading: Array, noise: float) -> Proposal:
        posterior = self.posterior
        points = leading[self.surface.log_feasibility(leading) >= math.log(_DEMANDED)]
        if not len(points):
            points = leading[:1]
        if (least := optimum(self.surface, 0.0)) is not None:
            points = np.vstack([points, self._distinct(least[None])])
        scores = np.where(self.surface.feasibility >= _DEMANDED, posterior.measured_mean, np.inf)
        measured = np.argsort(scores, kind="stable")[: min(25, int(np.isfinite(scores).sum()))]
        new, again = knowledge_gradient(posterior, points, noise, measured)
        new = new * np.exp(RISK * self.surface.log_feasibility(points))
        again = again * self.surface.feasibility[measured] ** RISK
        if again.max() > new.max():
            return Proposal(self.surface.points[measured[np.argmax(again)]], repeats=True, gain=0.0)
        chosen = points[np.argmax(new)]
        mean, variance = (float(each[0]) for each in posterior.predict(chosen[None]))
        return Proposal(chosen, repeats=False, gain=self._gain(mean, variance))

    def _gain(self, mean: float, variance: float) -> float:
        if self.best is None:
            return 0.0
        expected, sd = max(self.best - mean, 0.0), math.sqrt(variance)
        return expected / (expected + sd)
