"""The journal's file: its tables, its versions, and what to do with one that is damaged.

One file of SQLite in write-ahead mode. ``synchronous=FULL``: what is committed survives a power cut, as far as the disk keeps
what it says it has written. Each version is a list of statements that are never changed once released.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from servo.connectors.builds.errors import JournalError, JournalFullError

__all__ = ["VERSIONS", "connect", "recover"]

APPLICATION = 0x54524255  # "TRBU": that a file is a journal and no other database
BUSY_SECONDS = 30.0
CACHE_KIB = 4096
MAX_SIZE = 1 << 36

VERSIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE builds (
            sequence INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, state TEXT NOT NULL, build TEXT NOT NULL,
            seen_at REAL NOT NULL, changed_at REAL NOT NULL, due_at REAL, attempts INTEGER NOT NULL DEFAULT 0,
            reason TEXT, answer TEXT, wrapped TEXT)""",
        "CREATE INDEX builds_due ON builds (due_at) WHERE state = 'waiting'",
        "CREATE INDEX builds_tombstones ON builds (sequence) WHERE state = 'tombstone'",
        "CREATE INDEX builds_wrapped ON builds (wrapped) WHERE wrapped IS NOT NULL",
        "CREATE TABLE cursors (source TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    ),
    (
        """CREATE TABLE copies (
            identity TEXT NOT NULL, part TEXT NOT NULL, target TEXT NOT NULL, digest TEXT NOT NULL,
            copied_at REAL NOT NULL, expires_at REAL, PRIMARY KEY (identity, part)) WITHOUT ROWID""",
        "CREATE INDEX copies_expiring ON copies (expires_at) WHERE expires_at IS NOT NULL",
    ),
    # What may be forgotten is looked for each minute, among all that is remembered.
    ("CREATE INDEX builds_over ON builds (changed_at) WHERE state IN ('submitted', 'tombstone')",),
)  # fmt: skip


def connect(path: Path, *, thorough: bool = False, wait: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open a journal, make it if it is not there, and bring an older one up to date.

    Args:
        path: Its file; its directory is made.
        thorough: Whether to read all of it first, to see that it is whole.
        wait: Seconds to wait for another process that writes.

    Raises:
        JournalFullError: There is no room for it.
        JournalError: It is damaged, no journal, or of a newer version; the text says what to do.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Builds tell what a team works on: nobody else's business.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise JournalError(
            f"the journal {path} cannot be opened: {error}; name another place with `journal`"
        ) from error
    try:
        _prepare(connection, path, thorough=thorough)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, *, thorough: bool) -> None:
    try:
        _require_ours(connection, path)
        if thorough:
            _require_whole(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        _upgrade(connection, path)
    except sqlite3.Error as error:
        raise explained(error, path) from error


def _require_ours(connection: sqlite3.Connection, path: Path) -> None:
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if mark != APPLICATION and tables:
        raise JournalError(
            f"{path} is a database, and no journal of builds; name another file with `journal`"
        )


def _require_whole(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise JournalError(f"the journal {path} is damaged ({' '.join(found.split())[:200]}); {_REMEDY}")


def _upgrade(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection, path) == len(VERSIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Once more: another process may have been quicker.
        for statements in VERSIONS[_version(connection, path) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(VERSIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(VERSIONS):
        raise JournalError(
            f"the journal {path} is of version {version}, and this agent knows {len(VERSIONS)}: "
            "update the agent, or name another file with `journal`"
        )
    return int(version)


_REMEDY = "`servo builds recover` saves what is left of it"
_PASSING = ("full", "disk i/o", "locked", "busy", "unable to open", "readonly")


def explained(error: sqlite3.Error, path: Path) -> JournalError:
    """Return what went wrong with the journal, as one of our errors."""
    text = str(error)
    if isinstance(error, sqlite3.OperationalError) and any(word in text.lower() for word in _PASSING):
        return JournalFullError(f"the journal {path} cannot be written just now: {text}")
    return JournalError(f"the journal {path} cannot be read: {text}; {_REMEDY}")


def recover(path: Path) -> tuple[int, Path]:
    """Save what can be read of a damaged journal into a new one.

    Returns:
        How many builds were saved, and where the damaged file was moved.

    Raises:
        JournalError: There is no such file.
    """
    if not path.exists():
        raise JournalError(f"there is no journal {path}")
    kept = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(kept.with_name(kept.name + suffix))
    _filled_up(kept)
    saved = 0
    with closing(connect(path)) as fresh, closing(sqlite3.connect(kept)) as old:
        for table in ("facts", "cursors", "builds", "copies"):
            count = _saved(old, fresh, table)
            saved += count if table == "builds" else 0
    return saved, kept


def _filled_up(path: Path) -> None:
    """Give a truncated file its length back, so that SQLite reads the pages that are there."""
    with path.open("r+b") as file:
        head = file.read(100)
        size = int.from_bytes(head[16:18]) * int.from_bytes(head[28:32])
        if head.startswith(b"SQLite format 3\0") and os.fstat(file.fileno()).st_size < size <= MAX_SIZE:
            file.truncate(size)


def _saved(old: sqlite3.Connection, fresh: sqlite3.Connection, table: str) -> int:
    """Copy the rows of a table that can be read, from both ends: what lies between is lost."""
    count = 0
    key = "sequence" if table == "builds" else ""
    for order in ("ASC", "DESC") if key else ("",):
        with suppress(sqlite3.Error):
            rows = old.execute(f"SELECT * FROM {table} {f'ORDER BY {key} {order}' if key else ''}")
            marks = ", ".join("?" for _ in rows.description)
            with fresh:
                fresh.execute("BEGIN")
                with suppress(sqlite3.Error):
                    for row in rows:
                        count += fresh.execute(
                            f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row
                        ).rowcount
    return count
