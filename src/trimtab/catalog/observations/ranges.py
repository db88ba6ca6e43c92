"""Which range of a package's versions breaks builds: the step that explains the counts best, and whether chance does as well."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log

from trimtab.catalog.observations.confidence import LEVEL, TOO_FEW, Proportion, proportion

__all__ = ["BadRange", "Tried", "bad_range"]

LEAST = 2  # builds that broke: one is an anecdote
MOST = 80  # versions that broke builds, of which ranges are looked at: the last ones
EVEN = 0.5


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one version.

    Args:
        version: Which.
        held: Builds in which it went well: they succeeded, or failed elsewhere after it was installed.
        broke: Builds that it broke.
    """

    version: str
    held: int
    broke: int


@dataclass(frozen=True, slots=True)
class BadRange:
    """The versions that break builds.

    Args:
        specifier: They, as a resolver reads it.
        first: The first of them.
        until: The next version after them that was seen; None if they are the last that were.
        versions: Those of them that were seen.
        inside: Builds that they broke, of those that tried one.
        outside: Builds that the other versions broke.
        verdict: `fails`, or `not enough builds to say`.
        looked_at: Ranges among which this one was chosen; the level of `inside` makes up for them (Bonferroni).
    """

    specifier: str
    first: str
    until: str | None
    versions: tuple[str, ...]
    inside: Proportion
    outside: Proportion
    verdict: str
    looked_at: int


def bad_range(tried: Sequence[Tried]) -> BadRange | None:
    """The range that explains best which builds broke; None if none did.

    Args:
        tried: In the order of the versions.
    """
    broken = [place for place, each in enumerate(tried) if each.broke][-MOST:]
    if not broken:
        return None
    sums = _Sums(tried)
    ranges = list(_ranges(broken))
    begin, end = max(ranges, key=lambda each: (sums.likelihood(*each), each[1] - each[0], each[1]))
    (broke, held), (other_broke, other_held) = sums.inside(begin, end), sums.outside(begin, end)
    level = 1 - (1 - LEVEL) / len(ranges)
    inside = proportion(broke, broke + held, level)
    outside = proportion(other_broke, other_broke + other_held)
    until = tried[end + 1].version if end + 1 < len(tried) else None
    first, versions = tried[begin].version, tuple(each.version for each in tried[begin : end + 1])
    specifier = f">={first}" + (f",<{until}" if until is not None else "")
    verdict = _verdict(inside, outside)
    return BadRange(specifier, first, until, versions, inside, outside, verdict, len(ranges))


def _ranges(broken: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Those that begin and end with a version that broke a build."""
    return ((begin, end) for place, begin in enumerate(broken) for end in broken[place:])


def _verdict(inside: Proportion, outside: Proportion) -> str:
    # Where no other version was tried, it takes more failures than not to call it one that fails.
    sure = inside.exceeds(outside) if outside.m else inside.low > EVEN
    return "fails" if inside.n >= LEAST and sure else TOO_FEW


class _Sums:
    """How many builds broke and held up to each version."""

    def __init__(self, tried: Sequence[Tried]) -> None:
        self.broke = [0, *accumulate(each.broke for each in tried)]
        self.held = [0, *accumulate(each.held for each in tried)]

    def inside(self, begin: int, end: int) -> tuple[int, int]:
        return self.broke[end + 1] - self.broke[begin], self.held[end + 1] - self.held[begin]

    def outside(self, begin: int, end: int) -> tuple[int, int]:
        broke, held = self.inside(begin, end)
        return self.broke[-1] - broke, self.held[-1] - held

    def likelihood(self, begin: int, end: int) -> float:
        """Logarithm of how likely the counts are, if the versions inside break builds at one rate and the others at a lesser one."""
        inside, outside = self.inside(begin, end), self.outside(begin, end)
        if inside[0] * sum(outside) < outside[0] * sum(inside):
            return float("-inf")
        # Rounded, so that equal ones are equal in whichever order they were summed.
        return round(_binomial(*inside) + _binomial(*outside), 9)


def _binomial(broke: int, held: int) -> float:
    every = broke + held
    return sum(each * log(each / every) for each in (broke, held) if each)
