"""The bytes of a layer as they were before compression: gzip, zstd or plain, told by their first bytes."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, Any, Protocol

from trimtab.images.errors import CorruptError, ImageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Stream", "decompressed", "packed", "unpacked"]

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
SKIPPABLE = b"\x2a\x4d\x18"  # the end of a zstd skippable frame's magic: 0x184D2A5?
BZIP2, XZ = b"BZh", b"\xfd7zXZ\x00"
LARGEST_WINDOW = 27  # of zstd, as a power of two: what its own tool takes without being asked
READ = 1 << 20  # of compressed bytes at once


def packed(data: bytes) -> bytes:
    """Bytes that wait in memory, smaller: at the speed of reading them."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.compress(data, 1)
    found: bytes = isal_zlib.compress(data, 1)
    return found


def unpacked(data: bytes) -> bytes:
    """What `packed` was given."""
    return zlib.decompress(data)


class Stream(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to this many bytes; none at the end."""


def decompressed(stream: Stream) -> Stream:
    """The decompressed bytes of a stream. Reading them raises `CorruptError` where they are none."""
    head = stream.read(6)
    whole = _Rejoined(head, stream)
    if head.startswith(GZIP):
        return _Guarded(_gzip(whole))
    if head.startswith(ZSTD) or head[1:4] == SKIPPABLE:
        return _Guarded(_zstd(whole))
    if head.startswith((BZIP2, XZ)):
        raise ImageError("a layer is compressed by bzip2 or xz; images have gzip, zstd or none")
    return whole


def _gzip(stream: Stream) -> Stream:
    # ISA-L is twice as fast as zlib here (85 and 200 MB/s of a Debian layer), and is not built for every machine.
    try:
        from isal import igzip_lib
    except ImportError:
        return _Members(stream, lambda: zlib.decompressobj(31))
    return _Members(stream, lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP))


class _Members:
    """The members of a gzip file, one after the other; zeros after the last are padding.

    Of a decoder no more than a piece of output is asked at once, so that a bomb fills no memory.
    """

    def __init__(self, stream: Stream, decoder: Callable[[], Any]) -> None:
        self.stream, self.new = stream, decoder
        self.decoder, self.rest = decoder(), b""

    def read(self, size: int, /) -> bytes:
        """Return up to this many bytes; none at the end."""
        while True:
            if self.decoder.eof and not self._next():
                return b""
            given = self._input()
            produced: bytes = self.decoder.decompress(given, size)
            if produced:
                return produced
            if not given and not self.decoder.eof and self._starved():
                raise EOFError("the stream ends in the middle of it")

    def _input(self) -> bytes:
        rest = getattr(self.decoder, "unconsumed_tail", b"") or self.rest
        self.rest = b""
        if rest or not self._starved():
            return rest
        return self.stream.read(READ)

    def _starved(self) -> bool:
        return bool(getattr(self.decoder, "needs_input", True))

    def _next(self) -> bool:
        rest = self.decoder.unused_data
        while not rest.lstrip(b"\0"):
            rest = self.stream.read(READ)
            if not rest:
                return False
        self.decoder, self.rest = self.new(), rest.lstrip(b"\0")
        return True


def _zstd(stream: Any) -> Stream:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: LARGEST_WINDOW}
    return zstd.ZstdFile(stream, options=options)


class _Rejoined:
    """A stream with the bytes before it that were already read."""

    def __init__(self, head: bytes, rest: Stream) -> None:
        self.head, self.rest = head, rest

    def read(self, size: int = -1, /) -> bytes:
        if not self.head:
            return self.rest.read(size)
        head, self.head = self.head[:size], self.head[size:]
        return head

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    # What the readers ask of a file before they take it for one.
    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


class _Guarded:
    """A decoder whose errors are ours."""

    def __init__(self, decoder: Stream) -> None:
        self.decoder = decoder

    def read(self, size: int, /) -> bytes:
        try:
            return self.decoder.read(size)
        except ImageError:
            raise
        except (EOFError, zlib.error, ValueError) as error:
            raise CorruptError(f"a layer's compressed bytes are damaged: {error}") from None
        except Exception as error:
            if type(error).__name__ not in {"ZstdError", "IsalError", "BadGzipFile", "error"}:
                raise
            raise CorruptError(f"a layer's compressed bytes are damaged: {error}") from None
