"""What can be chosen: packages, each with its versions."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trimtab.stacks.errors import PlanError
from trimtab.stacks.exclusion import Exclusion

__all__ = ["Combination", "Space", "Variable"]

Combination = Mapping[str, str]
"""Version by name of each variable package."""


@dataclass(frozen=True)
class Variable:
    """A package whose version is chosen.

    Attributes:
        name: Canonical.
        versions: Newest first; those only that its bounds and the sieves leave.
    """

    name: str
    versions: tuple[str, ...]


@dataclass(frozen=True)
class Space:
    """All combinations of versions. Whether one of them is valid, only the resolver knows.

    Attributes:
        variables: In the order of the requirements.
        excluded: Specifier by name of what the sieves keep out of the packages that are not variable.
        held: Version by name of what stays as it is, as far as that is possible.
        exclusions: What the sieves kept out, and why.
    """

    variables: tuple[Variable, ...]
    excluded: Mapping[str, str]
    held: Mapping[str, str]
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def size(self) -> int:
        """How many combinations there are; an upper bound of the stacks that differ in a variable package."""
        return math.prod(len(each.versions) for each in self.variables)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the variables."""
        return tuple(each.name for each in self.variables)

    def at(self, index: int) -> Combination:
        """The combination of a number from 0; the last variable varies fastest, 0 is the newest of all.

        Raises:
            IndexError: There is none of that number.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"combination {index} of {self.size}")
        found = {}
        for each in reversed(self.variables):
            index, position = divmod(index, len(each.versions))
            found[each.name] = each.versions[position]
        return {name: found[name] for name in self.names}

    def several(self, least: int, plan: str) -> tuple[Variable, ...]:
        """The variables with a choice.

        Raises:
            PlanError: There are fewer of them than the plan needs.
        """
        found = tuple(each for each in self.variables if len(each.versions) > 1)
        if len(found) < least:
            one = ", ".join(f"{each.name} {each.versions[0]}" for each in self.variables if each not in found)
            only = f"; only one version is left of {one}" if one else ""
            raise PlanError(
                f"the plan {plan} needs {least} packages with a choice of versions, and there are {len(found)}{only}; "
                "widen the requirements, or vary other packages"
            )
        return found

    def constraints(self, combination: Combination, operator: str = "==") -> dict[str, str]:
        """Constraints of a combination, with what the sieves exclude."""
        return {**self.excluded, **{name: f"{operator}{version}" for name, version in combination.items()}}

    def __iter__(self) -> Iterator[Variable]:
        return iter(self.variables)
