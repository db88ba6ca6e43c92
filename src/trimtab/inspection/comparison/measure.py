"""What is said of one measure of two inspections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trimtab.inspection.comparison.shift import Shift, least_p

__all__ = ["FASTER_IF_MORE", "MeasureComparison", "Verdict", "adjusted", "is_time", "said"]

Verdict = Literal[
    "faster",
    "slower",
    "less",
    "more",
    "no difference shown",
    "too few runs",
    "not comparable",
    "not measured",
]

FASTER_IF_MORE = frozenset({"rate", "throughput"})
"""Last words of the names of measures of speed."""
_TIMES = frozenset({"duration", "elapsed", "ru_utime", "ru_stime"})


@dataclass(frozen=True, slots=True)
class MeasureComparison:
    """One measure.

    Args:
        name: Flat.
        verdict: Of the second inspection against the first.
        shift: The figures.
        p_adjusted: What the verdict goes by: of the primary measure its p-value, of the others Holm's for all of them together.
    """

    name: str
    verdict: Verdict
    shift: Shift
    p_adjusted: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "p_adjusted": self.p_adjusted,
            **self.shift.to_dict(),
        }


def said(name: str, found: Shift, p_value: float) -> Verdict:
    """The verdict by a p-value, at the level of the shift's confidence; its interval must agree."""
    level = 1 - found.confidence
    if least_p(*found.n) > level:
        return "too few runs"
    if p_value > level or not found.excludes_zero:
        return "no difference shown"
    more = found.shift > 0
    if is_time(name):
        return "slower" if more else "faster"
    if _last(name) in FASTER_IF_MORE:
        return "faster" if more else "slower"
    return "more" if more else "less"


def is_time(name: str) -> bool:
    """Whether less of it is faster."""
    return _last(name) in _TIMES


def adjusted(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's: of several p-values those by which a single false alarm among all is as rare as the level says."""
    ordered: Sequence[str] = sorted(p_values, key=lambda name: (p_values[name], name))
    found, least = {}, 0.0
    for place, name in enumerate(ordered):
        least = max(least, min(1.0, (len(ordered) - place) * p_values[name]))
        found[name] = least
    return found


def _last(name: str) -> str:
    return name.rpartition("__")[2]
