"""Who makes the inspections of a campaign: this process at once, or whoever takes from the queue."""

import asyncio
from typing import Protocol

from trimtab.catalog import InspectionState
from trimtab.engines import Capabilities, Engine
from trimtab.workflows.course import Course
from trimtab.workflows.inspecting import Inspecting
from trimtab.workflows.journal import BusyError, Journal
from trimtab.workflows.place import Place
from trimtab.workflows.rooms import Rooms
from trimtab.workflows.submission import Submission
from trimtab.workflows.work import Work

__all__ = ["Here", "Inspector", "Queued"]

BUSY = 0.5


class Inspector(Protocol):
    """Makes inspections. What is over is not made again."""

    async def inspect(self, submission: Submission) -> None:
        """Make an inspection to its end, however far it came.

        Raises:
            asyncio.CancelledError: It is left as far as it came.
        """
        ...

    async def cancel(self, submission: Submission) -> None:
        """End an inspection that was begun and is not over; what is done of it stays."""
        ...


class Here:
    """This process makes them.

    Args:
        place: Where they are kept.
        engine: What builds and runs.
        capabilities: What that enforces.
        parallel: How many at the same time.
    """

    def __init__(self, place: Place, engine: Engine, capabilities: Capabilities, parallel: int = 1) -> None:
        self._place = place
        self._engine, self._capabilities = engine, capabilities
        self._rooms = Rooms(parallel, parallel)

    async def inspect(self, submission: Submission) -> None:
        """Make it, or wait for another process that does."""
        while True:
            try:
                with self._journal(submission).held():
                    course = self._course(submission)
                    course.cancelled = None  # left, not ended
                    await course.go()
                    return
            except BusyError:
                await asyncio.sleep(BUSY)

    async def cancel(self, submission: Submission) -> None:
        """Conclude what is done of it."""
        journal = self._journal(submission)
        if journal.submission() is not None:
            with journal.held():
                await self._course(submission).break_off(InspectionState.CANCELLED)

    def _journal(self, submission: Submission) -> Journal:
        return Journal(self._place.work / submission.id)

    def _course(self, submission: Submission) -> Course:
        work = Work(self._place, self._engine, self._journal(submission), submission, rooms=self._rooms)
        return Course(work, self._capabilities)


class Queued:
    """They wait in the queue, and whoever is there makes them.

    Args:
        inspecting: Of this process.
    """

    def __init__(self, inspecting: Inspecting) -> None:
        self._inspecting = inspecting

    async def inspect(self, submission: Submission) -> None:
        """Put it into the queue, and wait until it is over."""
        await self._inspecting.submit(submission)
        async for _ in self._inspecting.follow(submission.id):
            pass

    async def cancel(self, submission: Submission) -> None:
        """Have it ended, and wait until it is."""
        if await self._inspecting.cancel(submission.id):
            async for _ in self._inspecting.follow(submission.id):
                pass
