"""The course of an inspection: accepted → built → warm-ups → runs → concluded.

Each step does nothing if it was done, and says the same again: whoever continues after a kill goes through all of them from
the beginning.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from trimtab.catalog import InspectionState, accept, advance
from trimtab.engines import Capabilities
from trimtab.store import Report, RunReport
from trimtab.workflows import building, ending, running
from trimtab.workflows.work import Work

__all__ = ["Course", "Step"]

T = TypeVar("T")


class Step(Protocol):
    """Makes a step: calls it, or says what it returned when it was made before."""

    async def __call__(self, name: str, step: Callable[[], Awaitable[T]], /) -> T:
        """The step's value, which is of JSON."""


async def plain(_name: str, step: Callable[[], Awaitable[T]], /) -> T:
    """A step that is remembered by the journal alone."""
    return await step()


class Course:
    """Takes one inspection to its end.

    Args:
        work: The inspection; its journal is held.
        capabilities: What the engine enforces here.
        step: Makes a step.
    """

    def __init__(self, work: Work, capabilities: Capabilities, step: Step | None = None) -> None:
        self._work = work
        self._capabilities = capabilities
        self._step: Step = step or plain

    async def go(self) -> Report:
        """Go on to the end.

        Returns:
            How it ended.

        Raises:
            asyncio.CancelledError: This task was cancelled: what was running is ended and removed, and the inspection is
                concluded as cancelled.
            StoreError: The store cannot be used; the inspection can be continued.
            CatalogError: The database cannot be used; the same.
        """
        try:
            report = await self._steps()
        except asyncio.CancelledError:
            await asyncio.shield(self._break_off())
            raise
        await ending.clean(self._work)
        return report

    async def _steps(self) -> Report:
        await self._step("accept", self._accept)
        noted = await self._step("build", lambda: building.build(self._work))
        reports = await self._runs() if "build" in noted else []
        return await self._step("conclude", lambda: ending.conclude(self._work, reports))

    async def _accept(self) -> str:
        work = self._work
        if work.journal.submission() is None:
            work.journal.accept(work.submission)
        if work.journal.read(ending.STARTED) is None:
            work.journal.write(ending.CAPABILITIES, asdict(self._capabilities))
            work.journal.write(ending.STARTED, datetime.now(UTC).isoformat())
        await asyncio.to_thread(self._write_row)
        work.tell("accepted")
        return work.id

    def _write_row(self) -> None:
        submission = self._work.submission
        with self._work.place.database.write() as connection:
            accept(
                connection,
                submission.id,
                submission.specification,
                created_at=submission.created,
                owner=submission.owner,
            )

    async def _runs(self) -> list[RunReport]:
        specification = self._work.specification
        if specification.script is None:
            return []
        await asyncio.to_thread(self._advance)
        batch = specification.batch_size
        for item in range(batch, batch + specification.run.warmup):
            await self._run(item, warmup=True)
        if specification.run.order == "sequential":
            found = [await self._run(item) for item in range(batch)]
        else:
            found = await self._parallel(batch)
        return [each for attempts in found for each in attempts]

    async def _parallel(self, batch: int) -> list[list[RunReport]]:
        """As many at a time as there are cores for."""
        cores = max(1.0, self._work.specification.run.requests.to_resources().cpu)
        room = asyncio.Semaphore(max(1, int((os.cpu_count() or 1) / cores)))

        async def one(item: int) -> list[RunReport]:
            async with room:
                return await self._run(item)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(item)) for item in range(batch)]
        except ExceptionGroup as errors:  # the others were ended for the first
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _run(self, item: int, *, warmup: bool = False) -> list[RunReport]:
        return await self._step(f"run {item}", lambda: running.run(self._work, item, warmup=warmup))

    def _advance(self) -> None:
        noted: Any = self._work.journal.read(building.NOTE)
        with self._work.place.database.write() as connection:
            values = {"build": building.report_of(noted), "started_at": datetime.now(UTC).timestamp()}
            advance(connection, self._work.id, InspectionState.RUNNING, **values)

    async def _break_off(self) -> None:
        """Conclude what somebody did not want any more: what is done of it stays."""
        work = self._work
        if work.journal.submission() is None:
            return
        await asyncio.to_thread(self._write_row)
        await asyncio.to_thread(building.keep, work)
        await ending.conclude(work, await asyncio.to_thread(running.keep, work), cancelled=True)
        await ending.clean(work)
