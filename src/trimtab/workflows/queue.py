"""The queue of durable work: DBOS, in the catalog's own database.

DBOS keeps who waits in which order, hands each to one process, and knows which process has what. How far a piece of work came it
is not asked to know: that is in the journal, the store and the catalog. Importing it costs 0.6 s: this module
is imported by a worker that starts, and by nobody else.
"""

import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeAlias

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from dbos._serialization import DBOSPortableJSON

from trimtab.catalog import Database
from trimtab.workflows.turns import turn
from trimtab.workflows.workflow import Line

__all__ = ["Queue"]

APPLICATION = "trimtab"
VERSION = (
    "1"  # of what is asked of a workflow, not of this program: those of two versions continue each other's
)
EVERY = 0.5  # seconds between two looks for something to do
STOPPING = 10.0  # seconds that a look into the queue may take at the end
KEPT = 3600.0  # seconds that DBOS remembers what is over
PENDING, OVER = "PENDING", ["SUCCESS", "ERROR", "CANCELLED"]

Maker: TypeAlias = Callable[[str], Awaitable[str]]


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

    def put(
        self, connection: sa.Connection, workflow: str, line: str, work_id: str, caller: str | None = None
    ) -> None:
        """Put a piece of work into a line, unless it is there.

        Args:
            connection: In a transaction of the catalog, and part of it.
            workflow: Name of the workflow that makes it.
            line: Which.
            work_id: Of the piece of work; no two workflows have the same.
            caller: Who asks for it: callers are served by turns. None: whoever was first.
        """
        options: EnqueueOptions = {
            "workflow_name": workflow,
            "queue_name": line,
            "workflow_id": work_id,
            "app_version": VERSION,
        }
        if caller is not None:
            options["priority"] = turn(connection, line, caller)
            options["authenticated_user"] = caller
        self._client.enqueue_in_transaction(connection, options, work_id)

    def taken(self) -> dict[str, list[str]]:
        """What each process has taken and not done yet: ids by its executor id."""
        found: dict[str, list[str]] = {}
        with self._database.reachable():
            taken = self._client.list_workflows(status=PENDING, load_input=False)
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
                status=OVER, completed_before=before, limit=1000, load_input=False
            )
            if over:
                self._client.delete_workflows([each.workflow_id for each in over])

    def start(self, executor: str, makers: Mapping[str, Maker], lines: Sequence[Line]) -> None:
        """Take from lines, until it is stopped.

        Args:
            executor: Id of this process.
            makers: By name of the workflow, what makes a piece of work to its end. If it is cancelled, the work stays taken.
            lines: Which, to begin with.

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
        self._register(lines)
        taking = DBOS(config=config)
        if DBOS.executor_id != executor:  # there is one to a process, and it is another's
            raise RuntimeError("this process takes from a queue already: there is one worker to a process")
        self._taking = taking
        try:
            for name, make in makers.items():
                DBOS.workflow(name=name, max_recovery_attempts=None)(_workflow(make))
            DBOS.listen_queues([each.name for each in lines])
            with self._database.reachable():
                DBOS.launch()
        except BaseException:
            self.stop()
            raise

    def listen(self, lines: Sequence[Line]) -> None:
        """Take from these lines, too."""
        # Public names are for before it is launched; its thread looks at the list again each second.
        assert self._taking is not None
        listening = self._taking._listening_queues  # noqa: SLF001  # DBOS reads it at each look, and has no public name for it
        assert listening is not None
        new = [each for each in lines if each.name not in listening]
        self._register(new)
        listening += [each.name for each in new]

    def _register(self, lines: Sequence[Line]) -> None:
        for each in lines:  # the limits are in the database, those of whoever started last
            at_once = each.at_once if each.everywhere is None else min(each.at_once, each.everywhere)
            with self._database.reachable():
                self._client.register_queue(
                    each.name,
                    worker_concurrency=at_once,
                    global_concurrency=each.everywhere,
                    polling_interval_sec=EVERY,
                )

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


def _workflow(make: Maker) -> Maker:
    async def workflow(work_id: str) -> str:  # a function of its own: DBOS knows each by its name
        return await make(work_id)

    return workflow


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
            with suppress(RuntimeError):  # it is being started, and will see at once that it is over
                thread.join(max(0.0, deadline - time.monotonic()))


def _quiet() -> None:
    """DBOS writes to the terminal unless its logger has a handler; what it says is for whoever configures logging."""
    log = logging.getLogger("dbos")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
