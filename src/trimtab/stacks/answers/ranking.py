"""Which stack is best, and how sure that is.

A hierarchical normal model: readings spread about their stack, stacks about their mean. Who comes first among many was lucky, too;
so each stack is drawn towards the mean of all, the more the fewer readings it has (Efron and Morris 1975). The spread of stacks
is by moments (DerSimonian and Laird 1986), that of readings is pooled, its uncertainty drawn from its distribution. What lies far out
among the readings of a stack is drawn in to four times their usual distance, so that one pause decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, TypeAlias

from trimtab.stacks.answers.objective import Measured, Objective, by_hardware, scaled
from trimtab.stacks.evidence import Evidence

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[np.float64]

__all__ = ["CONFIDENCE", "Against", "Best", "Ranked", "best"]

CONFIDENCE = 0.95
_DRAWS = 8000
_FEWEST = 4
_FAR = 4.0
_MAD = 1.4826


@dataclass(frozen=True)
class Ranked:
    """A stack in the order of the objective.

    Attributes:
        evidence: The stack.
        readings: How many.
        estimate: Of the figure: the median reading, drawn towards that of all.
        low: Lower end of its interval at 95 %.
        high: Upper end.
        probability: That it is the best of all.
    """

    evidence: Evidence
    readings: int
    estimate: float
    low: float
    high: float
    probability: float


@dataclass(frozen=True)
class Against:
    """The first stack against a baseline: ratio of the figures where all are above zero, else their difference.

    Attributes:
        change: The first's by the baseline's, less 1; or less the baseline's.
        low: Lower end of its interval at 95 %.
        high: Upper end.
        ratio: Whether it is a ratio.
    """

    change: float
    low: float
    high: float
    ratio: bool


@dataclass(frozen=True)
class Best:
    """Which stack is best on one kind of hardware.

    Attributes:
        hardware: The kind.
        verdict: `best`: the first is; `among the first`: one of those in `first`; `no difference shown`; or `not enough runs`.
        ranking: All stacks, best first.
        first: How many of the first have the best among them, with 95 % confidence.
        against: The first against the baseline; None if that was not measured, or is the first.
    """

    hardware: str | None
    verdict: str
    ranking: tuple[Ranked, ...]
    first: int
    against: Against | None = None


def best(
    evidence: Sequence[Evidence], objective: Objective, *, baseline: str | None = None, seed: int = 0
) -> tuple[Best, ...]:
    """Find the best stack for each kind of hardware.

    Args:
        evidence: What was tried.
        objective: What is best.
        baseline: Digest of the stack to compare with.
        seed: Of what is drawn from the model.

    Returns:
        One for each kind of hardware, the one with the most stacks first; none if nothing was measured.
    """
    groups = by_hardware(evidence, objective.metric)
    ordered = sorted(groups.items(), key=lambda each: (-len(each[1]), each[0] or ""))
    return tuple(_of_group(hardware, stacks, objective, baseline, seed) for hardware, stacks in ordered)


def _of_group(
    hardware: str | None, stacks: Sequence[Measured], objective: Objective, baseline: str | None, seed: int
) -> Best:
    import numpy as np

    values, ratio = scaled(stacks)
    readings = [np.asarray(each) for each in values]
    freedom = sum(len(each) - 1 for each in readings)
    if freedom < _FEWEST or len(stacks) < 2:  # noqa: PLR2004 - of one stack nothing is the best
        return Best(hardware, "not enough runs", _unsure(stacks, objective), len(stacks))
    means, counts, within = _summed(readings, freedom)
    draws = _drawn(means, counts, within, freedom, np.random.default_rng(seed))
    order = _order(draws, objective)
    ranking, first = _ranked(stacks, draws, order, objective, ratio=ratio)
    if not _differ(means, counts, within, freedom):
        return Best(hardware, "no difference shown", ranking, len(stacks))
    against = _against(stacks, draws, order, baseline, ratio=ratio)
    return Best(hardware, "best" if first == 1 else "among the first", ranking, first, against)


def _summed(readings: "Sequence[Array]", freedom: int) -> "tuple[Array, Array, float]":
    """Means and counts of stacks, and the variance of readings about them."""
    import numpy as np

    rests = np.concatenate([each - np.median(each) for each in readings if len(each) > 1])
    far = _FAR * _MAD * float(np.median(np.abs(rests)))
    kept = [np.clip(each, np.median(each) - far, np.median(each) + far) if far else each for each in readings]
    means = np.array([float(each.mean()) for each in kept])
    counts = np.array([float(len(each)) for each in kept])
    squares = sum(float(((each - each.mean()) ** 2).sum()) for each in kept)
    return means, counts, max(squares / freedom, 1e-18)


def _drawn(
    means: "Array", counts: "Array", within: float, freedom: int, random: "np.random.Generator"
) -> "Array":
    """Draws of what the stacks are, one row each."""
    import numpy as np

    spread = _between(means, counts, within)
    variance = within * freedom / random.chisquare(freedom, size=(_DRAWS, 1))
    error = variance / counts
    share = spread / (spread + error) if spread else np.zeros_like(error)
    weights = 1 / (spread + error)
    middle = (weights * means).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)
    centre = share * means + (1 - share) * middle
    found: Array = centre + np.sqrt(share * error) * random.standard_normal(centre.shape)
    return found


def _between(means: "Array", counts: "Array", within: float) -> float:
    weights = counts / within
    middle = (weights * means).sum() / weights.sum()
    heterogeneity = float((weights * (means - middle) ** 2).sum())
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    return max(0.0, (heterogeneity - (len(means) - 1)) / scale)


def _differ(means: "Array", counts: "Array", within: float, freedom: int) -> bool:
    """Whether the stacks differ by more than their readings do (an F test)."""
    from scipy.special import fdtrc

    middle = (counts * means).sum() / counts.sum()
    degrees = len(means) - 1
    statistic = float((counts * (means - middle) ** 2).sum()) / degrees / within
    return float(fdtrc(degrees, freedom, statistic)) < 1 - CONFIDENCE


def _order(draws: "Array", objective: Objective) -> "list[int]":
    import numpy as np

    middle = np.median(draws, axis=0)
    return [int(each) for each in np.argsort(-middle if objective.maximize else middle, kind="stable")]


def _ranked(
    stacks: Sequence[Measured], draws: "Array", order: Sequence[int], objective: Objective, *, ratio: bool
) -> tuple[tuple[Ranked, ...], int]:
    """The stacks in their order, and how many of the first have the best among them."""
    import numpy as np

    winners = draws.argmax(axis=1) if objective.maximize else draws.argmin(axis=1)
    shares = np.bincount(winners, minlength=len(stacks)) / len(draws)
    shown = np.exp(draws) if ratio else draws
    low, middle, high = np.quantile(shown, [0.025, 0.5, 0.975], axis=0)
    ranking = tuple(
        Ranked(
            stacks[at].evidence, len(stacks[at].values), float(middle[at]), float(low[at]), float(high[at]),
            float(shares[at]),
        )
        for at in order
    )  # fmt: skip
    sums = np.cumsum([each.probability for each in ranking])
    return ranking, int(np.searchsorted(sums, CONFIDENCE - 1e-9)) + 1


def _against(
    stacks: Sequence[Measured], draws: "Array", order: Sequence[int], baseline: str | None, *, ratio: bool
) -> Against | None:
    import numpy as np

    at = next((at for at, each in enumerate(stacks) if each.evidence.stack.digest == baseline), None)
    if at is None or at == order[0]:
        return None
    low, middle, high = (
        float(each) for each in np.quantile(draws[:, order[0]] - draws[:, at], [0.025, 0.5, 0.975])
    )
    if ratio:
        return Against(exp(middle) - 1, exp(low) - 1, exp(high) - 1, ratio)
    return Against(middle, low, high, ratio)


def _unsure(stacks: Sequence[Measured], objective: Objective) -> tuple[Ranked, ...]:
    """In the order of their medians, with what the readings alone span."""
    import numpy as np

    ordered = sorted(stacks, key=lambda each: float(np.median(each.values)), reverse=objective.maximize)
    return tuple(
        Ranked(
            each.evidence, len(each.values), float(np.median(each.values)), min(each.values), max(each.values),
            1 / len(stacks),
        )
        for each in ordered
    )  # fmt: skip
