"""How a study spends its budget: the baseline and its noise, search, finalists, proof."""

import math
from dataclasses import dataclass

__all__ = ["Plan", "baseline_readings", "plan"]

_SHORT, _TWICE, _LONG = 6, 18, 30
_NEGLIGIBLE = 1e-3
_SURE = 3.2
"""Standard errors between two means that are told apart nearly always at 95 %."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is kept back from search.

    Args:
        confirm: Trials to measure finalists again.
        pairs: Of candidate and baseline, measured in turn.
    """

    confirm: int
    pairs: int

    @property
    def reserve(self) -> int:
        """Trials in all."""
        return self.confirm + 2 * self.pairs


def baseline_readings(budget: int) -> int:
    """How often the baseline is measured first; twice at least, if it can be afforded, for its noise."""
    return 1 if budget < _SHORT else 2 if budget < _LONG else 3


def plan(budget: int, gain: float, noise: float, *, sure: bool = True) -> Plan:
    """How much proof a gain needs.

    Args:
        budget: Trials in all.
        gain: Of the best over the baseline, so far.
        noise: Standard deviation of a reading; the same unit.
        sure: Whether the best surely keeps the SLOs.

    Returns:
        As many pairs as tell the gain from noise, up to a twelfth of the budget each, and two where they can be
        afforded, for a single reading has no spread; no confirmation where readings repeat themselves and SLOs are
        kept for sure.
    """
    if budget < _SHORT:
        return Plan(0, 1 if budget > 2 else 0)  # noqa: PLR2004 - a baseline, a candidate, and one more
    if sure and noise <= _NEGLIGIBLE * abs(gain):
        return Plan(0, 1)
    needed = math.inf if gain <= 1e-3 * noise else math.ceil(2 * (_SURE * noise / gain) ** 2)
    least = 1 if budget < _TWICE else 2
    pairs = int(min(max(least, needed), max(1, round(budget / 12))))
    return Plan(round(budget * 0.06), pairs)
