"""The workflow of builds: what was submitted of one is stored and remembered, once."""

import asyncio
from collections.abc import Sequence
from typing import Any

from loguru import logger

from trimtab.builds import record_build
from trimtab.catalog import UnavailableError as DatabaseUnavailableError
from trimtab.catalog import submitted_builds
from trimtab.store import BuildsStore
from trimtab.store import UnavailableError as StoreUnavailableError
from trimtab.workflows.work import lasting
from trimtab.workflows.worker import Worker
from trimtab.workflows.workflow import Line

__all__ = ["Recording"]

AT_ONCE = 10
PASSING = DatabaseUnavailableError, StoreUnavailableError


class Recording:
    """Stores what was accepted, and writes its rows, if its worker works.

    Args:
        worker: Of this process.
    """

    name = "build-analysis"

    def __init__(self, worker: Worker) -> None:
        self._place = worker.place
        self._under_way: dict[str, asyncio.Task[Any]] = {}
        self._leaving = False
        worker.serve(self)

    @property
    def ids(self) -> list[str]:
        """What is under way here."""
        return list(self._under_way)

    @property
    def line(self) -> str:
        """The line in which builds wait."""
        return f"{self._place.deployment}/builds"

    async def prepare(self) -> Sequence[Line]:
        """Nothing is needed."""
        return [Line(self.line, AT_ONCE)]

    async def make(self, work_id: str, /) -> str:
        """Record a build."""
        task = asyncio.current_task()
        if self._leaving or task is None:
            raise asyncio.CancelledError
        self._under_way[work_id] = task
        try:
            await lasting(self._record, work_id)
        finally:
            self._under_way.pop(work_id, None)
        return "recorded"

    def lose(self, work_id: str) -> None:
        """Leave a build to another process; both would write the same."""
        if task := self._under_way.get(work_id):
            task.cancel()

    async def watch(self) -> None:
        """Nobody wishes anything of a build."""

    async def attend(self) -> None:
        """There is nothing beside it."""

    async def sweep(self) -> None:
        """Nothing is left over."""

    async def leave(self) -> None:
        """Leave all as far as it came."""
        self._leaving = True
        tasks = list(self._under_way.values())
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _record(self, build_id: str) -> None:
        with self._place.database.read() as connection:
            row = submitted_builds.by_id(connection, build_id)
        if row is None or row["recorded_at"] is not None:
            return
        builds = BuildsStore(self._place.inspections.store, self._place.deployment)
        try:
            record_build(self._place.database, builds.put_once(row["document"], build_id))
        except PASSING:
            raise
        except Exception:  # noqa: BLE001 # a defect of ours: the build is over all the same
            logger.exception("{} could not be remembered", build_id)
        with self._place.database.write() as connection:
            submitted_builds.recorded(connection, build_id)
