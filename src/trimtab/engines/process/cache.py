"""Environments that were built before on this machine, by what they were built from.

A lock on a file keeps two builders of the same environment apart, and an environment that a run uses from being
removed. An environment whose files were changed since is not used again: a run is no sandbox.
"""

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EnvironmentCache", "Slot"]

_POLL = 0.05
_COMPLETE = "complete.json"


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one environment.

    Attributes:
        key: What it is built from, as a digest.
        directory: Has the environment and what is known of it.
    """

    key: str
    directory: Path

    @property
    def environment(self) -> Path:
        """The virtual environment."""
        return self.directory / "venv"

    def is_complete(self) -> bool:
        """Whether it was built to its end, and nobody changed it since."""
        try:
            known = json.loads((self.directory / _COMPLETE).read_text())
        except (OSError, ValueError):
            return False
        if not isinstance(known, dict) or known.get("fingerprint") != _fingerprint(self.environment)[0]:
            return False
        os.utime(self.directory / _COMPLETE)
        return True

    def is_spoilt(self) -> bool:
        """Whether it was built to its end, and somebody changed it since."""
        return (self.directory / _COMPLETE).exists() and not self.is_complete()

    def complete(self) -> int:
        """Say that it is built, and how big it is.

        Returns:
            Bytes.
        """
        fingerprint, size = _fingerprint(self.environment)
        temporary = self.directory / f"{_COMPLETE}.new"
        temporary.write_text(json.dumps({"fingerprint": fingerprint, "size": size}))
        temporary.replace(self.directory / _COMPLETE)
        return size

    def size(self) -> int | None:
        """Bytes of the environment, as they were when it was built; None: that is not known."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            return int(json.loads((self.directory / _COMPLETE).read_text())["size"])
        return None

    def clear(self) -> None:
        """Remove what is there."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)


class EnvironmentCache:
    """Environments below a directory, bounded in size.

    Args:
        directory: Where they are.
        limit: Bytes they may have together. Those used least recently go first; those in use stay.
    """

    def __init__(self, directory: Path, limit: int) -> None:
        self._directory = directory
        self._limit = limit

    @staticmethod
    def key(parts: list[object]) -> str:
        """The digest of what an environment is built from."""
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def slot(self, key: str) -> Slot:
        """The place of an environment."""
        return Slot(key, self._directory / key)

    @asynccontextmanager
    async def building(self, key: str) -> AsyncIterator[Slot]:
        """The place of an environment, for oneself alone."""
        async with self._locked(key, fcntl.LOCK_EX):
            yield self.slot(key)

    @asynccontextmanager
    async def using(self, key: str) -> AsyncIterator[Slot]:
        """The place of an environment, which is not removed meanwhile."""
        async with self._locked(key, fcntl.LOCK_SH):
            yield self.slot(key)

    def evict(self, spare: str) -> list[str]:
        """Remove the environments that were used least recently, until the others fit.

        Args:
            spare: Key of the one that stays whatever its size: it is wanted next.

        Returns:
            The keys of those removed.
        """
        known = sorted(self._known(), reverse=True)
        total, removed = 0, []
        for _, key, size in known:
            total += size
            if total > self._limit and key != spare and self._remove(key):
                total -= size
                removed.append(key)
        return removed

    def _known(self) -> Iterator[tuple[float, str, int]]:
        for path in self._directory.glob(f"*/{_COMPLETE}"):
            with suppress(OSError, ValueError):
                yield path.stat().st_mtime, path.parent.name, int(json.loads(path.read_text())["size"])

    def _remove(self, key: str) -> bool:
        descriptor = self._open(key)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            # The file of the lock stays: removed, two could lock two files of one name.
            shutil.rmtree(self._directory / key, ignore_errors=True)
            return True
        finally:
            os.close(descriptor)

    @asynccontextmanager
    async def _locked(self, key: str, kind: int) -> AsyncIterator[None]:
        descriptor = self._open(key)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(_POLL)
            yield
        finally:
            os.close(descriptor)

    def _open(self, key: str) -> int:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(self._directory / f"{key}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _fingerprint(directory: Path) -> tuple[str, int]:
    """A digest of names, sizes, modes and times of all files, and their size together."""
    digest, size = hashlib.sha256(), 0
    waiting = [os.fspath(directory)]
    while waiting:
        current = waiting.pop()
        try:
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            found = entry.stat(follow_symlinks=False)
            size += found.st_size
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                continue
            digest.update(f"{entry.path}\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_mode}\n".encode())
    return digest.hexdigest(), size
