"""Logs of builds: read as streams, without their secrets, no longer than the operator wants, never whole in memory."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import tempfile
from codecs import getincrementaldecoder
from collections.abc import AsyncGenerator, Iterable, Iterator
from pathlib import Path
from typing import IO, Self

from servo.connectors.builds.errors import PartError
from servo.connectors.builds.redaction import Redactor, Secrets

__all__ = ["Log", "json_text", "read_file"]

CHUNK = 64 * 1024
IN_MEMORY = 256 * 1024
HEAD_SHARE = 4


class Log:
    """A log that is being collected: its beginning and its end, if all of it is too long.

    Failures are told at the end, so that is where three quarters of what is kept come from. The end is a ring in a file:
    whatever the length of the log, a chunk is what is in memory of it.

    Args:
        secrets: What is taken out.
        limit: Bytes that are kept.
        file: Where to keep them; a temporary file by default.
    """

    def __init__(self, secrets: Secrets, limit: int, file: IO[bytes] | None = None) -> None:
        self._redactor = Redactor(secrets)
        self._head = limit // HEAD_SHARE
        self._ring = limit - self._head
        self._file: IO[bytes] = file or tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed by close()
        self.size = 0
        self._is_exposed, self._has_tail = True, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def left_out(self) -> int:
        """Bytes that are not kept."""
        return max(0, self.size - self._head - self._ring)

    @property
    def kept(self) -> int:
        """Bytes that are kept."""
        return min(self.size, self._head + self._ring)

    @property
    def redacted(self) -> int:
        """How many secrets were taken out."""
        return self._redactor.found

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._is_exposed = False
        for piece in self._redactor.feed(chunk):
            self._write(piece)

    def expose(self) -> None:
        """Have the file hold all that came, as if it ended here: for who reads it if we are killed."""
        if self._is_exposed:
            return
        tail = self._redactor.so_far()
        # In a ring there is no room: what is there is the beginning of what is kept of the end.
        if self.size + len(tail) <= self._head + self._ring:
            self._file.seek(self.size)
            self._file.write(tail)
            self._file.truncate()
            self._has_tail = True
        self._is_exposed = True

    def finish(self) -> None:
        """There are no more."""
        for piece in self._redactor.finish():
            self._write(piece)
        if self._has_tail:
            self._file.truncate(self.kept)

    def close(self) -> None:
        """Forget it."""
        self._file.close()

    def pieces(self) -> Iterator[bytes]:
        """Yield what is kept, and in the place of what is not a line that says how much that is."""
        total = self._head + self._ring
        if self.size <= total:
            yield from self._range(0, self.size)
            return
        yield from self._range(0, self._head)
        yield f"\n[{self.left_out} bytes left out by the agent]\n".encode()
        start = self._head + (self.size - self._head) % self._ring
        yield from self._range(start, total)
        yield from self._range(self._head, start)

    def _write(self, piece: bytes) -> None:
        view = memoryview(piece)
        if self.size < self._head:
            first, view = view[: self._head - self.size], view[self._head - self.size :]
            self._put(self.size, first)
        if len(view) > self._ring:
            self.size += len(view) - self._ring
            view = view[len(view) - self._ring :]
        while view and self._ring:
            at = (self.size - self._head) % self._ring
            part, view = view[: self._ring - at], view[self._ring - at :]
            self._put(self._head + at, part)

    def _put(self, at: int, part: memoryview) -> None:
        self._file.seek(at)
        self._file.write(part)
        self.size += len(part)

    def _range(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            self._file.seek(start)
            piece = self._file.read(min(CHUNK, end - start))
            if not piece:
                return
            start += len(piece)
            yield piece


def json_text(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield bytes as a text in JSON, quotes included; what is no UTF-8 becomes a replacement character."""
    decoder = getincrementaldecoder("utf-8")("replace")
    yield b'"'
    for piece in pieces:
        if text := decoder.decode(piece):
            yield json.dumps(text)[1:-1].encode()
    yield json.dumps(decoder.decode(b"", final=True))[1:-1].encode() + b'"'


async def read_file(path: Path) -> AsyncGenerator[bytes, None]:
    """Yield the content of a regular file; a long one is read in a thread.

    Raises:
        PartError: It cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb", buffering=0) as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise PartError("the log is no regular file")
            if found.st_size <= IN_MEMORY:
                yield file.read(IN_MEMORY)
            while (
                piece := await asyncio.to_thread(file.read, CHUNK)
                if found.st_size > IN_MEMORY
                else file.read(CHUNK)
            ):
                yield piece
    except OSError as error:
        raise PartError(f"the log cannot be read: {error.strerror}") from error
