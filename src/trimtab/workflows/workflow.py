"""What a worker asks of each kind of durable work that it serves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Line", "Workflow"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the queue that this process takes from.

    Attributes:
        name: Of the line. Whoever puts into it means those who can make what is in it.
        at_once: How many pieces of work this process takes.
        everywhere: How many all processes take together; None: no limit.
    """

    name: str
    at_once: int
    everywhere: int | None = None


class Workflow(Protocol):
    """One kind of durable work. The worker calls its methods on one event loop.

    Pieces of it are known by their ids, of which no two kinds have the same.
    """

    @property
    def name(self) -> str:
        """By which the queue knows it: it never changes."""

    @property
    def ids(self) -> list[str]:
        """What of it this process makes now."""

    async def prepare(self) -> Sequence[Line]:
        """Look for what it needs to be made here, also again later.

        Returns:
            The lines that can be taken from; none, as long as nothing can be made.
        """

    async def make(self, work_id: str, /) -> str:
        """Make a piece of work to its end.

        Returns:
            Its state.

        Raises:
            asyncio.CancelledError: It was left as far as it came, and stays taken.
        """

    def lose(self, work_id: str) -> None:
        """Leave a piece of work that another process has taken over; nothing, if it is not under way here."""

    async def watch(self) -> None:
        """See what others wish of what this process makes; asked for twice a second."""

    async def attend(self) -> None:
        """Do what is to be done beside making; asked for every two seconds."""

    async def sweep(self) -> None:
        """Remove what nobody needs any more; asked for every hour."""

    async def leave(self) -> None:
        """End what runs, and leave all as far as it came."""
