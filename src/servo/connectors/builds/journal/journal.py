"""The journal, for coroutines: what several of them write at the same time is one commit.

A commit costs a write to the disk, however much it holds. While one is made, others gather; so the rate is not bounded by
how fast the disk is, and nobody is told of success before his lines are on it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from servo.connectors.builds.errors import JournalError
from servo.connectors.builds.journal.schema import connect, explained

__all__ = ["Journal"]

R = TypeVar("R")
_Work = tuple[Callable[..., Any], tuple[Any, ...], asyncio.Future[Any]]
_GATHERED = 2_000  # changes of one commit


class Journal:
    """Runs the functions of :mod:`servo.connectors.builds.journal.records` on one file, in a thread of its own.

    Args:
        path: The file.
        thorough: Whether to read all of it first, to see that it is whole.

    Raises:
        JournalError: It cannot be opened; the text says what to do.
    """

    def __init__(self, path: Path, *, thorough: bool = False) -> None:
        self.path = path
        self._db = connect(path, thorough=thorough)
        self._thread = ThreadPoolExecutor(1, "journal")
        self._waiting: list[_Work] = []
        self._committing: asyncio.Task[None] | None = None
        self._lock: int | None = None
        self.commits = 0

    async def write(self, change: Callable[..., R], *args: object) -> R:
        """Make a change durable, and return what it returned.

        Raises:
            JournalFullError: There was no room; nothing was changed.
            JournalError: The file is damaged.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, args, future))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit(), name="journal")
        return await future

    async def read(self, question: Callable[..., R], *args: object) -> R:
        """Return the answer to a question.

        Raises:
            JournalError: The file cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._asked, question, args)

    def lock(self) -> bool:
        """Become the one who submits what is in this journal; whether nobody else is."""
        descriptor = os.open(
            self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True

    async def aclose(self) -> None:
        """Finish what is being written, and close the file."""
        while self._committing is not None:
            with suppress(Exception):
                await asyncio.shield(self._committing)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._db.close)
        self._thread.shutdown(wait=False)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _commit(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                works, self._waiting = self._waiting[:_GATHERED], self._waiting[_GATHERED:]
                try:
                    results = await loop.run_in_executor(self._thread, self._transaction, works)
                except Exception as error:  # noqa: BLE001 - told to those who wait
                    for _, _, future in works:
                        if not future.done():
                            future.set_exception(error)
                    continue
                for (_, _, future), result in zip(works, results, strict=True):
                    if not future.done():
                        future.set_result(result)
        finally:
            self._committing = None

    def _transaction(self, works: list[_Work]) -> list[Any]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            results = [change(self._db, *args) for change, args, _ in works]
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise explained(error, self.path) from error
        except BaseException:
            self._roll_back()
            raise
        self.commits += 1
        return results

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _asked(self, question: Callable[..., R], args: tuple[Any, ...]) -> R:
        try:
            return question(self._db, *args)
        except sqlite3.Error as error:
            raise explained(error, self.path) from error
        except ValueError as error:
            raise JournalError(f"the journal {self.path} has a line that is no build: {error}") from error


def now() -> float:
    """Return the time in seconds since 1970; tests replace it."""
    return time.time()
