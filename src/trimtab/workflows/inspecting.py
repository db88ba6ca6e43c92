"""The workflow of inspections: accepted, kept, made here or elsewhere, ended when somebody wishes."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

from trimtab.catalog import (
    TERMINAL,
    InspectionState,
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
from trimtab.workflows.executors import GRACE
from trimtab.workflows.following import Hub, follow
from trimtab.workflows.making import Making
from trimtab.workflows.patience import Patience
from trimtab.workflows.place import Place
from trimtab.workflows.rooms import Rooms
from trimtab.workflows.submission import Submission
from trimtab.workflows.watcher import Event
from trimtab.workflows.worker import Worker
from trimtab.workflows.workflow import Line

__all__ = ["Inspecting"]

WEEK = 7 * 86400.0


class Inspecting:
    """Keeps accepted inspections durably in the shared database, and makes them if its worker works.

    Args:
        worker: Of this process.
        engine: One of `trimtab.engines.CHOICES`: with these of them that can be used here it makes what is asked of them.
        allow_process: Whether the process engine, which is no sandbox, may be used.
        builds: Builds at the same time, of this process.
        runs: Runs at the same time, of this process; None: as many as the cores they ask for are there.
        everywhere: Inspections under way at the same time, of all processes that share the database; None: no limit.
        patience: How often the infrastructure is tried.
        longest_wait: Seconds that an inspection waits in the queue before it expires.
    """

    name = "inspection"

    def __init__(
        self,
        worker: Worker,
        *,
        engine: str = "auto",
        allow_process: bool = False,
        builds: int = 1,
        runs: int | None = None,
        everywhere: int | None = None,
        patience: Patience | None = None,
        longest_wait: float = WEEK,
    ) -> None:
        self._worker = worker
        self._place = place = worker.place
        self._choice = engine
        self._allowed = ("podman", "docker", "kubernetes", *(["process"] if allow_process else []))
        self._everywhere = everywhere
        self._at_once = builds + (runs or os.cpu_count() or 1)
        self._engines: dict[str, tuple[Engine, Capabilities]] = {}
        self._problem = EngineUnavailableError(f"no engine {engine!r} was looked for yet")
        self._hub = Hub()
        self._making = Making(
            place, self._engines, self._hub, patience or Patience(), Rooms(builds, runs), longest_wait
        )
        self._duties = Duties(place, self._engines, longest_wait, self._submit)
        worker.serve(self)

    @classmethod
    @asynccontextmanager
    async def alone(
        cls, place: Place, *, works: bool = True, grace: float = GRACE, **options: Any
    ) -> AsyncIterator[Self]:
        """Inspections, by a worker that makes nothing else.

        Args:
            place: Where they are kept.
            works: Whether they are made, and not only accepted and ended.
            grace: As a worker has it.
            options: The others.

        Raises:
            CatalogError: The database cannot be used.
        """
        worker = Worker(place, works=works, grace=grace)
        inspecting = cls(worker, **options)
        async with worker:
            yield inspecting

    @property
    def capabilities(self) -> Capabilities | None:
        """What the engine that is used first enforces here; None: there is none, or it does not work."""
        return next((found for _, found in self._engines.values()), None)

    @property
    def engine(self) -> str:
        """Name of the engine to submit for: the one that is used first; else what it was told."""
        return next((found.name for found, _ in self._engines.values()), self._choice)

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
        if self._worker.works and not self._engines:
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

    @property
    def ids(self) -> list[str]:
        """What this process makes now."""
        return self._making.ids

    async def prepare(self) -> Sequence[Line]:
        """Look for engines, if none was found yet."""
        if not self._engines:
            found, self._problem = await engines_here(self._choice, self._place.engines, self._allowed)
            self._engines.update(found)
        return [Line(self._line(each), self._at_once, self._everywhere) for each in self._engines]

    async def make(self, work_id: str, /) -> str:
        """Make an inspection to its end."""
        return await self._making.make(work_id)

    def lose(self, work_id: str) -> None:
        """Leave an inspection that another process has taken over."""
        self._making.lose(work_id)

    async def watch(self) -> None:
        """See what others wish of what this process makes."""
        if ids := self._making.ids:
            for each, state in (await asyncio.to_thread(self._endings, ids)).items():
                self._making.end(each, state)

    async def attend(self) -> None:
        """Take in what command lines left, and conclude what waited too long or nobody wants."""
        await asyncio.to_thread(self._duties.adopt)
        await asyncio.to_thread(self._duties.call_off)

    async def sweep(self) -> None:
        """Remove what the engines hold for nobody."""
        for engine, _ in set(self._engines.values()):
            await engine.expire(KEPT)

    async def leave(self) -> None:
        """End what runs, and leave all as far as it came."""
        await self._making.leave()

    def _submit(self, submission: Submission, idempotency: str | None = None) -> str:
        queue, place = self._worker.queue(), self._place
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
                queue.put(connection, self.name, self._line(submission.engine), found, submission.owner)
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

    def _endings(self, ids: list[str]) -> dict[str, InspectionState | None]:
        with self._place.database.read() as connection:
            return submissions.endings(connection, ids)

    def _line(self, engine: str) -> str:
        """The line of those who have an engine."""
        return f"{self._place.deployment}/{engine}"
