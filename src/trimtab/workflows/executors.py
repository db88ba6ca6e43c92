"""Which processes that take from the queue are alive.

Each has an id of its own, and holds a lock under it that ends with the process, however that comes about: a file's beside
SQLite, which the kernel gives up; on PostgreSQL, a session's advisory lock, which the server gives up.

A session also ends when the server restarts, and with it the lock of a process that lives. That process takes it again
within a second or two; so there a lock has to be free for a while, seen without a gap by a session that lasted as long, before its
holder counts as dead. A process that was cut off for longer than that finds on its return that others took its work,
and leaves it to them.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from trimtab.catalog import Database

__all__ = ["Executors", "Files", "Sessions", "executors"]

GRACE = 10.0
SPACE = 0x7472696D  # "trim": the first half of the keys of our advisory locks


class Executors(Protocol):
    """The locks of all processes that share a database. Not for several threads at the same time."""

    def hold(self, executor: str) -> bool:
        """Take, or keep, the lock of this process.

        Returns:
            Whether it is held.
        """

    def dead(self, found: Iterable[str]) -> list[str]:
        """Which of these are alive no more."""

    def close(self) -> None:
        """Give the lock of this process up."""


def executors(database: Database, grace: float = GRACE) -> Executors:
    """Those of a database.

    Args:
        database: The catalog's.
        grace: Seconds that a lock is free on PostgreSQL before its holder counts as dead.
    """
    if database.is_sqlite:
        return Files(Path(f"{database.url.database}.workers"))
    return Sessions(database.engine, grace)


class Files:
    """Locks of the kernel.

    Args:
        directory: Where the files are.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: tuple[Path, int] | None = None

    def hold(self, executor: str) -> bool:
        """Take, or keep, the lock of this process."""
        if self._held is None:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._directory / executor
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._held = path, descriptor
        return True

    def dead(self, found: Iterable[str]) -> list[str]:
        """Which of these are alive no more; nothing is left of their locks."""
        return [each for each in found if self._is_dead(self._directory / each)]

    def close(self) -> None:
        """Give the lock of this process up."""
        if self._held is not None:
            path, descriptor = self._held
            self._held = None
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def _is_dead(self, path: Path) -> bool:
        if self._held is not None and self._held[0] == path:
            return False
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        path.unlink(missing_ok=True)
        return True


class Sessions:
    """Advisory locks of PostgreSQL.

    Args:
        engine: Of the database.
        grace: Seconds that a lock is free before its holder counts as dead.
    """

    def __init__(self, engine: sa.Engine, grace: float) -> None:
        self._engine = engine
        self._grace = grace
        self._session: sa.Connection | None = None
        self._free: dict[str, float] = {}  # since when

    def hold(self, executor: str) -> bool:
        """Take, or keep, the lock of this process."""
        return self._keeps() or self._take(_key(executor))

    def dead(self, found: Iterable[str]) -> list[str]:
        """Which of these are alive no more."""
        if self._session is None:
            return []
        try:
            taken = set(self._session.execute(_ALL, {"space": SPACE}).scalars())
        except sa.exc.SQLAlchemyError:
            self.close()
            return []
        now = time.monotonic()
        self._free = {each: self._free.get(each, now) for each in found if _key(each) not in taken}
        return [each for each, since in self._free.items() if now - since >= self._grace]

    def _keeps(self) -> bool:
        if self._session is None:
            return False
        try:
            self._session.execute(sa.select(1))
        except sa.exc.SQLAlchemyError:
            self.close()
        return self._session is not None

    def _take(self, key: int) -> bool:
        self._free.clear()  # nobody was looking
        try:
            self._session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            taken = self._session.execute(_TAKE, {"space": SPACE, "key": key}).scalar()
        except sa.exc.SQLAlchemyError:
            taken = False
        if not taken:
            self.close()
        return bool(taken)

    def close(self) -> None:
        """Give the lock of this process up."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(sa.exc.SQLAlchemyError):
                session.invalidate()  # the session ends, and does not go back to the others with its lock
            session.close()


def _key(executor: str) -> int:
    return int.from_bytes(hashlib.sha256(executor.encode()).digest()[:4], "big", signed=True)


_TAKE = sa.text("SELECT pg_try_advisory_lock(:space, :key)")
_ALL = sa.text(
    "SELECT CASE WHEN objid::bigint >= 2147483648 THEN objid::bigint - 4294967296 ELSE objid::bigint END"
    " FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid::bigint = :space AND objsubid = 2"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
