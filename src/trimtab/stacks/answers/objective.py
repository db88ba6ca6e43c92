"""What is best: a figure, and whether less or more of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log

from trimtab.stacks.errors import PlanError
from trimtab.stacks.evidence import Evidence
from trimtab.stacks.proposal import Verdict

__all__ = ["Measured", "Objective", "by_hardware"]

_DIRECTIONS = {"minimize": False, "maximize": True}


@dataclass(frozen=True)
class Objective:
    """What is to be as small or as large as possible.

    Attributes:
        metric: A figure's name: `duration`, `memory`, `size`, `result.…`.
        maximize: Whether more is better.
    """

    metric: str
    maximize: bool = False

    @classmethod
    def parse(cls, text: str) -> "Objective":
        """Read `minimize duration` or `maximize result.rate`.

        Raises:
            PlanError: It is neither.
        """
        words = text.split()
        if len(words) != 2 or words[0].lower() not in _DIRECTIONS:  # noqa: PLR2004 - direction and figure
            raise PlanError(
                f"{text[:80]!r} is no objective; write it as 'minimize duration' or 'maximize result.rate'"
            )
        return cls(words[1], _DIRECTIONS[words[0].lower()])

    def __str__(self) -> str:
        return f"{'maximize' if self.maximize else 'minimize'} {self.metric}"


@dataclass(frozen=True)
class Measured:
    """A stack with its readings of a figure on one kind of hardware.

    Attributes:
        evidence: The first of the stack.
        values: One for each run.
    """

    evidence: Evidence
    values: tuple[float, ...]


def by_hardware(evidence: Sequence[Evidence], metric: str) -> Mapping[str | None, tuple[Measured, ...]]:
    """The stacks that passed and have a figure, by the kind of hardware. Readings that are not finite are left out."""
    found: dict[str | None, dict[str, list[Evidence]]] = defaultdict(lambda: defaultdict(list))
    for each in evidence:
        if each.verdict is Verdict.PASS and _finite(each, metric):
            found[each.hardware][each.stack.digest].append(each)
    return {
        hardware: tuple(
            Measured(group[0], tuple(value for each in group for value in _finite(each, metric)))
            for group in stacks.values()
        )
        for hardware, stacks in found.items()
    }


def scaled(stacks: Sequence[Measured]) -> tuple[list[list[float]], bool]:
    """The readings on the scale on which differences are ratios, if all are above zero; and whether that is so."""
    ratio = all(value > 0 for each in stacks for value in each.values)
    return [[log(value) if ratio else value for value in each.values] for each in stacks], ratio


def _finite(evidence: Evidence, metric: str) -> tuple[float, ...]:
    return tuple(value for value in evidence.figures.get(metric, ()) if isfinite(value))
