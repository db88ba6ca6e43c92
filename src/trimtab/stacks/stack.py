"""One locked set of packages."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from packaging.utils import canonicalize_name

__all__ = ["Refusal", "Stack"]

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Stack:
    """Locked dependencies, valid for one target.

    Attributes:
        lock: requirements.txt with a hash of each file that may be installed, as uv writes it.
    """

    lock: str = field(repr=False)

    @cached_property
    def pins(self) -> Mapping[str, str]:
        """Version by canonical name, sorted; without what has a URL instead of a version."""
        found = ((canonicalize_name(name), version) for name, version in _PINNED.findall(self.lock))
        return dict(sorted(found))

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of its packages.

        It is `trimtab.catalog.stacks.stack_digest` of this lock, by which the catalog knows the stack whatever file it was
        locked in. It is computed here because the catalog brings a database along, which a search does not need.
        """
        lines = (f"{name}=={version} @ pypi\n" for name, version in self.pins.items())
        return hashlib.sha256("".join(lines).encode()).hexdigest()

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
