"""The course of an inspection: accepted → built → warm-ups → runs → concluded.

Each step does nothing if it was done, and says the same again: whoever continues after a kill goes through all of them from
the beginning.
"""

import asyncio
import os
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from trimtab.catalog import CatalogError, InspectionState, accept, advance
from trimtab.engines import Capabilities
from trimtab.store import FailureReport, Report, RunReport
from trimtab.workflows import building, ending, running
from trimtab.workflows.work import Work

__all__ = ["Course"]


class Course:
    """Takes one inspection to its end.

    Args:
        work: The inspection; its journal is held.
        capabilities: What the engine enforces here.

    Attributes:
        cancelled: How it ends if the task that goes on is cancelled; None: it does not end, and is left as far as it came.
        concluded: It is over, and only what is left of it is to be removed.
        taken: Somebody else goes on already, and nothing is done any more, but for ending what runs.
    """

    def __init__(self, work: Work, capabilities: Capabilities) -> None:
        self._work = work
        self._capabilities = capabilities
        self.cancelled: InspectionState | None = InspectionState.CANCELLED
        self.concluded = self.taken = False

    async def go(self) -> Report:
        """Go on to the end.

        Returns:
            How it ended.

        Raises:
            asyncio.CancelledError: This task was cancelled: what was running is ended, and the inspection is concluded
                as `cancelled` says, or left to be continued.
            EndedError: Somebody else ended it.
            StoreError: The store cannot be used; the inspection can be continued.
            CatalogError: The database cannot be used; the same.
        """
        try:
            report = await self._steps()
        except asyncio.CancelledError:
            if self.cancelled is not None:
                await asyncio.shield(self.break_off(self.cancelled))
            elif not self.taken:
                with suppress(CatalogError):  # then what runs is recorded as lost
                    await asyncio.shield(asyncio.to_thread(running.forget, self._work))
            raise
        self.concluded = True
        await ending.clean(self._work)
        return report

    async def break_off(self, state: InspectionState, failure: FailureReport | None = None) -> Report | None:
        """Conclude what is not to go on: what is done of it stays.

        Args:
            state: In which it ends.
            failure: Why.

        Returns:
            How it ended; None: it was not accepted yet, and there is nothing of it.
        """
        work = self._work
        if work.journal.submission() is None:
            return None
        await work.outside(self._write_row)
        await work.outside(building.keep, work)
        unseen = running.UNWANTED if state is InspectionState.CANCELLED else running.KILLED
        runs = await work.outside(running.keep, work, unseen)
        report = await ending.conclude(work, runs, state, failure)
        await ending.clean(work)
        return report

    async def _steps(self) -> Report:
        await self._accept()
        if (report := await ending.concluded(self._work)) is not None:
            return report
        noted = await building.build(self._work)
        reports = await self._runs() if "build" in noted else []
        return await ending.conclude(self._work, reports)

    async def _accept(self) -> None:
        work = self._work
        if work.journal.submission() is None:
            work.journal.accept(work.submission)
        if work.journal.read(ending.STARTED) is None:
            work.journal.write(ending.CAPABILITIES, asdict(self._capabilities))
            work.journal.write(ending.STARTED, datetime.now(UTC).isoformat())
        await work.outside(self._write_row)
        work.tell("accepted")

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
        await self._work.outside(self._advance)
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
        return await running.run(self._work, item, warmup=warmup)

    def _advance(self) -> None:
        noted: Any = self._work.journal.read(building.NOTE)
        with self._work.place.database.write() as connection:
            values = {"build": building.report_of(noted), "started_at": datetime.now(UTC).timestamp()}
            advance(connection, self._work.id, InspectionState.RUNNING, **values)
