"""Inspections that are accepted, kept in the queue of the database, and made by whichever process is there.

submit ──▶ catalog and queue, in one transaction ──▶ a process takes it ──▶ its course ──▶ over, once
                                                      ▲            │
                              taken over when it died └────────────┘
"""

import asyncio
import os
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from loguru import logger

from trimtab.catalog import (
    TERMINAL,
    CatalogError,
    InspectionState,
    UnavailableError,
    accept,
    inspections,
    submissions,
)
from trimtab.engines import Capabilities, Engine, EngineUnavailableError
from trimtab.inspection import Specification
from trimtab.store import NotFoundError
from trimtab.workflows.available import KEPT, engines_here
from trimtab.workflows.duties import Duties
from trimtab.workflows.ending import call_off
from trimtab.workflows.executors import GRACE, Executors, executors
from trimtab.workflows.following import Hub, follow
from trimtab.workflows.making import Making
from trimtab.workflows.patience import Patience
from trimtab.workflows.place import Place
from trimtab.workflows.rooms import Rooms
from trimtab.workflows.submission import Submission
from trimtab.workflows.watcher import Event

if TYPE_CHECKING:
    from trimtab.workflows.queue import Queue

__all__ = ["Worker"]

T = TypeVar("T")

PAUSES = 0.5, 1.0, 2.0, 4.0  # seconds between attempts to open the queue
WEEK = 7 * 86400.0
WATCH, ROUND, HOUR, AGAIN = 0.5, 2.0, 3600.0, 30.0  # seconds between two times of each duty


class Worker:
    """Keeps accepted inspections durably in the shared database, and makes them.

    There is one that works in a process at a time: DBOS is one to a process.

    Args:
        place: Where inspections are kept.
        engine: One of `trimtab.engines.CHOICES`: with these of them that can be used here it makes what is asked of them.
        allow_process: Whether the process engine, which is no sandbox, may be used.
        builds: Builds at the same time, of this process.
        runs: Runs at the same time, of this process; None: as many as the cores they ask for are there.
        everywhere: Inspections under way at the same time, of all processes that share the database; None: no limit.
        patience: How often the infrastructure is tried.
        works: Whether it makes inspections; else it accepts and ends them, and another process makes them.
        longest_wait: Seconds that an inspection waits in the queue before it expires.
        grace: Seconds that a process is missed on PostgreSQL before others take its work over.
    """

    def __init__(
        self,
        place: Place,
        *,
        engine: str = "auto",
        allow_process: bool = False,
        builds: int = 1,
        runs: int | None = None,
        everywhere: int | None = None,
        patience: Patience | None = None,
        works: bool = True,
        longest_wait: float = WEEK,
        grace: float = GRACE,
    ) -> None:
        self._place = place
        self._name = engine
        self._allowed = ("podman", "docker", *(["process"] if allow_process else []))
        self._works = works
        self._longest_wait = longest_wait
        self._everywhere = everywhere
        self._at_once = builds + (runs or os.cpu_count() or 1)
        self._engines: dict[str, tuple[Engine, Capabilities]] = {}
        self._problem = EngineUnavailableError(f"no engine {engine!r} was looked for yet")
        self._hub = Hub()
        self._making = Making(
            place, self._engines, self._hub, patience or Patience(), Rooms(builds, runs), longest_wait
        )
        self._executor = f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(8)}"
        self._executors: Executors = executors(place.database, grace)
        self._queue: Queue | None = None
        self._opening = threading.Lock()
        self._entered = False
        self._duties: Duties | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Open the queue; take over what is left, and take from it, if an engine can be used.

        Raises:
            CatalogError: The database cannot be used.
        """
        self._entered = True
        if self._works:
            try:
                await _patiently(self._opened)
                await self._start()
            except BaseException:
                await asyncio.shield(asyncio.to_thread(self._stop))
                raise
            self._tasks = [asyncio.create_task(each) for each in (self._watch(), self._rounds())]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End what runs, and leave all as far as it came to be continued."""
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._making.leave()
        await asyncio.shield(asyncio.to_thread(self._stop))

    @property
    def capabilities(self) -> Capabilities | None:
        """What the engine that is used first enforces here; None: there is none, or it does not work."""
        return next((found for _, found in self._engines.values()), None)

    @property
    def engine(self) -> str:
        """Name of the engine to submit for: the one that is used first; else what this worker was told."""
        return next((found.name for found, _ in self._engines.values()), self._name)

    async def submit(self, submission: Submission, *, idempotency: str | None = None) -> str:
        """Accept an inspection: it is kept, and made whatever ends meanwhile. Twice is once.

        Args:
            submission: What is asked for.
            idempotency: The key by which the same owner asks once.

        Returns:
            The id of the inspection: that of the one before, if the owner asked with the same key.

        Raises:
            EngineUnavailableError: There is no engine here that could make it.
            CatalogError: The database cannot be used.
        """
        if self._works and not self._engines:
            raise self._problem
        return await asyncio.to_thread(self._submit, submission, idempotency)

    async def cancel(self, inspection_id: str) -> bool:
        """End an inspection, whoever makes it: what runs is ended at once, and what is done stays.

        Returns:
            Whether it is in the queue or under way, and will end so; False: it is over, or there is none such there.

        Raises:
            CatalogError: The database cannot be used.
        """
        wished = await asyncio.to_thread(self._cancel, inspection_id)
        if wished:
            self._making.end(inspection_id, InspectionState.CANCELLED)
        return wished

    async def retry(self, inspection_id: str, owner: str | None = None) -> Submission:
        """Accept once more what an inspection asked for, under a new id.

        Args:
            inspection_id: Which; also one that is not over.
            owner: Who asks; None: whose the other is.

        Returns:
            What was accepted.

        Raises:
            LookupError: There is no such inspection.
            EngineUnavailableError: There is no engine here that could make it.
            CatalogError, StoreError: Database or store cannot be used.
        """
        submission = await asyncio.to_thread(self._again, inspection_id, owner)
        await self.submit(submission)
        return submission

    def follow(self, inspection_id: str) -> AsyncIterator[Event]:
        """What happened to an inspection and will, each once, up to its end: the last one is of kind `over`.

        Raises:
            LookupError: There is no such inspection; when it is asked for the first event.
            CatalogError: The database cannot be used; the same.
        """
        return follow(self._place, self._hub, inspection_id)

    def _submit(self, submission: Submission, idempotency: str | None = None) -> str:
        queue, place = self._opened(), self._place
        with place.database.write() as connection:
            found = accept(
                connection,
                submission.id,
                submission.specification,
                created_at=submission.created,
                owner=submission.owner,
                idempotency=idempotency,
            )
            row = inspections.by_id(connection, found)
            if found == submission.id and row is not None and row["state"] not in TERMINAL:
                submissions.keep(connection, found, place.deployment, submission.document())
                queue.put(connection, self._line(submission.engine), found, submission.owner)
        return found

    def _cancel(self, inspection_id: str) -> bool:
        with self._place.database.write() as connection:
            wished = submissions.wish(connection, inspection_id, InspectionState.CANCELLED)
            row = submissions.by_id(connection, inspection_id) if wished else None
        if row is not None and row["state"] == InspectionState.QUEUED:
            call_off(self._place, Submission.load(row["document"]), InspectionState.CANCELLED)
            with self._place.database.write() as connection:
                submissions.done(connection, inspection_id)
        return wished

    def _again(self, inspection_id: str, owner: str | None) -> Submission:
        with self._place.database.read() as connection:
            row = inspections.by_id(connection, inspection_id)
            document = inspections.specification(connection, inspection_id)
            kept = submissions.by_id(connection, inspection_id)
        with suppress(NotFoundError):
            document = self._place.inspections[inspection_id].retrieve_specification()
        if row is None or document is None:
            raise LookupError(f"there is no inspection {inspection_id}")
        asked = {name: value for name, value in document.items() if not name.startswith("@")}
        return Submission.of(
            Specification.load(asked),
            self.engine,
            deployment=self._place.deployment,
            best_effort=kept["document"]["best_effort"]
            if kept
            else bool((row["build"] or {}).get("left_out")),
            owner=row["owner"] if owner is None else owner,
        )

    def _opened(self) -> "Queue":
        """The queue; in a thread, for to import and open it takes a while. Who only ends inspections never does."""
        if not self._entered:
            raise RuntimeError("a worker is used as a context: async with Worker(…) as worker")
        with self._opening:
            if self._queue is None:
                from trimtab.workflows.queue import Queue

                self._queue = Queue(self._place.database)
            return self._queue

    def _line(self, engine: str) -> str:
        """The queue of those who have an engine."""
        return f"{self._place.deployment}/{engine}"

    async def _start(self) -> None:
        found, self._problem = await engines_here(self._name, self._place.engines, self._allowed)
        self._engines.update(found)
        if self._engines:
            await _patiently(self._work, asyncio.get_running_loop())

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take from the queue. DBOS has a loop and threads of its own; what is made is made on ours."""
        queue = self._opened()
        if not self._executors.hold(self._executor):  # who takes without it would be taken for dead
            raise UnavailableError(f"the database {self._place.database.name} gives no lock")
        duties = Duties(
            self._place,
            queue,
            self._executors,
            self._executor,
            self._engines,
            self._longest_wait,
            self._submit,
        )
        duties.take_over([])

        async def inspection(inspection_id: str) -> str:
            made = asyncio.run_coroutine_threadsafe(self._making.make(inspection_id), loop)
            return await asyncio.wrap_future(made)

        lines = [self._line(each) for each in self._engines]
        queue.start(self._executor, lines, inspection, at_once=self._at_once, everywhere=self._everywhere)
        self._duties = duties

    def _stop(self) -> None:
        self._entered, queue = False, self._queue
        if queue is not None and self._duties is not None:
            queue.stop()
            with suppress(Exception):  # the database is away: others find out by the lock
                queue.give_back(self._executor, queue.taken().get(self._executor, []))
        self._executors.close()
        if queue is not None:
            queue.close()
        self._queue = self._duties = None

    async def _watch(self) -> None:
        """See what others wish of what this process makes."""
        while True:
            await asyncio.sleep(WATCH)
            if ids := self._making.ids:
                with suppress(CatalogError):
                    for each, state in (await asyncio.to_thread(self._endings, ids)).items():
                        self._making.end(each, state)

    def _endings(self, ids: list[str]) -> dict[str, InspectionState | None]:
        with self._place.database.read() as connection:
            return submissions.endings(connection, ids)

    async def _rounds(self) -> None:
        swept = time.monotonic()
        while True:
            if self._duties is None:
                await asyncio.sleep(AGAIN)
            try:
                if self._duties is None:
                    await self._start()
                    continue
                for each in await asyncio.to_thread(self._duties.take_over, self._making.ids):
                    self._making.lose(each)
                await asyncio.to_thread(self._duties.adopt)
                await asyncio.to_thread(self._duties.call_off)
                if time.monotonic() - swept > HOUR:
                    await asyncio.to_thread(self._opened().sweep)
                    for engine, _ in set(self._engines.values()):
                        await engine.expire(KEPT)
                    swept = time.monotonic()
            except Exception as error:  # noqa: BLE001 # the next round may do better
                logger.debug("a round was broken off: {}", error)
            await asyncio.sleep(ROUND)


async def _patiently(call: Callable[..., T], *arguments: object) -> T:
    """Call in a thread, a few times while the database cannot be used: it may be starting, too."""
    for pause in PAUSES:
        with suppress(UnavailableError):
            return await asyncio.to_thread(call, *arguments)
        await asyncio.sleep(pause)
    return await asyncio.to_thread(call, *arguments)
