"""Stacks that are far worse than the others, and which versions set them apart: for figures what `breakers` is for failures."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from statistics import median

from trimtab.stacks.answers.breakage import Breaker, causes_of
from trimtab.stacks.answers.objective import Measured, Objective, by_hardware
from trimtab.stacks.evidence import Evidence

__all__ = ["Outliers", "outliers"]

_LEAST = log(1.25)
_SPREADS = 3.0
_MAD = 1.4826
_LEVELS = 5
_FEWEST = 5


@dataclass(frozen=True)
class Outliers:
    """Stacks that are apart.

    Attributes:
        hardware: The kind.
        ratio: Median figure of the worse by that of the better ones.
        stacks: The worse ones.
        breakers: Which versions set them apart.
        unexplained: Those that no versions set apart.
    """

    hardware: str | None
    ratio: float
    stacks: tuple[Evidence, ...]
    breakers: tuple[Breaker, ...]
    unexplained: tuple[Evidence, ...]


def outliers(evidence: Sequence[Evidence], objective: Objective) -> tuple[Outliers, ...]:
    """Find groups of stacks that are worse by at least a quarter, with a gap that is three times the spread on either side.

    Args:
        evidence: What was tried. Figures have to be above zero; others say nothing here.
        objective: What is better.
    """
    found: list[Outliers] = []
    for hardware, stacks in by_hardware(evidence, objective.metric).items():
        left = [each for each in stacks if min(each.values) > 0]
        left.sort(key=lambda each: median(each.values), reverse=objective.maximize)
        for _ in range(_LEVELS):
            at = _gap(left)
            if at is None:
                break
            found.append(_group(hardware, left[at:], left[:at]))
            left = left[:at]
    return tuple(found)


def _gap(stacks: Sequence[Measured]) -> int | None:
    """Where the worse ones begin; None if they are not apart. Most are the better ones."""
    figures = [log(median(each.values)) for each in stacks]
    if len(figures) < _FEWEST:
        return None
    gaps = [(abs(figures[at] - figures[at - 1]), at) for at in range((len(figures) + 1) // 2, len(figures))]
    gap, at = max(gaps)
    apart = gap >= _LEAST and gap >= _SPREADS * max(_spread(figures[:at]), _spread(figures[at:]))
    return at if apart else None


def _spread(figures: Sequence[float]) -> float:
    middle = median(figures)
    return _MAD * median(abs(each - middle) for each in figures)


def _group(hardware: str | None, worse: Sequence[Measured], better: Sequence[Measured]) -> Outliers:
    ratio = median(median(each.values) for each in worse) / median(median(each.values) for each in better)
    stacks = [each.evidence for each in worse]
    found, left = causes_of(stacks, [each.evidence for each in better])
    return Outliers(hardware, ratio, tuple(stacks), tuple(found), tuple(left))
