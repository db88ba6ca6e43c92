"""What is under way, in files: whoever continues after a kill finds here how far it came.

    <home>/work/<id>/lock                    held by the process that works on it
    <home>/work/<id>/queued.json             it is kept in the queue of the database: only who takes from there goes on
    <home>/work/<id>/submission.json         what was accepted
    <home>/work/<id>/build.json              what was built; or why it could not be
    <home>/work/<id>/context/                what it was built from
    <home>/work/<id>/runs/<item>.<attempt>/  a run's output; beside it `.begun` before it, `.json` after it

A file is written whole or not at all. The kernel gives up the lock when its holder ends, however that comes about: work is
taken over when the lock is free, and at no other time. All is removed when the inspection is over.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trimtab.workflows.submission import Submission

__all__ = ["BusyError", "EndedError", "Journal"]

QUEUED = "queued.json"


class BusyError(RuntimeError):
    """Another process works on the inspection."""


class EndedError(BusyError):
    """Somebody else ended the inspection, or wishes it to end."""


class Journal:
    """The files of one inspection under way.

    Args:
        directory: `<home>/work/<id>`.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    def left(cls, work: Path, *, queued: bool = False) -> list["Journal"]:
        """What nobody works on and is not over, the oldest first: left by processes that ended in the middle.

        Args:
            work: Where journals are.
            queued: Those of the queue, in place of those that are in no queue.
        """
        found = [cls(path.parent) for path in work.glob("*/submission.json")]
        free = [each for each in found if each.is_queued() is queued and each.is_free()]
        return sorted(free, key=lambda each: each.directory.name[-29:])

    @property
    def context(self) -> Path:
        """Where the build's context is written."""
        return self.directory / "context"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Work on it.

        Raises:
            BusyError: Another process does, or it has been over since.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink == 0:  # whoever held it is done, and has removed all
                raise BusyError(f"{self.directory.name} has just ended")
            yield
        except BlockingIOError:
            raise BusyError(f"another process works on {self.directory.name}") from None
        finally:
            os.close(descriptor)

    def is_free(self) -> bool:
        """Whether no living process works on it."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True

    def is_queued(self) -> bool:
        """Whether it is kept in the queue, and so for those to continue who take from there."""
        return (self.directory / QUEUED).exists()

    def enqueue(self) -> None:
        """Leave it to those who take from the queue."""
        self.write(QUEUED, {})

    def forget(self, name: str) -> None:
        """Remove what was noted under a name."""
        (self.directory / name).unlink(missing_ok=True)

    def accept(self, submission: Submission) -> None:
        """Note what was accepted."""
        self.write("submission.json", submission.document())

    def submission(self) -> Submission | None:
        """What was accepted; None: nothing was, or it is over."""
        found = self.read("submission.json")
        return None if found is None else Submission.load(found)

    def read(self, name: str) -> Any:
        """What was noted under a name; None: nothing."""
        try:
            return json.loads((self.directory / name).read_text())
        except FileNotFoundError:
            return None

    def write(self, name: str, document: Any) -> None:
        """Note something under a name."""
        path = self.directory / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_name(path.name + ".new")
        new.write_text(json.dumps(document))
        new.replace(path)

    def run(self, item: int, attempt: int) -> str:
        """The beginning of the names of an attempt of a run."""
        return f"runs/{item}.{attempt}"

    def empty(self, name: str) -> Path:
        """A directory with nothing in it."""
        path = self.directory / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700, parents=True)
        return path

    def remove(self) -> None:
        """It is over: nothing is to be continued. What says so is removed first, and the lock last."""
        (self.directory / "submission.json").unlink(missing_ok=True)
        for path in self.directory.iterdir():
            if path != self._lock:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        self._lock.unlink(missing_ok=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _lock(self) -> Path:
        return self.directory / "lock"
