"""What sees builds: the interface that every kind of source has, on this machine or in a cluster."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from servo.connectors.builds.build import Build

__all__ = ["Batch", "Source"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Builds that were seen, in their order, and how far their source was read with them.

    Attributes:
        builds: Only those that are over. None is an answer too: of a source that has moved on.
        position: Where to go on after them, in the source's words (a time, a resource version); None if it has no such thing.
    """

    builds: Sequence[Build]
    position: str | None = None


class Source(Protocol):
    """Something in which builds can be seen.

    A source need not remember anything: it may show a build again, for what was seen is in the journal. It must not
    forget: from a position on it shows all that ended after it.

    Attributes:
        name: Unique among those of an agent; also the key of its position.
        engine: The container engine whose events it reads, if it does; builds that the agent ran itself by this engine are
            known from elsewhere.
        is_volatile: Whether logs may be gone soon, as those of pods; they are kept as soon as a build is seen.
    """

    name: str
    engine: str | None
    is_volatile: bool

    def watch(self, position: str | None) -> AsyncGenerator[Batch, None]:
        """Yield what ends, until cancelled.

        A batch is on disk before the next one is asked for: a source that is not asked has to wait, and keep what it has.

        Args:
            position: Where to go on; None at the very first time, then from now on.

        Raises:
            SourceError: It cannot be read just now; the caller comes again.
        """

    def existing(self) -> AsyncGenerator[Batch, None]:
        """Yield the images that are there already, as builds of which only the output is known.

        Raises:
            SourceError: It cannot be read just now.
        """

    def log(self, build: Build) -> AsyncGenerator[bytes, None]:
        """Yield the log of a build that has one.

        Raises:
            PassingError: It cannot be had just now.
            PartError: It cannot be had.
        """

    async def check(self) -> str:
        """Return what is watched.

        Raises:
            SourceError: It cannot be.
        """

    async def aclose(self) -> None:
        """Close what is open; it may be opened again."""
