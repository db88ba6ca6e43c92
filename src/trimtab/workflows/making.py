"""Makes, in this process, what was taken from the queue."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from loguru import logger

from trimtab.catalog import TERMINAL, InspectionState, submissions
from trimtab.engines import Capabilities, Engine
from trimtab.workflows.available import KEPT
from trimtab.workflows.course import Course
from trimtab.workflows.ending import call_off, clean
from trimtab.workflows.journal import BusyError, EndedError, Journal
from trimtab.workflows.patience import Patience
from trimtab.workflows.place import Place
from trimtab.workflows.rooms import Rooms
from trimtab.workflows.running import recall
from trimtab.workflows.submission import Submission
from trimtab.workflows.watcher import Watcher
from trimtab.workflows.work import Work, lasting

__all__ = ["Engines", "Making"]

Engines: TypeAlias = Mapping[str, tuple[Engine, Capabilities]]

TAKEN = "taken.json"  # how often it was
TAKES = 10  # an inspection that ends the process that makes it does so this often
TRIES = 3
BUSY = 1.0
LEAVING = 8.0  # seconds for what runs to be ended


@dataclass
class _Entry:
    task: "asyncio.Task[Any]"
    course: Course | None = None
    ended: bool = False
    asked: bool = False  # by `end`, and not seen yet

    @property
    def is_ending(self) -> bool:
        """Whether its conclusion, or the removal of what is left of it, is under way, and not to be broken off."""
        return self.ended or (self.course is not None and self.course.concluded)


class Making:
    """What this process makes.

    Args:
        place: Where inspections are kept.
        engines: By each name that a submission may have for them.
        watcher: Who looks on.
        patience: How often the infrastructure is tried.
        rooms: How many builds and runs there are at the same time.
        longest_wait: Seconds after which what was not begun is not any more.
    """

    def __init__(
        self,
        place: Place,
        engines: Engines,
        watcher: Watcher,
        patience: Patience,
        rooms: Rooms,
        longest_wait: float,
    ) -> None:
        self._place = place
        self._engines = engines
        self._watcher = watcher
        self._patience = patience
        self._rooms = rooms
        self._longest_wait = longest_wait
        self._under_way: dict[str, _Entry] = {}
        self._leaving = False

    @property
    def ids(self) -> list[str]:
        """What is under way."""
        return list(self._under_way)

    async def make(self, inspection_id: str) -> str:
        """Make an inspection to its end; on the event loop that the others are used on.

        Returns:
            Its state; `deleted`, if there is no such inspection any more.

        Raises:
            asyncio.CancelledError: It was left as far as it came.
        """
        task = asyncio.current_task()
        if self._leaving or task is None:
            raise asyncio.CancelledError
        entry = self._under_way[inspection_id] = _Entry(task)
        try:
            return await self._until_over(inspection_id, entry)
        finally:
            if self._under_way.get(inspection_id) is entry:
                del self._under_way[inspection_id]

    def end(self, inspection_id: str, state: InspectionState | None) -> None:
        """End what runs of an inspection, and conclude it.

        Args:
            inspection_id: Which; the catalog has the wish already.
            state: How it ends; None: it was deleted, and nothing is concluded.
        """
        entry = self._under_way.get(inspection_id)
        # Before there is a course, it will see the wish by itself.
        if entry is not None and entry.course is not None and not entry.is_ending:
            entry.ended = entry.asked = True
            entry.course.cancelled = state
            entry.course.taken = state is None
            entry.task.cancel()

    def lose(self, inspection_id: str) -> None:
        """Leave an inspection that another process has taken over."""
        entry = self._under_way.get(inspection_id)
        if entry is not None and not entry.is_ending:
            logger.warning("{} was taken over by another process, and is left to it", inspection_id)
            if entry.course is not None:
                entry.course.taken = True
            entry.task.cancel()

    async def leave(self) -> None:
        """End what runs, and leave all as far as it came; what is being concluded is concluded."""
        self._leaving = True
        entries = list(self._under_way.values())
        for each in entries:
            if not each.is_ending:
                each.task.cancel()
        if entries:
            await asyncio.wait([each.task for each in entries], timeout=LEAVING)

    async def _until_over(self, inspection_id: str, entry: _Entry) -> str:
        journal, failed = Journal(self._place.work / inspection_id), 0
        while True:
            try:
                with journal.held():
                    if (state := await self._step(inspection_id, journal, entry, failed)) is not None:
                        return state
            except EndedError:
                pass
            except BusyError:  # a command line makes it, or has just done so
                await asyncio.sleep(BUSY)
            except asyncio.CancelledError:
                if not entry.asked:
                    raise
                entry.asked = False
                entry.task.uncancel()
            except Exception:  # noqa: BLE001 # whatever it is: an inspection comes to an end
                failed += 1
                logger.exception("{} could not be made, {} times so far", inspection_id, failed)
                await asyncio.sleep(min(60.0, self._patience.before(failed + 1)))

    async def _step(self, inspection_id: str, journal: Journal, entry: _Entry, failed: int) -> str | None:
        """Go on once; its state, if it is over."""
        row = await lasting(self._row, inspection_id)
        entry.course = None
        if row is None or row["state"] in TERMINAL:
            await self._clean(inspection_id, journal, row)
            return row["state"] if row else "deleted"
        submission = Submission.load(row["document"])
        wished = None if row["ending"] is None else InspectionState(row["ending"])
        if row["state"] == InspectionState.QUEUED:
            late = time.time() - row["created_at"] > self._longest_wait
            if late and wished is None:
                await lasting(self._expire, inspection_id)
                return None
            if wished is not None:
                await lasting(call_off, self._place, submission, wished)
                return None
        engine, capabilities = self._engines[submission.engine]
        work = self._work(replace(submission, engine=engine.name), engine, journal)
        await self._go(work, Course(work, capabilities), entry, wished, failed)
        return None

    async def _go(
        self, work: Work, course: Course, entry: _Entry, wished: InspectionState | None, failed: int
    ) -> None:
        journal, course.cancelled = work.journal, None
        taken = (journal.read(TAKEN) or 0) + 1
        if journal.submission() is None:
            journal.enqueue()
            journal.accept(work.submission)
        elif taken > 1:
            await work.engine.expire(KEPT)  # what the one before left running
        await work.outside(recall, work)
        if wished is not None:
            await course.break_off(wished)
        elif failed >= TRIES or taken > TAKES:
            times = failed or taken - 1
            reason = f"Trimtab itself failed at it {times} times; its log says why"
            failure = {"kind": "infrastructure", "reason": reason, "lines": []}
            await course.break_off(InspectionState.FAILED, failure)  # type: ignore[arg-type] # it is one
        else:
            journal.write(TAKEN, taken)
            entry.course = course
            try:
                await course.go()
            except asyncio.CancelledError:
                if not entry.is_ending:
                    journal.write(TAKEN, taken - 1)  # left, not killed
                raise

    def _row(self, inspection_id: str) -> submissions.Row | None:
        with self._place.database.read() as connection:
            return submissions.by_id(connection, inspection_id)

    async def _clean(self, inspection_id: str, journal: Journal, row: submissions.Row | None) -> None:
        """It is over: what is left of it is removed, and its submission at last."""
        submission = journal.submission()
        if submission is not None and submission.engine in self._engines:
            engine, _ = self._engines[submission.engine]
            await clean(self._work(submission, engine, journal))
        await asyncio.to_thread(journal.remove)
        if row is not None:
            await lasting(self._done, inspection_id)

    def _expire(self, inspection_id: str) -> None:
        with self._place.database.write() as connection:
            submissions.wish(connection, inspection_id, InspectionState.EXPIRED, queued=True)

    def _done(self, inspection_id: str) -> None:
        with self._place.database.write() as connection:
            submissions.done(connection, inspection_id)

    def _work(self, submission: Submission, engine: Engine, journal: Journal) -> Work:
        return Work(
            self._place,
            engine,
            journal,
            submission,
            self._watcher,
            self._patience,
            self._rooms,
            lasting=True,
        )
