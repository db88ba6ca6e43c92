"""Builds that programs write into a named pipe: a line of JSON for each, with its log or the name of a file that has it."""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

from servo.connectors.builds.build import Build
from servo.connectors.builds.errors import JournalFullError, PartError, SourceError
from servo.connectors.builds.logs import Log, read_file
from servo.connectors.builds.redaction import Secrets
from servo.connectors.builds.sources.description import build_of, parse
from servo.connectors.builds.sources.source import Batch
from servo.connectors.builds.spool import Spool
from servo.logging import logger

__all__ = ["Pipe"]

MAX_LINE = 8 * 1024 * 1024
_CHUNK = 64 * 1024
_BATCH = 200


class Pipe:
    """Reads a named pipe, line by line, and makes it if it is not there.

    A line is out of the pipe before it is in the journal: of what was written last, an agent that is killed loses up to 64
    KiB. Who cannot bear that writes files, see :class:`Directory`. Writers wait while the agent cannot take more.

    Args:
        name: What it is called.
        path: The pipe.
        spool: Where logs of lines are kept.
        secrets: What is taken out of them.
        limit: Bytes of a log.
    """

    engine: str | None = None
    is_volatile = False

    def __init__(self, name: str, path: Path, spool: Spool, secrets: Secrets, limit: int) -> None:
        self.name = name
        self._path, self._spool, self._secrets, self._limit = path.absolute(), spool, secrets, limit

    async def watch(self, position: str | None) -> AsyncGenerator[Batch, None]:
        """Yield what is written, see :meth:`Source.watch`."""
        descriptor = self._open()
        try:
            async for lines in _lines(descriptor):
                builds = [build for line in lines if (build := self._build(line))]
                if builds:
                    yield Batch(builds)
        finally:
            os.close(descriptor)

    async def existing(self) -> AsyncGenerator[Batch, None]:
        """There are no images in a pipe."""
        for batch in list[Batch]():
            yield batch

    async def log(self, build: Build) -> AsyncGenerator[bytes, None]:
        """Yield the log of a build that named a file; others are kept already."""
        if build.log is None:
            raise PartError("the log is gone")
        async for piece in read_file(Path(build.log)):
            yield piece

    async def aclose(self) -> None:
        """Nothing is open."""

    async def check(self) -> str:
        """Return what is watched."""
        os.close(self._open())
        return str(self._path)

    def _open(self) -> int:
        try:
            if not self._path.exists():
                os.mkfifo(self._path, 0o600)
            # For writing too: so it does not end when the last writer leaves.
            descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise SourceError(f"the pipe {self._path} cannot be read: {error.strerror}") from error
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise SourceError(f"{self._path} is no named pipe; move it away, or name another with `path`")
        return descriptor

    def _build(self, line: bytes) -> Build | None:
        try:
            values = parse(line)
            text = values.get("log")
            if not isinstance(text, str | None):
                raise ValueError("log is a text")  # noqa: TRY004 - a value of the user, as the others
            build = build_of(values, self.name, fallback=secrets.token_hex(16), log=values.get("log_file"))
        except ValueError as error:
            logger.warning(f"a line of {self._path} describes no build: {error}")
            return None
        name = values.get("name") or "build"
        build = replace(build, name=name, finished_at=build.finished_at or time.time())
        return build if text is None else self._kept(build, text)

    def _kept(self, build: Build, text: str) -> Build:
        with Log(self._secrets, self._limit) as log:
            log.feed(text.encode("utf-8", "replace"))
            log.finish()
            try:
                self._spool.save(build.identity, log)
            except JournalFullError as error:
                logger.warning(f"the log of {build.identity} is lost: {error}")
        return replace(build, log="")


async def _lines(descriptor: int) -> AsyncGenerator[list[bytes], None]:
    held, skipping = b"", False
    while True:
        await _readable(descriptor)
        try:
            held += os.read(descriptor, _CHUNK)
        except BlockingIOError:
            continue
        *lines, held = held.split(b"\n")
        if lines and skipping:
            lines, skipping = lines[1:], False
        if any(len(line) > MAX_LINE for line in lines):
            logger.warning(f"a line of more than {MAX_LINE} bytes is left out")
            lines = [line for line in lines if len(line) <= MAX_LINE]
        if len(held) > MAX_LINE:
            logger.warning(f"a line of more than {MAX_LINE} bytes is left out")
            held, skipping = b"", True
        if skipping:
            held = b""
        for start in range(0, len(lines), _BATCH):
            yield [line for line in lines[start : start + _BATCH] if line.strip()]


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _set, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
