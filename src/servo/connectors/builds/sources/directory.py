"""Logs that appear in a directory: `app-42.log`, and `app-42.json` beside it if somebody describes the build."""

from __future__ import annotations

import asyncio
import fnmatch
import os
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from pathlib import Path

from servo.connectors.builds.build import Build, Missing, Part
from servo.connectors.builds.errors import PartError, SourceError
from servo.connectors.builds.logs import read_file
from servo.connectors.builds.sources.description import build_of, parse
from servo.connectors.builds.sources.source import Batch
from servo.logging import logger

__all__ = ["Directory"]

_BATCH = 500
_MAX_DESCRIPTION = 1024 * 1024
_LOOK_ANYWAY = 30.0
_DESCRIPTION = ".json"


class Directory:
    """Looks into a directory again and again.

    A build is over when its log has a description beside it, or has not changed for some time. Who is new is known by name,
    size and time of change: a log that is written anew is another build. It takes no notice of directories below.

    Args:
        name: What it is called.
        path: The directory.
        pattern: Names of logs.
        settle: Seconds.
        interval: Seconds between two looks.
    """

    engine: str | None = None
    is_volatile = False

    def __init__(
        self, name: str, path: Path, pattern: str = "*.log", *, settle: float = 30.0, interval: float = 2.0
    ) -> None:
        self.name = name
        self._path, self._pattern, self._settle, self._interval = path.absolute(), pattern, settle, interval
        self._complained: set[str] = set()

    async def watch(self, position: str | None) -> AsyncGenerator[Batch, None]:
        """Yield what appears, see :meth:`Source.watch`. What is there at the very first time counts as new."""
        seen: dict[str, tuple[int, int]] = {}
        looked, before = -_LOOK_ANYWAY, None
        while True:
            changed = self._changed()
            now = asyncio.get_running_loop().time()
            if changed != before or now - looked >= min(_LOOK_ANYWAY, max(self._settle, self._interval)):
                before, looked = changed, now
                fresh, unsettled = await asyncio.to_thread(self._look, seen)
                before = None if unsettled else before
                for start in range(0, len(fresh), _BATCH):
                    yield Batch(
                        [build for each in fresh[start : start + _BATCH] if (build := self._build(each))]
                    )
                seen.update({each.name: each.state for each in fresh})
            await asyncio.sleep(self._interval)

    async def existing(self) -> AsyncGenerator[Batch, None]:
        """There are no images in a directory of logs."""
        for batch in list[Batch]():
            yield batch

    async def log(self, build: Build) -> AsyncGenerator[bytes, None]:
        """Yield the log of a build."""
        name = build.log or ""
        if not name or "/" in name or name in {".", ".."}:
            raise PartError("no log of this directory")
        async for piece in read_file(self._path / name):
            yield piece

    async def aclose(self) -> None:
        """Nothing is open."""

    async def check(self) -> str:
        """Return what is watched."""
        if not self._path.is_dir() or not os.access(self._path, os.R_OK | os.X_OK):
            raise SourceError(f"{self._path} is no directory that can be read")
        return f"{self._pattern} in {self._path}"

    def _changed(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read: {error.strerror}") from error

    def _look(self, seen: dict[str, tuple[int, int]]) -> tuple[list[_Found], bool]:
        try:
            found = list(self._logs(seen))
        except OSError as error:
            raise SourceError(f"{self._path} cannot be read: {error.strerror}") from error
        now = time.time()
        over = [each for each in found if each.described or now - each.changed_at >= self._settle]
        return sorted(over, key=lambda each: each.state), len(over) < len(found)

    def _logs(self, seen: dict[str, tuple[int, int]]) -> Iterator[_Found]:
        names: set[str] = set()
        with os.scandir(self._path) as entries:
            files = [each for each in entries if each.is_file(follow_symlinks=False)]
        descriptions = {each.name for each in files if each.name.endswith(_DESCRIPTION)}
        for each in files:
            if not fnmatch.fnmatchcase(each.name, self._pattern) or each.name in descriptions:
                continue
            names.add(each.name)
            told = each.stat(follow_symlinks=False)
            state = (told.st_mtime_ns, told.st_size)
            if seen.get(each.name) != state:
                description = Path(each.name).stem + _DESCRIPTION
                yield _Found(each.name, state, description if description in descriptions else None)
        for name in seen.keys() - names:
            del seen[name]

    def _build(self, found: _Found) -> Build | None:
        log = found.name
        values = {}
        trouble: tuple[Missing, ...] = ()
        if found.described is not None:
            try:
                values = parse(_read(self._path / found.described))
            except (OSError, ValueError) as error:
                # The log is worth sending all the same.
                if found.described not in self._complained and len(self._complained) < _BATCH:
                    self._complained.add(found.described)
                    logger.warning(f"{self._path / found.described} describes no build: {error}")
                trouble = tuple(
                    Missing(part, f"the description cannot be read: {error}"[:300])
                    for part in (Part.base, Part.output)
                )
        stem = Path(found.name).stem
        build = build_of(values, self.name, fallback=f"{self._path}\0{log}\0{found.state}", log=log)
        finished = build.finished_at or found.changed_at
        name = values.get("name") or stem
        return replace(build, name=name, finished_at=finished, missing=trouble)


class _Found:
    """A log that was not there before, or not as it is now."""

    __slots__ = ("described", "name", "state")

    def __init__(self, name: str, state: tuple[int, int], described: str | None) -> None:
        self.name, self.state, self.described = name, state, described

    @property
    def changed_at(self) -> float:
        return self.state[0] / 1e9


def _read(path: Path) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        text = file.read(_MAX_DESCRIPTION + 1)
    if len(text) > _MAX_DESCRIPTION:
        raise ValueError(f"more than {_MAX_DESCRIPTION} bytes")
    return text
