"""One locked set of packages."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from trimtab.catalog.stacks import Package, packages_of, stack_digest

__all__ = ["Refusal", "Stack"]


@dataclass(frozen=True)
class Stack:
    """Locked dependencies, valid for one target.

    Attributes:
        lock: requirements.txt with a hash of each file that may be installed.
    """

    lock: str = field(repr=False)

    @cached_property
    def packages(self) -> tuple[Package, ...]:
        """Its packages, sorted."""
        return packages_of({"python": {"lock": {"requirements.txt": self.lock}}})

    @cached_property
    def pins(self) -> Mapping[str, str]:
        """Version by name."""
        return {each.name: each.version for each in self.packages}

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of its packages: the catalog knows a stack by the same one, whatever file it was locked in."""
        return stack_digest(self.packages)

    @cached_property
    def lock_digest(self) -> str:
        """SHA-256, in hex, of the lock's text."""
        return hashlib.sha256(self.lock.encode()).hexdigest()


@dataclass(frozen=True)
class Refusal:
    """uv's answer that there is no stack.

    Attributes:
        explanation: Why, in uv's words.
    """

    explanation: str
