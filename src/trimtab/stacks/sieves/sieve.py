"""The interface of what keeps releases and stacks out before anything is built."""

from typing import Protocol, runtime_checkable

from trimtab.stacks.exclusion import Exclusion
from trimtab.stacks.release import Release
from trimtab.stacks.stack import Stack

__all__ = ["Sieve"]


@runtime_checkable
class Sieve(Protocol):
    """Says what not to try, and why."""

    @property
    def name(self) -> str:
        """By which its exclusions are known."""
        ...

    def release(self, release: Release) -> str | None:
        """Why no stack may have this release; None: one may. It is asked for thousands of them, and reads nothing."""
        ...

    async def stack(self, stack: Stack) -> Exclusion | None:
        """Why not this stack; None: it may be tried."""
        ...
