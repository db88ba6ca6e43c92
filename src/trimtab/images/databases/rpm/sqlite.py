"""RPM's database as an SQLite file: Fedora from 33 on, RHEL 9, Debian's own rpm."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["blobs"]

LARGEST, MOST = 16 << 20, 200_000
STEPS, PATIENCE = 100_000, 20_000  # of SQLite's machine between questions, and how many questions
TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'Packages'"


def blobs(data: bytes | Path, journal: bytes | Path | None = None) -> Iterator[bytes]:
    """The headers.

    Parameters:
        data: The database's file, or its content.
        journal: What was not yet written into it (`-wal`).

    Raises:
        ValueError: This is no such database.
    """
    with tempfile.TemporaryDirectory(prefix="trimtab-rpm-") as directory:
        database = Path(directory) / "rpmdb.sqlite"
        _put(data, database)
        if journal:
            _put(journal, database.with_name("rpmdb.sqlite-wal"))
        how = "mode=rw" if journal else "mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(f"{database.as_uri()}?{how}", uri=True)) as connection:
                yield from _rows(connection)
        except sqlite3.Error as error:
            raise ValueError(f"no SQLite database of RPM: {error}") from None


def _rows(connection: sqlite3.Connection) -> Iterator[bytes]:
    # A stranger's schema may hold views and triggers that compute for ever.
    left = iter(range(PATIENCE))
    connection.set_progress_handler(lambda: next(left, None) is None, STEPS)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.text_factory = bytes
    if connection.execute(TABLE).fetchone() is None:
        raise ValueError("an SQLite database without RPM's table")
    for (blob,) in connection.execute("SELECT blob FROM Packages LIMIT ?", (MOST,)):
        if isinstance(blob, bytes):
            yield blob


def _put(data: bytes | Path, path: Path) -> None:
    if isinstance(data, Path):
        path.hardlink_to(data)
    else:
        path.write_bytes(data)
