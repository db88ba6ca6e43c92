"""Durable work of any kind: kept in the queue of the database, and made by whichever process is there.

put ──▶ catalog and queue, in one transaction ──▶ a process takes it ──▶ its workflow makes it ──▶ over, once
                                                   ▲            │
                           taken over when it died └────────────┘
"""

import asyncio
import os
import secrets
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from loguru import logger

from trimtab.catalog import CatalogError, UnavailableError
from trimtab.workflows.executors import GRACE, Executors, executors
from trimtab.workflows.place import Place
from trimtab.workflows.workflow import Line, Workflow

if TYPE_CHECKING:
    from trimtab.workflows.queue import Maker, Queue

__all__ = ["Worker"]

T = TypeVar("T")

PAUSES = 0.5, 1.0, 2.0, 4.0  # seconds between attempts to open the queue
WATCH, ROUND, HOUR, AGAIN = 0.5, 2.0, 3600.0, 30.0  # seconds between two times of each duty


class Worker:
    """Takes from the queue for all workflows of a process.

    There is one that works in a process at a time: DBOS is one to a process.

    Args:
        place: Where things are kept.
        works: Whether it takes from the queue; else what is put into it is made by another process.
        grace: Seconds that a process is missed on PostgreSQL before others take its work over.
    """

    def __init__(self, place: Place, *, works: bool = True, grace: float = GRACE) -> None:
        self.place = place
        self.works = works
        self.executor = f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(8)}"
        self._workflows: list[Workflow] = []
        self._executors: Executors = executors(place.database, grace)
        self._queue: Queue | None = None
        self._opening = threading.Lock()
        self._entered = self._started = False
        self._tasks: list[asyncio.Task[None]] = []

    def serve(self, workflow: Workflow) -> None:
        """Make this kind of work, too; before it is entered."""
        self._workflows.append(workflow)

    async def __aenter__(self) -> Self:
        """Open the queue; take over what is left, and take from it, as far as anything can be made here.

        Raises:
            CatalogError: The database cannot be used.
        """
        self._entered = True
        if self.works:
            try:
                await _patiently(self.queue)
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
        await asyncio.gather(*(each.leave() for each in self._workflows))
        await asyncio.shield(asyncio.to_thread(self._stop))

    def queue(self) -> "Queue":
        """The queue; to be called in a thread, for to import and open it takes a while. Who puts nothing never does.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        if not self._entered:
            raise RuntimeError("a worker is used as a context: async with Worker(…) as worker")
        with self._opening:
            if self._queue is None:
                from trimtab.workflows.queue import Queue

                self._queue = Queue(self.place.database)
            return self._queue

    async def _start(self) -> None:
        """Take from the lines of what can be made here; once more, when there are more of them."""
        lines = [line for each in self._workflows for line in await each.prepare()]
        if self._started:
            await asyncio.to_thread(self.queue().listen, lines)
        elif lines:
            await _patiently(self._work, asyncio.get_running_loop(), lines)
            self._started = True

    def _work(self, loop: asyncio.AbstractEventLoop, lines: list[Line]) -> None:
        if not self._executors.hold(self.executor):  # who takes without it would be taken for dead
            raise UnavailableError(f"the database {self.place.database.name} gives no lock")
        self._take_over([])
        self.queue().start(
            self.executor, {each.name: _here(each.make, loop) for each in self._workflows}, lines
        )

    def _take_over(self, making: list[str]) -> list[str]:
        """Put back what the dead had taken.

        Args:
            making: What this process makes.

        Returns:
            What of it others have taken, who thought that this process was dead.
        """
        if not self._executors.hold(self.executor):
            return []
        queue = self.queue()
        taken = queue.taken()
        mine = set(taken.pop(self.executor, ()))
        for dead in self._executors.dead(taken):
            logger.info("taking over {} pieces of work of {}, which ended", len(taken[dead]), dead)
            queue.give_back(dead, taken[dead])
        return [each for each in making if each not in mine]

    def _stop(self) -> None:
        self._entered, queue = False, self._queue
        if queue is not None and self._started:
            queue.stop()
            with suppress(Exception):  # the database is away: others find out by the lock
                queue.give_back(self.executor, queue.taken().get(self.executor, []))
        self._executors.close()
        if queue is not None:
            queue.close()
        self._queue, self._started = None, False

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH)
            for each in self._workflows:
                with suppress(CatalogError):
                    await each.watch()

    async def _rounds(self) -> None:
        looked = swept = time.monotonic()
        while True:
            await asyncio.sleep(ROUND)
            for duty in self._duties():
                try:
                    await duty()
                except Exception as error:  # noqa: BLE001 # the next round may do better
                    logger.debug("a round was broken off: {}", error)
            if time.monotonic() - looked > AGAIN:
                looked = await self._again(self._start)
            if time.monotonic() - swept > HOUR:
                swept = await self._again(self._sweep)

    def _duties(self) -> "Iterator[Callable[[], Awaitable[None]]]":
        if self._started:
            yield self._leave_to_others
            yield from (each.attend for each in self._workflows)

    async def _leave_to_others(self) -> None:
        making = [work_id for each in self._workflows for work_id in each.ids]
        for work_id in await asyncio.to_thread(self._take_over, making):
            for each in self._workflows:
                each.lose(work_id)

    async def _sweep(self) -> None:
        await asyncio.to_thread(self.queue().sweep)
        for each in self._workflows:
            await each.sweep()

    @staticmethod
    async def _again(duty: Callable[[], Awaitable[None]]) -> float:
        """Do a duty that is rarely done; when it was."""
        try:
            await duty()
        except Exception as error:  # noqa: BLE001 # the next time may do better
            logger.debug("a duty was broken off: {}", error)
        return time.monotonic()


def _here(make: "Maker", loop: asyncio.AbstractEventLoop) -> "Maker":
    """DBOS has a loop and threads of its own; what is made is made on ours."""

    async def made(work_id: str) -> str:
        coroutine = make(work_id)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, loop))  # type: ignore[arg-type] # a coroutine

    return made


async def _patiently(call: Callable[..., T], *arguments: object) -> T:
    """Call in a thread, a few times while the database cannot be used: it may be starting, too."""
    for pause in PAUSES:
        with suppress(UnavailableError):
            return await asyncio.to_thread(call, *arguments)
        await asyncio.sleep(pause)
    return await asyncio.to_thread(call, *arguments)
