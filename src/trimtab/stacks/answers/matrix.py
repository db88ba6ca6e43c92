"""Which stack has which version, as sets of stacks: bits of whole numbers, so that many combinations are looked at quickly."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from packaging.version import InvalidVersion, Version

__all__ = ["Column", "Literal", "Matrix"]


@dataclass(frozen=True, order=True)
class Literal:
    """A package within a range of its versions.

    Attributes:
        name: Of the package.
        low: Number of the oldest version, in the order of the matrix's column.
        high: Number of the newest one.
    """

    name: str
    low: int
    high: int


@dataclass(frozen=True)
class Column:
    """A package: who has which version of it.

    Attributes:
        name: Canonical.
        versions: Those that were seen, oldest first.
        having: By version, the set of the stacks that have it.
    """

    name: str
    versions: tuple[str, ...]
    having: tuple[int, ...]

    @property
    def intervals(self) -> int:
        """How many ranges there are."""
        return len(self.versions) * (len(self.versions) + 1) // 2

    def within(self, low: int, high: int) -> int:
        """The stacks that have a version of a range."""
        found = 0
        for each in self.having[low : high + 1]:
            found |= each
        return found

    def around(self, stacks: int) -> Literal | None:
        """The least range that has all of these stacks; None if one of them is without the package."""
        places = [number for number, each in enumerate(self.having) if each & stacks]
        if not places or stacks & ~self.within(places[0], places[-1]):
            return None
        return Literal(self.name, places[0], places[-1])


class Matrix:
    """Stacks by packages.

    Args:
        pins: Version by name of each stack.
    """

    def __init__(self, pins: Sequence[Mapping[str, str]]) -> None:
        self.pins = tuple(pins)

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """The packages that are not the same in all stacks."""
        found: dict[str, dict[str, int]] = {}
        for row, pins in enumerate(self.pins):
            for name, version in pins.items():
                having = found.setdefault(name, {})
                having[version] = having.get(version, 0) | 1 << row
        every = (1 << len(self.pins)) - 1
        return {
            name: _column(name, having)
            for name, having in sorted(found.items())
            if next(iter(having.values())) != every
        }

    def holding(self, literals: Iterable[Literal]) -> int:
        """The stacks that are within all of these ranges."""
        found = (1 << len(self.pins)) - 1
        for each in literals:
            found &= self.columns[each.name].within(each.low, each.high)
        return found

    def rows(self, stacks: int) -> Iterator[int]:
        """The numbers of a set of stacks."""
        while stacks:
            lowest = stacks & -stacks
            yield lowest.bit_length() - 1
            stacks ^= lowest


def _column(name: str, having: Mapping[str, int]) -> Column:
    versions = tuple(sorted(having, key=_order))
    return Column(name, versions, tuple(having[each] for each in versions))


def _order(text: str) -> tuple[int, Version | str]:
    try:
        return 1, Version(text)
    except InvalidVersion:
        return 0, text
