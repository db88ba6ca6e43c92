"""The queue of inspections: DBOS, in the catalog's own database.

DBOS keeps who waits in which order, hands each to one process, and knows which process has what. How far an inspection came it
is not asked to know: that is in the journal, the store and the catalog. Importing it costs 0.6 s: this module
is imported by a worker that starts, and by nobody else.
"""

import logging
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig
from dbos._serialization import DBOSPortableJSON

from trimtab.catalog import Database
from trimtab.workflows.turns import turn

__all__ = ["Queue"]

APPLICATION = "trimtab"
VERSION = (
    "1"  # of what is asked of a workflow, not of this program: those of two versions continue each other's
)
WORKFLOW = "inspection"
EVERY = 0.5  # seconds between two looks for something to do
STOPPING = 10.0  # seconds that a look into the queue may take at the end
KEPT = 3600.0  # seconds that DBOS remembers what is over
PENDING, OVER = "PENDING", ["SUCCESS", "ERROR", "CANCELLED"]


class Queue:
    """The queue, to put into and to look at. Its methods block.

    Args:
        database: The catalog's.

    Raises:
        UnavailableError: The database cannot be reached; so do all methods but `put`, which has the connection of others.
    """

    def __init__(self, database: Database) -> None:
        _quiet()
        self._database = database
        self._taking: DBOS | None = None
        self._url = database.url.render_as_string(hide_password=False)
        self._engine = None if database.is_sqlite else _engine(database)
        try:
            with database.reachable():
                self._client = self._open()
        except BaseException:
            self._dispose()
            raise

    def put(self, connection: sa.Connection, queue: str, inspection_id: str, caller: str = "") -> None:
        """Put an inspection into a queue, unless it is there. Callers are served by turns.

        Args:
            connection: In a transaction of the catalog, and part of it.
            queue: Which.
            inspection_id: Of the inspection.
            caller: Who asks for it.
        """
        self._client.enqueue_in_transaction(
            connection,
            {
                "workflow_name": WORKFLOW,
                "queue_name": queue,
                "workflow_id": inspection_id,
                "app_version": VERSION,
                "priority": turn(connection, queue, caller),
                "authenticated_user": caller,
            },
            inspection_id,
        )

    def taken(self) -> dict[str, list[str]]:
        """What each process has taken and not done yet: inspections by its executor id."""
        found: dict[str, list[str]] = {}
        with self._database.reachable():
            taken = self._client.list_workflows(status=PENDING, name=WORKFLOW, load_input=False)
        for each in taken:
            found.setdefault(str(each.executor_id), []).append(each.workflow_id)
        return found

    def give_back(self, executor: str, ids: Sequence[str]) -> None:
        """Put back what a process had taken that is no more; nothing happens to what it does not have."""
        # DBOS has no public name for it: it means this for its own service, which tells the living what to take over.
        # What makes it safe is the condition that the executor still has it.
        for each in ids:
            with self._database.reachable():
                self._client._sys_db.reenqueue_for_recovery(each, [executor], "none")  # noqa: SLF001

    def sweep(self, kept: float = KEPT) -> None:
        """Forget what has been over for so many seconds, some of it at a time."""
        before = datetime.fromtimestamp(time.time() - kept, UTC).isoformat()
        with self._database.reachable():
            over = self._client.list_workflows(
                status=OVER, name=WORKFLOW, completed_before=before, limit=1000, load_input=False
            )
            if over:
                self._client.delete_workflows([each.workflow_id for each in over])

    def start(
        self,
        executor: str,
        queues: Sequence[str],
        make: Callable[[str], Awaitable[str]],
        *,
        at_once: int,
        everywhere: int | None,
    ) -> None:
        """Take from queues, until it is stopped.

        Args:
            executor: Id of this process.
            queues: Which.
            make: Makes an inspection to its end. If it is cancelled, the inspection stays taken.
            at_once: How many this process takes.
            everywhere: How many all processes take together; None: no limit.

        Raises:
            RuntimeError: This process does so already.
        """
        config: DBOSConfig = {
            "name": APPLICATION,
            "application_version": VERSION,
            "executor_id": executor,
            "system_database_url": self._url,
            "system_database_engine": self._engine,
            "serializer": DBOSPortableJSON,
            "use_listen_notify": False,
            "run_migrations": False,
            "enable_otlp": False,
            "log_level": "WARNING",
            "sys_db_pool_size": 5,
        }
        for each in queues:  # the limits are in the database, those of whoever started last
            with self._database.reachable():
                self._client.register_queue(
                    each,
                    worker_concurrency=at_once if everywhere is None else min(at_once, everywhere),
                    global_concurrency=everywhere,
                    polling_interval_sec=EVERY,
                )

        async def inspection(inspection_id: str) -> str:
            return await make(inspection_id)

        taking = DBOS(config=config)
        if DBOS.executor_id != executor:  # there is one to a process, and it is another's
            raise RuntimeError("this process takes from a queue already: there is one worker to a process")
        self._taking = taking
        try:
            DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)(inspection)
            DBOS.listen_queues(list(queues))
            with self._database.reachable():
                DBOS.launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Take nothing more; what was taken and not done stays so."""
        if self._taking is not None:
            _stop_taking(self._taking)
        self._taking = None
        DBOS.destroy(destroy_registry=True)

    def close(self) -> None:
        """Give connections back."""
        self._client.destroy()
        self._dispose()

    def _open(self) -> DBOSClient:
        DBOS.migrate(self._url) if self._engine is None else self._migrate()
        return DBOSClient(
            system_database_url=self._url,
            system_database_engine=self._engine,
            serializer=DBOSPortableJSON,
            application_name=APPLICATION,
            retry_connection_errors=False,
        )

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()

    def _migrate(self) -> None:
        from dbos._sys_db import SystemDatabase

        system = SystemDatabase.create(
            system_database_url=self._url,
            engine_kwargs={},
            engine=self._engine,
            schema="dbos",
            serializer=DBOSPortableJSON,
            executor_id=None,
            use_listen_notify=False,
        )
        system.run_migrations()


def _engine(database: Database) -> sa.Engine:
    """Connections of its own: DBOS waits for some of its own in many threads, and the catalog's are for requests."""
    return sa.create_engine(
        database.url,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=10,
        connect_args={"connect_timeout": 10, "application_name": "trimtab queue"},
    )


def _stop_taking(taking: DBOS) -> None:
    """Wait until no thread takes from a queue: DBOS would stop its loop first, and what a thread then hands over is dropped."""
    for each in taking.background_thread_stop_events:
        each.set()
    deadline = time.monotonic() + STOPPING
    for thread in threading.enumerate():
        if thread.name.startswith("queue-worker-"):
            thread.join(max(0.0, deadline - time.monotonic()))


def _quiet() -> None:
    """DBOS writes to the terminal unless its logger has a handler; what it says is for whoever configures logging."""
    log = logging.getLogger("dbos")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
