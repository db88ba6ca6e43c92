"""Logs that wait with their builds: files beside the journal, without their secrets."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from servo.connectors.builds.errors import JournalFullError
from servo.connectors.builds.logs import Log

__all__ = ["Spool"]

_SUFFIX = ".log"
RUNNING = ".running"
_HALF = ".new-"
_NEW = 3600.0


class Spool:
    """A directory of logs, one for a build.

    Args:
        directory: Where; made when first needed, for us only.
        limit: Bytes that all of them may have.
    """

    def __init__(self, directory: Path, limit: int) -> None:
        self.directory, self._limit = directory, limit
        self._size: int | None = None

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        if self._size is None:
            self._size = sum(each.stat().st_size for each in self._files())
        return self._size

    def path(self, identity: str) -> Path:
        """Return where the log of a build is, or would be."""
        return self.directory / (hashlib.sha256(identity.encode()).hexdigest()[:40] + _SUFFIX)

    def has(self, identity: str) -> bool:
        """Whether there is a log of a build."""
        return self.path(identity).exists()

    def save(self, identity: str, log: Log) -> None:
        """Keep a log, all of it or nothing.

        Raises:
            JournalFullError: There is no room.
        """
        if self.size + log.kept > self._limit:
            raise JournalFullError("there is no room for more logs (`queue.logs`)")
        path = self.path(identity)
        fresh = path.with_suffix(f"{_HALF}{os.getpid()}")
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.writelines(log.pieces())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise JournalFullError(f"the log cannot be kept: {error.strerror}") from error
        self._size = self.size + path.stat().st_size

    def remove(self, identity: str) -> None:
        """Forget the log of a build."""
        path = self.path(identity)
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return
        self._size = max(0, self.size - size)

    def sweep(self, db: sqlite3.Connection) -> int:
        """Remove what belongs to no build that waits, runs or is a tombstone; return how many files.

        What is new may belong to a build that is about to be written down.
        """
        rows = db.execute("SELECT identity FROM builds WHERE state <> 'submitted'")
        wanted = {self.path(row[0]).name for row in rows}
        left = [each for each in self._files() if each.name not in wanted and _is_left(each)]
        for each in left:
            each.unlink(missing_ok=True)
        self._size = None
        return len(left)

    def _files(self) -> Iterator[Path]:
        if self.directory.is_dir():
            yield from (each for each in self.directory.iterdir() if each.is_file() and not each.is_symlink())


def _is_left(path: Path) -> bool:
    """Whether nobody will come for a file: a log that is half written by a process that is gone, or one of no build."""
    _, half, process = path.suffix.partition(_HALF)
    if half:
        return not Path("/proc", process).exists()
    return path.suffix != RUNNING and path.stat().st_mtime < time.time() - _NEW
