"""What a connector says of itself, and how grave a failed check is."""

from enum import Enum, StrEnum
from typing import Self

from semver import Version

__all__ = ["ErrorSeverity", "License", "Maturity", "Version"]


class _Named(Enum):
    """An enum whose members are found by their value or name."""

    @classmethod
    def from_str(cls, identifier: str) -> Self:
        """Return the member of that value or name.

        Raises:
            NameError: If there is none.
        """
        for member in cls:
            if identifier in {member.value, member.name}:
                return member
        raise NameError(f'No {cls.__name__.lower()} identified by "{identifier}".')

    def __str__(self) -> str:
        return str(self.value)


class License(_Named):
    """Under which terms a connector may be used."""

    mit = "MIT"
    apache2 = "Apache 2.0"
    proprietary = "Proprietary"


class Maturity(_Named):
    """How far a connector can be relied on."""

    experimental = "Experimental"
    stable = "Stable"
    robust = "Robust"


class ErrorSeverity(StrEnum):
    """How grave it is that a check fails; they are ordered, ``critical`` being the greatest."""

    warning = "warning"
    common = "common"
    critical = "critical"

    @property
    def rank(self) -> int:
        """The place in the order, from 0."""
        return list(type(self)).index(self)

    def __lt__(self, other: object) -> bool:
        return self.rank < other.rank if isinstance(other, ErrorSeverity) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.rank <= other.rank if isinstance(other, ErrorSeverity) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.rank > other.rank if isinstance(other, ErrorSeverity) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.rank >= other.rank if isinstance(other, ErrorSeverity) else NotImplemented
