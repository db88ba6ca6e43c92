"""The workflow of analyses: of images and of logs, tried again while what fails them passes, over once."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from loguru import logger

from trimtab.builds import Kind, Registries, Secret, kind_of
from trimtab.catalog import AnalysisKind, AnalysisState, CatalogError, analyses
from trimtab.catalog.analyses import ENDED
from trimtab.workflows.analysers import Analysers
from trimtab.workflows.analysis import Analysis, Outcome, discard
from trimtab.workflows.patience import Patience
from trimtab.workflows.work import lasting
from trimtab.workflows.worker import Worker
from trimtab.workflows.workflow import Line

__all__ = ["Analysing", "Told"]

Told: TypeAlias = Callable[[str, str], None]
TAKES = 10  # an analysis that ends the server does so this often
WAITING = 50  # analyses of a kind that a process takes: most of them wait for a process, or for what passes
LONGEST = 120.0  # seconds before another attempt, whatever a registry asks for
LEAVING = 8.0
TRIES = 3
HERE = 5.0  # seconds that the queue has to give something to the process that has its credentials
EVERY = 1.0


class Analysing:
    """Makes analyses, if its worker works; and holds the credentials that came along with them, in memory alone.

    Args:
        worker: Of this process.
        registries: How they are reached.
        at_once: Analyses at the same time, of this process.
        seconds: That one may take.
        patience: How often what passes is tried.
        told: Is told of each that ends here: its kind and its state.
    """

    name = "analysis"

    def __init__(
        self,
        worker: Worker,
        *,
        registries: Registries | None = None,
        at_once: int = 1,
        seconds: float = 3000.0,
        patience: Patience | None = None,
        told: Told = lambda _kind, _state: None,
    ) -> None:
        self._place = worker.place
        self._registries = registries or Registries()
        # Logs do not wait behind images: each kind has processes of its own.
        self._analysers = {each: Analysers(at_once) for each in AnalysisKind}
        self._seconds = seconds
        self._patience = patience or Patience(5, 1.0)
        self._told = told
        self._worker = worker
        self._secrets: dict[str, Secret] = {}
        self._since: dict[str, float] = {}
        self._under_way: dict[str, asyncio.Task[Any]] = {}
        self._own: dict[
            str, asyncio.Task[Any]
        ] = {}  # what another process has taken, and this one has the credentials of
        self._attempts: dict[str, asyncio.Task[float]] = {}
        self._leaving = False
        worker.serve(self)

    @property
    def ids(self) -> list[str]:
        """What is under way here."""
        return list(self._under_way)

    def line(self, kind: AnalysisKind) -> str:
        """The line in which analyses of a kind wait."""
        return f"{self._place.deployment}/analyses/{kind}"

    def keep(self, analysis_id: str, secret: Secret) -> None:
        """Hold what an analysis asks its registry with, until it is over or this process ends."""
        if self._worker.works:
            self._secrets[analysis_id], self._since[analysis_id] = secret, time.monotonic()

    @property
    def holder(self) -> str | None:
        """The name under which this process makes what it has credentials of; None: it makes nothing."""
        return self._worker.executor if self._worker.works else None

    async def prepare(self) -> Sequence[Line]:
        """Nothing is needed: a server without an engine analyses, too."""
        return [Line(self.line(each), WAITING) for each in AnalysisKind]

    async def make(self, work_id: str, /) -> str:
        """Make an analysis to its end."""
        task = asyncio.current_task()
        if self._leaving or task is None:
            raise asyncio.CancelledError
        self._under_way[work_id] = task
        try:
            await self._leave_to_holder(work_id)
            return await self._until_over(work_id)
        finally:
            if self._under_way.get(work_id) is task:
                del self._under_way[work_id]

    def lose(self, work_id: str) -> None:
        """Leave an analysis that another process has taken over."""
        if task := self._under_way.get(work_id):
            logger.warning("{} was taken over by another process, and is left to it", work_id)
            task.cancel()

    async def watch(self) -> None:
        """End what was cancelled meanwhile."""
        if ids := list(self._attempts):
            for each in await asyncio.to_thread(self._over, ids):
                if attempt := self._attempts.get(each):
                    attempt.cancel()

    async def attend(self) -> None:
        """Make what this process alone can, whoever has taken it; and end processes that have nothing to do."""
        late = time.monotonic() - HERE
        for each in [name for name, since in self._since.items() if since < late]:
            if not {each} & {*self._under_way, *self._own} and not self._leaving:
                self._own[each] = task = asyncio.create_task(self._until_over(each))
                task.add_done_callback(lambda _, name=each: self._own.pop(name))  # type: ignore[misc] # typeshed knows no defaults
        for analysers in self._analysers.values():
            await analysers.expire()

    async def sweep(self) -> None:
        """Nothing is left over."""

    async def leave(self) -> None:
        """End what runs, and leave all as far as it came."""
        self._leaving = True
        tasks = [*self._under_way.values(), *self._own.values()]
        for each in tasks:
            each.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=LEAVING)
        for analysers in self._analysers.values():
            await analysers.close()

    async def _leave_to_holder(self, analysis_id: str) -> None:
        """Wait while another process, which lives, has the credentials of an analysis; or this one, which makes it already."""
        while True:
            row = await lasting(self._row, analysis_id)
            holder = None if row is None or row["state"] in ENDED else row["holder"]
            if holder in {None, self.holder} or self._worker.is_dead(str(holder)):
                break
            await asyncio.sleep(EVERY)
        if own := self._own.get(analysis_id):
            await asyncio.wait({own})

    async def _until_over(self, analysis_id: str) -> str:
        failed, analysers = 0, self._analysers[_kind(analysis_id)]
        while True:
            async with analysers.room:
                row = await lasting(self._begin, analysis_id)
                if row is None:
                    self._secrets.pop(analysis_id, None)
                    self._since.pop(analysis_id, None)
                    return str(await lasting(self._ended, analysis_id))
                try:
                    pause = await self._watched(row, failed)
                except asyncio.CancelledError:
                    with suppress(CatalogError):
                        await asyncio.shield(asyncio.to_thread(self._leave, analysis_id))
                    raise
                except Exception:  # noqa: BLE001 # whatever it is: an analysis comes to an end
                    failed += 1
                    logger.exception("{} could not be made, {} times so far", analysis_id, failed)
                    await lasting(self._leave, analysis_id)
                    pause = self._patience.before(failed + 1)
            await asyncio.sleep(pause)

    async def _watched(self, row: analyses.Row, failed: int) -> float:
        """Try once, unless it is cancelled in the middle."""
        attempt = self._attempts[row["id"]] = asyncio.create_task(self._attempt(row, failed))
        try:
            return await attempt
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            return 0.0
        finally:
            del self._attempts[row["id"]]

    async def _attempt(self, row: analyses.Row, failed: int) -> float:
        """Try once.

        Returns:
            Seconds to wait before another attempt; or before it is seen that it is over.
        """
        analysis = Analysis(self._place, row, self._registries, self._secrets.get(row["id"]))
        if failed >= TRIES or row["taken"] > TAKES:
            times = failed or row["taken"] - 1
            outcome = Outcome(reason=f"Trimtab itself failed at it {times} times; its log says why")
        else:
            outcome = await self._outcome(analysis)
        if outcome.transient and row["attempts"] + 1 < self._patience.attempts:
            await lasting(self._postpone, row["id"], outcome.reason)
            return min(LONGEST, max(self._patience.before(row["attempts"] + 2), outcome.after or 0.0))
        state = AnalysisState.SUCCEEDED if outcome.document is not None else AnalysisState.FAILED
        reason = (
            f"{outcome.reason}; after {row['attempts'] + 1} attempts" if outcome.transient else outcome.reason
        )
        if await lasting(self._finish, row["id"], state, reason):
            self._told(row["kind"], state.value)
        return 0.0

    async def _outcome(self, analysis: Analysis) -> Outcome:
        """What comes of an analysis; its document is stored, and what it tells remembered."""
        await lasting(analysis.announce)
        stored = await lasting(analysis.stored)
        if stored is not None:  # and whoever did so did not come to say it
            return await lasting(analysis.remember, stored)
        request = await lasting(analysis.request)
        if isinstance(request, Outcome):
            return request
        answer = await self._analysers[AnalysisKind(analysis.row["kind"])].analyse(request, self._seconds)
        if "document" not in answer:
            return analysis.failed(answer)
        document = await lasting(analysis.store, answer)
        return await lasting(analysis.remember, document)

    def _begin(self, analysis_id: str) -> analyses.Row | None:
        with self._place.database.write() as connection:
            return analyses.begin(connection, analysis_id)

    def _row(self, analysis_id: str) -> analyses.Row | None:
        with self._place.database.read() as connection:
            return analyses.by_id(connection, analysis_id)

    def _over(self, ids: Sequence[str]) -> set[str]:
        with self._place.database.read() as connection:
            return analyses.over(connection, ids)

    def _ended(self, analysis_id: str) -> str:
        """How it ended; what was found all the same by the time that it was cancelled, or deleted, goes."""
        row = self._row(analysis_id)
        state = "deleted" if row is None else row["state"]
        if state in {"deleted", AnalysisState.CANCELLED}:
            discard(self._place, analysis_id)
        return state

    def _leave(self, analysis_id: str) -> None:
        with self._place.database.write() as connection:
            analyses.leave(connection, analysis_id)

    def _postpone(self, analysis_id: str, reason: str) -> None:
        with self._place.database.write() as connection:
            analyses.postpone(connection, analysis_id, reason)

    def _finish(self, analysis_id: str, state: AnalysisState, reason: str | None) -> bool:
        with self._place.database.write() as connection:
            return analyses.finish(connection, analysis_id, state, reason)


def _kind(analysis_id: str) -> AnalysisKind:
    return AnalysisKind.LOG if kind_of(analysis_id) is Kind.LOG else AnalysisKind.IMAGE
