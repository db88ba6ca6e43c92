"""The workflow of Dependency Monkey: stacks are made, and each is accepted as an inspection; once, whatever dies in between.

A run that was broken off makes its stacks again: the same question and index give the same ones, and each is submitted with a
key of run and stack, so that none is inspected twice.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, cast

from loguru import logger

from trimtab.catalog import AnalysisState, CatalogError, analyses
from trimtab.engines import EngineUnavailableError
from trimtab.inspection import Specification, SpecificationError
from trimtab.stacks import StacksError
from trimtab.stacks.monkey import (
    MonkeyQuestion,
    MonkeyReport,
    Product,
    new_document_id,
    products,
    report_document,
)
from trimtab.store import (
    DependencyMonkeyReportsStore,
    DependencyMonkeyRequestsStore,
    DocumentError,
    NotFoundError,
)
from trimtab.store.documents import decode, encode
from trimtab.workflows.inspecting import Inspecting
from trimtab.workflows.submission import Submission
from trimtab.workflows.tasks import TaskWorkflow
from trimtab.workflows.work import lasting
from trimtab.workflows.worker import Worker
from trimtab.workflows.workflow import Line

__all__ = ["MonkeyRuns"]

AT_ONCE = 1
TAKES = 3  # a run that ends the server does so this often
SECONDS = 3600.0
PAUSE = 2.0


class MonkeyRuns(TaskWorkflow):
    """Accepts runs of Dependency Monkey, and makes them if its worker works.

    Args:
        worker: Of this process.
        inspecting: Where stacks are submitted.
        seconds: That a run may take.
    """

    name = "dependency-monkey"

    def __init__(self, worker: Worker, inspecting: Inspecting, *, seconds: float = SECONDS) -> None:
        super().__init__()
        self._worker, self._place = worker, worker.place
        self._inspecting = inspecting
        self._seconds = seconds
        worker.serve(self)

    async def submit(self, request: Mapping[str, Any], owner: str) -> str:
        """Accept a run: it is kept, and made whatever ends meanwhile.

        Args:
            request: `question`, the fields of `MonkeyQuestion`; `context`, a specification without `python`; `dry_run`.
            owner: Who asks.

        Returns:
            Its id.

        Raises:
            CatalogError: The database cannot be used.
        """
        return await asyncio.to_thread(self._submit, dict(request), owner)

    def row(self, run_id: str) -> analyses.Row | None:
        """How a run of this deployment stands; None: there is none such."""
        with self._place.database.read() as connection:
            row = analyses.by_id(connection, run_id)
        known = (
            row is not None and row["kind"] == analyses.MONKEY and row["deployment"] == self._place.deployment
        )
        return row if known else None

    def report(self, run_id: str) -> dict[str, Any]:
        """The report of a run that is over.

        Raises:
            NotFoundError: There is none.
        """
        return DependencyMonkeyReportsStore(*self._where).retrieve_document(run_id)

    async def prepare(self) -> Sequence[Line]:
        """Nothing is needed but uv, which is a dependency."""
        return [Line(self._line, AT_ONCE)]

    async def _make(self, work_id: str) -> str:
        try:
            return await self._until_over(work_id)
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.to_thread(self._leave, work_id))
            raise

    async def _until_over(self, run_id: str) -> str:
        row = await lasting(self._begin, run_id)
        if row is None:
            return "over"
        stored = await lasting(self._stored, run_id)
        if stored is None:
            stored = await lasting(self._store, run_id, await self._document(row))
        result = stored["result"]
        state = AnalysisState.FAILED if result["error"] else AnalysisState.SUCCEEDED
        await lasting(self._finish, run_id, state, result["error_msg"] or _counted(result))
        return state.value

    async def _document(self, row: analyses.Row) -> dict[str, Any]:
        """What came of a run, as it is stored."""
        report = MonkeyReport()
        error: str | None = None
        if row["taken"] > TAKES:
            return self._told(
                row, report, f"the server ended {TAKES} times while it was made; its log says why"
            )
        try:
            async with asyncio.timeout(self._seconds):
                await self._made(row, report)
        except TimeoutError:
            error = (
                f"it took longer than {self._seconds:g} s; ask for fewer stacks, or bound the requirements"
            )
        except (StacksError, EngineUnavailableError) as problem:
            error = str(problem)
        except (asyncio.CancelledError, CatalogError):
            raise
        except Exception as problem:  # noqa: BLE001 # a defect of ours: the run comes to an end all the same
            logger.exception("{} could not be made", row["id"])
            error = f"a defect of the server ({type(problem).__name__}); its log has the traceback"
        return self._told(row, report, error)

    def _told(self, row: analyses.Row, report: MonkeyReport, error: str | None) -> dict[str, Any]:
        request, started = row["request"], datetime.fromtimestamp(row["started_at"], UTC)
        parameters = {**request["question"], "context": request["context"], "dry_run": request["dry_run"]}
        return report_document(
            report, {**parameters, "decision_type": request["question"]["decision"]}, document_id=row["id"], started=started,
            error=error, deployment=self._place.deployment,
        )  # fmt: skip

    async def _made(self, row: analyses.Row, report: MonkeyReport) -> None:
        request = row["request"]
        question = MonkeyQuestion(**request["question"])
        made = products(question, self._place.engines / "uv", foreign=False)
        async with aclosing(cast("Any", made)):
            async for product in made:
                if request["dry_run"]:
                    report.took(product, product.stack.digest)
                else:
                    await self._inspect(row, product, report)

    async def _inspect(self, row: analyses.Row, product: Product, report: MonkeyReport) -> None:
        try:
            document = {**row["request"]["context"], "python": {**product.python, "constraints": []}}
            specification = Specification.load(document)
        except SpecificationError as error:
            report.skip("; ".join(str(error).splitlines()))
            return
        key = f"{row['id']}:{product.stack.digest}"
        submission = Submission.of(
            specification, self._inspecting.engine, deployment=self._place.deployment, owner=row["owner"]
        )
        while True:
            try:
                report.took(product, await self._inspecting.submit(submission, idempotency=key))
            except CatalogError as error:
                logger.info("{} waits for the database: {}", row["id"], error)
                await asyncio.sleep(PAUSE)
            else:
                return

    def _submit(self, request: dict[str, Any], owner: str) -> str:
        queue, run_id = self._worker.queue(), new_document_id()
        DependencyMonkeyRequestsStore(*self._where).store_request(run_id, request)
        row = {
            "id": run_id,
            "kind": analyses.MONKEY,
            "deployment": self._place.deployment,
            "owner": owner,
            "cache_key": None,
            "digest": None,
            "request": request,
            "credentials": None,
            "holder": None,
            "created_at": time.time(),
        }
        with self._place.database.write() as connection:
            analyses.add(connection, row)
            queue.put(connection, self.name, self._line, run_id, owner)
        return run_id

    def _begin(self, run_id: str) -> analyses.Row | None:
        with self._place.database.write() as connection:
            return analyses.begin(connection, run_id)

    def _leave(self, run_id: str) -> None:
        try:
            with self._place.database.write() as connection:
                analyses.leave(connection, run_id)
        except CatalogError as error:
            logger.debug("{} counts as taken once more: {}", run_id, error)

    def _finish(self, run_id: str, state: AnalysisState, reason: str | None) -> None:
        with self._place.database.write() as connection:
            analyses.finish(connection, run_id, state, reason)

    def _stored(self, run_id: str) -> dict[str, Any] | None:
        try:
            return self.report(run_id)
        except NotFoundError:
            return None

    def _store(self, run_id: str, document: dict[str, Any]) -> dict[str, Any]:
        """Store a report unless another process did; what is there now."""
        reports = DependencyMonkeyReportsStore(*self._where)
        key = reports.key(run_id)
        try:
            return decode(reports.store.put_once(key, encode(document)), key)
        except DocumentError as error:  # what the index said is no JSON of ours
            failed = {
                **document["result"],
                "error": True,
                "error_msg": str(error),
                "report": {"ERROR": str(error)},
            }
            return decode(reports.store.put_once(key, encode({**document, "result": failed})), key)

    @property
    def _line(self) -> str:
        return f"{self._place.deployment}/{self.name}"

    @property
    def _where(self) -> tuple[Any, str]:
        return self._place.inspections.store, self._place.deployment


def _counted(result: Mapping[str, Any]) -> str:
    report = result["report"]
    skipped = f", {report['skipped']} skipped" if report["skipped"] else ""
    return f"{len(report['responses'])} stacks{skipped}"
