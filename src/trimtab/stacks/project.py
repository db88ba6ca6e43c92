"""What is wanted: direct requirements, whatever file they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from trimtab.stacks.target import Target

__all__ = ["Project"]


@dataclass(frozen=True)
class Project:
    """Direct requirements, and what is known beside them.

    Attributes:
        requirements: What is wanted, as PEP 508 has it.
        constraints: Bounds of packages that are not wanted for themselves.
        pins: Version by name, where the file was a lock; these are where a search starts, and bind nothing.
        python: The Python that the file asks for, as `X.Y`; None if it does not say.
        indexes: URLs of further indexes that it names.
        origin: The file, for messages.
    """

    requirements: tuple[Requirement, ...]
    constraints: tuple[Requirement, ...] = ()
    pins: Mapping[str, str] = field(default_factory=dict)
    python: str | None = None
    indexes: tuple[str, ...] = ()
    origin: str = "the requirements"

    def direct(self, target: Target) -> tuple[str, ...]:
        """Canonical names of what is required on a target and has versions to choose from, in their order."""
        wanted = (each for each in self.requirements if not each.url and applies(each, target))
        return tuple(dict.fromkeys(canonicalize_name(each.name) for each in wanted))

    def specifier(self, name: str, target: Target) -> SpecifierSet:
        """All bounds of a package on a target."""
        found = SpecifierSet()
        for each in (*self.requirements, *self.constraints):
            if canonicalize_name(each.name) == name and applies(each, target):
                found &= each.specifier
        return found


def applies(requirement: Requirement, target: Target) -> bool:
    """Whether its marker holds on the target."""
    environment = {**target.environment, "extra": ""}
    return requirement.marker is None or requirement.marker.evaluate(environment)
