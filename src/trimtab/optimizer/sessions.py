"""The sessions: created, found, fed with the posts of agents, and written to the catalog after each.

Each post is one transaction. What is costly to rebuild, the study, stays in memory with the version of the row it
belongs to: a post reads that version, works on what it has (or on what it reads, if another process was faster), and
writes only if the version is still the same. So many server processes may share one database, and a process that is
killed at any point leaves what was there before the post, or what is there after it.
"""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from trimtab.catalog import Database, UnavailableError
from trimtab.catalog import sessions as catalog
from trimtab.catalog.sessions import Key, Row
from trimtab.optimizer import session_record as record
from trimtab.optimizer.session_course import Course
from trimtab.optimizer.session_document import Session
from trimtab.optimizer.session_errors import (
    ActiveSessionError,
    FencedError,
    UnknownApplicationError,
    UnknownSessionError,
)
from trimtab.optimizer.session_messages import Message, Reply
from trimtab.optimizer.session_search import Prior
from trimtab.optimizer.session_spec import SessionSpec

__all__ = ["Sessions"]

T = TypeVar("T")

KEPT = 256
"""Courses in memory."""
TRIES = 20
"""How often a post is worked on anew because another process was faster."""
PRIOR = 200
"""Trials of earlier sessions that warm a new one."""


class Sessions:
    """The service over the catalog; safe to be used by many threads.

    Args:
        database: Where sessions are kept.
        nap: Seconds an agent is told to sleep while there is nothing to do.
        stale_after: Seconds of silence after which an agent is shown as stale.
        clock: Seconds since 1970; for tests.
    """

    def __init__(
        self,
        database: Database,
        *,
        nap: float = 60.0,
        stale_after: float = 180.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.database = database
        self.nap = nap
        self.stale_after = stale_after
        self.clock = clock
        self._courses: OrderedDict[str, tuple[int, Course]] = OrderedDict()
        # One after the other for each session; some sessions share a lock, for there is no end to sessions.
        self._locks = [threading.Lock() for _ in range(64)]
        self._guard = threading.Lock()

    def create(self, spec: SessionSpec) -> Session:
        """A new session; the agent of the application is given its first command when it asks next.

        Raises:
            ActiveSessionError: The application has one that is not over.
        """
        now = self.clock()
        with self._unique(spec.application), self.database.write() as connection:
            before = catalog.latest(connection, spec.application)
            row = catalog.by_id(connection, before.id) if before else None
            if row is not None and row["active"]:
                raise ActiveSessionError(spec.application, row["id"])
            course = Course(_new_id(now), spec, agent=record.agent_of(row))
            catalog.insert(connection, record.first_row(course, now))
            return record.to_session(
                connection, _found(catalog.by_id(connection, course.id), course.id), self._view()
            )

    @contextmanager
    def _unique(self, application: str) -> Iterator[None]:
        try:
            yield
        except IntegrityError:  # another process has created one in between
            raise ActiveSessionError(application, None) from None

    def get(self, session_id: str) -> Session:
        """A session as it stands now; cheap enough to be asked several times a second.

        Raises:
            UnknownSessionError: There is none of this id.
        """
        with self.database.read() as connection:
            row = _found(catalog.by_id(connection, session_id), session_id)
            return record.to_session(connection, row, self._view())

    snapshot = get

    def list(  # the plain verb
        self, *, application: str | None = None, active: bool | None = None, limit: int = 100, offset: int = 0
    ) -> Sequence[Session]:
        """Sessions, the newest first."""
        with self.database.read() as connection:
            rows = catalog.listed(
                connection, application=application, active=active, limit=limit, offset=offset
            )
            return record.to_sessions(connection, rows, self._view())

    def delete(self, session_id: str) -> None:
        """Delete a session and all that belongs to it; what its agent still posts for it is refused.

        Raises:
            UnknownSessionError: There is none of this id.
        """
        with self.database.write() as connection:
            if not catalog.delete(connection, session_id):
                raise UnknownSessionError(session_id)
        self._forget(session_id)

    def cancel(self, session_id: str) -> Session:
        """End a session early: its agent gives up the trial at hand and puts the baseline back.

        Raises:
            UnknownSessionError: There is none of this id.
        """
        self._change(partial(catalog.key_of, session_id=session_id), Course.cancel)
        return self.get(session_id)

    def export(self, session_id: str) -> dict[str, Any]:
        """All of a session as one JSON document: see `trimtab.optimizer.session_document.Document`.

        Raises:
            UnknownSessionError: There is none of this id.
        """
        with self.database.read() as connection:
            row = _found(catalog.by_id(connection, session_id), session_id)
            document = record.to_document(connection, row, self._view())
        return document.model_dump(mode="json")

    def handle(self, application: str, body: Mapping[str, Any]) -> Reply:
        """Take a post of an application's agent.

        Args:
            application: The optimizer id that the agent is configured with.
            body: The message.

        Returns:
            The reply: a status, or a command.

        Raises:
            MessageError: The body is no message of the protocol.
            UnknownApplicationError: No session was ever created for the application.
            FencedError: Another agent of the application has said HELLO since.
            UnavailableError: The database cannot be reached; the post may be repeated.
        """
        message = Message.parse(body)
        find = partial(catalog.latest, application=application)
        reply = self._change(find, lambda course, now: course.handle(message, now))
        if reply is None:
            raise UnknownApplicationError(application)
        return reply

    # How a course is read, worked on and written

    def _change(
        self, find: Callable[[Connection], Key | None], work: Callable[[Course, float], T]
    ) -> T | None:
        """Work on the course that `find` names, and write it; None if it names none."""
        for _ in range(TRIES):
            with self.database.read() as connection:
                key = find(connection)
            if key is None:
                return None
            with self._locks[hash(key.id) % len(self._locks)]:
                version, course = self._read(key)
                try:
                    result = work(course, self.clock())
                    written = self._write(version, course)
                except FencedError:  # it has changed nothing
                    raise
                except BaseException:
                    self._forget(key.id)
                    raise
            if written:
                return result
        raise UnavailableError("the session is written to by too many processes at once; try again")

    def _read(self, key: Key) -> tuple[int, Course]:
        """The course and its version, from memory unless another process has changed it."""
        with self._guard:
            kept = self._courses.get(key.id)
        # A thread that waited for the lock may find a newer version in memory than it has read.
        if kept is not None and kept[0] >= key.version:
            return kept
        with self.database.read() as connection:
            row = _found(catalog.by_id(connection, key.id), key.id)
            course = record.to_course(connection, row)
        course.nap = self.nap
        course.load_prior = partial(self._prior, course.spec.application)
        return row["version"], course

    def _write(self, version: int, course: Course) -> bool:
        """Write what has changed, in one transaction; False, and nothing is written, if another was faster."""
        key = Key(course.id, version)
        with self.database.write() as connection:
            if written := catalog.save(connection, key, record.changes(course), changed=course.changed):
                course.journal.writes.execute(connection, course.id)
        if written:
            self._keep(version + course.changed, course)
        else:
            self._forget(course.id)
        return written

    def _keep(self, version: int, course: Course) -> None:
        course.written()
        with self._guard:
            self._courses[course.id] = version, course
            self._courses.move_to_end(course.id)
            while len(self._courses) > KEPT:
                self._courses.popitem(last=False)

    def _forget(self, session_id: str) -> None:
        with self._guard:
            self._courses.pop(session_id, None)

    def _prior(self, application: str) -> Prior:
        with self.database.read() as connection:
            return record.to_prior(catalog.history(connection, application, limit=PRIOR))

    def _view(self) -> record.View:
        return record.View(self.clock(), self.stale_after)


def _found(row: Row | None, session_id: str) -> Row:
    if row is None:
        raise UnknownSessionError(session_id)
    return row


def _new_id(now: float) -> str:
    return f"session-{datetime.fromtimestamp(now, UTC):%y%m%d%H%M%S}-{secrets.token_hex(8)}"
