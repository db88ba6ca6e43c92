"""A blob while it is fetched: where the connection breaks off, it is gone on with."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from trimtab.images.errors import UnavailableError
from trimtab.images.sources.registry.failures import raise_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    import httpx2

    from trimtab.images.sources.registry.retries import Retries

__all__ = ["Body"]

PARTIAL = 206
PROGRESS = 1 << 20  # bytes after which a connection that breaks off is the first one again
SLOWEST, SETTLED = 4096, 60.0  # bytes a second, on the average after so many seconds


class Body:
    """A blob's bytes as a stream. What they are is held against their digest by whoever reads them.

    Parameters:
        open_at: Opens the blob from a byte on; the answer may also begin at its start.
        size: How many bytes there are, as far as it is known; 0 otherwise.
        host: Whom it comes from, for messages.
        retries: When it is gone on with.
    """

    def __init__(
        self,
        open_at: Callable[[int], AbstractContextManager[httpx2.Response]],
        size: int,
        host: str,
        retries: Retries,
    ) -> None:
        self._open_at, self._size, self._host, self._retries = open_at, size, host, retries
        self._answer = contextlib.ExitStack()
        self._pieces: Iterator[bytes] | None = None
        self._rest = b""
        self._at = self._broken_at = self._attempt = 0
        self._waited = 0.0

    def read(self, size: int = -1, /) -> bytes:
        """Return up to this many bytes; none at the end.

        Raises:
            UnavailableError: The registry breaks off again and again, or sends too slowly.
        """
        if not self._rest:
            self._rest = self._more()
        size = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def close(self) -> None:
        """Let the connection go."""
        self._pieces = None
        self._answer.close()

    def _more(self) -> bytes:
        while True:
            try:
                piece = self._piece()
            except UnavailableError as error:
                self.close()
                self._attempt = 1 if self._at - self._broken_at >= PROGRESS else self._attempt + 1
                self._broken_at = self._at
                if not self._retries.wait(error, self._attempt):
                    raise
            else:
                self._at += len(piece)
                self._check_pace()
                return piece

    def _check_pace(self) -> None:
        """What is too slow may be faster later, and is not waited for once more now."""
        if self._waited > SETTLED and self._at < SLOWEST * self._waited:
            slow = f"{self._host} sends less than {SLOWEST} bytes a second"
            raise UnavailableError(slow, transient=True)

    def _piece(self) -> bytes:
        started = time.monotonic()
        with raise_for(self._host):
            if self._pieces is None:
                self._pieces = self._opened()
            piece = next(self._pieces, b"")
        self._waited += time.monotonic() - started
        if not piece and self._at < self._size:
            raise UnavailableError(f"{self._host}: a blob that broke off", transient=True)
        return piece

    def _opened(self) -> Iterator[bytes]:
        response = self._answer.enter_context(self._open_at(self._at))
        start = self._at if response.status_code == PARTIAL else 0
        if start and not response.headers.get("content-range", "").startswith(f"bytes {start}-"):
            other = f"{self._host} sends another part of a blob than it was asked for"
            raise UnavailableError(other, transient=True)
        pieces = response.iter_raw()
        missing = self._at - start
        while missing:
            piece = next(pieces, b"")
            if not piece:
                raise UnavailableError(f"{self._host}: a blob that broke off", transient=True)
            if len(piece) > missing:
                return _with(piece[missing:], pieces)
            missing -= len(piece)
        return pieces


def _with(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces
