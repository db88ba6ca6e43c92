"""The workflow of builds: what was submitted of one is stored and remembered, once."""

from collections.abc import Sequence

from loguru import logger

from trimtab.builds import record_build
from trimtab.catalog import UnavailableError as DatabaseUnavailableError
from trimtab.catalog import submitted_builds
from trimtab.store import BuildsStore
from trimtab.store import UnavailableError as StoreUnavailableError
from trimtab.workflows.tasks import TaskWorkflow
from trimtab.workflows.work import lasting
from trimtab.workflows.worker import Worker
from trimtab.workflows.workflow import Line

__all__ = ["Recording"]

AT_ONCE = 10
PASSING = DatabaseUnavailableError, StoreUnavailableError


class Recording(TaskWorkflow):
    """Stores what was accepted, and writes its rows, if its worker works.

    Args:
        worker: Of this process.
    """

    name = "build-analysis"

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self._place = worker.place
        worker.serve(self)

    @property
    def line(self) -> str:
        """The line in which builds wait."""
        return f"{self._place.deployment}/builds"

    async def prepare(self) -> Sequence[Line]:
        """Nothing is needed."""
        return [Line(self.line, AT_ONCE)]

    async def _make(self, work_id: str) -> str:
        await lasting(self._record, work_id)
        return "recorded"

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
