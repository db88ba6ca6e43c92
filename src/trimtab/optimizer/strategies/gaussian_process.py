"""The default strategy: a Gaussian process that knows of noise, SLOs and points that break."""

import math
import statistics

import numpy as np
from scipy.stats import qmc

from trimtab.optimizer.gaussian.landscape import Landscape, Surface
from trimtab.optimizer.gaussian.proposal import Proposal, propose
from trimtab.optimizer.space import Point, Space
from trimtab.optimizer.strategy import Context, Observation, Suggestion

__all__ = ["GaussianProcess"]

_REMEMBERED, _MOST_DEMANDED = 8, 0.8
_DOUBT_EVERY, _MATTERS = 5, 1e-3
_MIN_DESIGN, _MAX_DESIGN = 4, 12


class GaussianProcess:
    """A few scrambled Sobol points, then what the model of the landscape finds worth most.

    Args:
        space: Where to search.
        seed: Of the design and of candidates.
        n_constraints: How many SLOs there are.
    """

    def __init__(self, space: Space, *, seed: int, n_constraints: int = 0) -> None:
        self.landscape = Landscape(space, n_constraints)
        self._space = space
        self._seed = seed
        self._seen: list[Point] = []
        self._losses: list[float] = []
        design = qmc.Sobol(space.dimensions, rng=np.random.default_rng([seed, 0xDE51]))
        self._design = [space.from_unit(each) for each in design.random(16)]

    def observe(self, observation: Observation) -> None:
        """Take note of a measurement."""
        if observation.point not in self._seen:
            self._seen.append(dict(observation.point))
        self._losses.append(
            observation.value if observation.value is not None and observation.feasible else math.inf
        )
        self.landscape.observe(observation)

    def suggest(self, context: Context) -> Suggestion:
        """A point of the design while little is known, else the model's."""
        surface = self.landscape.surface()
        new = surface is None or len(self._seen) < self._wanted(context.left)
        if new and (point := self._designed()) is not None:
            return Suggestion(point, "one of the first points, spread over the space to learn its shape")
        if surface is None:
            draw = np.random.default_rng([self._seed, context.number]).random(self._space.dimensions)
            return Suggestion(
                self._space.from_unit(draw), "drawn at random, for nothing could be measured yet"
            )
        random = np.random.default_rng([self._seed, context.number])
        if self._stale() % _DOUBT_EVERY == _DOUBT_EVERY - 1:
            # A model that was sure of finding more here and did not may be sure of the wrong things elsewhere.
            surface = surface.doubting()
        proposal = propose(surface, self.landscape.columns, random, self._burnt())
        return self._explained(surface, proposal, context)

    def _burnt(self) -> float:
        """Share of the latest observations that broke an SLO or did not come up: the more, the surer the next must be."""
        latest = self._losses[-_REMEMBERED:]
        share = sum(map(math.isinf, latest)) / _REMEMBERED
        return min(_MOST_DEMANDED, share)

    def _stale(self) -> int:
        """How many observations ago the best one was last beaten by something that matters."""
        finite = [loss for loss in self._losses if math.isfinite(loss)]
        if not finite:
            return 0
        matters = _MATTERS * (statistics.median(finite) - min(finite))
        since, best = 0, math.inf
        for loss in self._losses:
            since = 0 if loss < best - matters else since + 1
            best = min(best, loss)
        return since

    def _wanted(self, left: int) -> int:
        """How many distinct points the design has: more of them where there are more settings, few in a short study."""
        total = left + len(self._seen)
        return max(_MIN_DESIGN, min(_MAX_DESIGN, self._space.dimensions + 4, total // 3))

    def _designed(self) -> Point | None:
        return next((dict(point) for point in self._design if point not in self._seen), None)

    def _explained(self, surface: Surface, proposal: Proposal, context: Context) -> Suggestion:
        point = self.landscape.point_at(proposal.point)
        predicted = surface.predict(point)
        if proposal.repeats:
            return Suggestion(
                point, "measured again, for readings are noisy and it is among the best", predicted
            )
        moved = self._space.differences(context.incumbent, point)
        words = ", ".join(f"{name} {before} → {after}" for name, (before, after) in list(moved.items())[:4])
        more = f" and {len(moved) - 4} more" if len(moved) > 4 else ""  # noqa: PLR2004 - as many as read well
        return Suggestion(
            point, f"{words}{more}: {_why(proposal, surface, predicted.feasibility)}", predicted
        )


def _why(proposal: Proposal, surface: Surface, feasibility: float) -> str:
    if surface.best(0.0, 0.5) is None:
        return f"most likely to keep the SLOs ({feasibility:.0%}), which nothing measured does yet"
    share = proposal.gain
    reason = (
        "predicted to be better than the best so far"
        if share > 0.5  # noqa: PLR2004 - the greater half
        else "little is known here, and it may well be better"
    )
    return reason + (f"; keeps the SLOs with {feasibility:.0%}" if surface.bounds else "")
