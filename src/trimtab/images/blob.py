"""A layer that is one stream of bytes with a digest."""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimtab.images.ahead import read_ahead
from trimtab.images.compression import decompressed
from trimtab.images.errors import CorruptError
from trimtab.images.tar import TarReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from trimtab.images.compression import Stream
    from trimtab.images.finding import Findings
    from trimtab.images.image import Members
    from trimtab.images.limits import Limits

__all__ = ["Blob", "Verified", "check", "is_digest"]

DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
READ = 128 << 10


def is_digest(text: object) -> bool:
    """Whether this is a digest of an algorithm that images use."""
    return isinstance(text, str) and DIGEST.fullmatch(text) is not None


def check(data: bytes, digest: str) -> None:
    """Hold bytes against their digest.

    Raises:
        CorruptError: They have another.
    """
    algorithm, _, told = digest.partition(":")
    if not is_digest(digest) or hashlib.new(algorithm, data).hexdigest() != told:
        raise CorruptError(f"the content of {digest[:80]} has another digest")


@dataclass(frozen=True, slots=True)
class Blob:
    """A layer's archive.

    Parameters:
        digest: What the bytes are held against.
        size: How many there are.
        open: Opens them.
    """

    digest: str
    size: int
    open: Callable[[], AbstractContextManager[Stream]]

    @contextmanager
    def members(self, limits: Limits, findings: Findings) -> Iterator[Members]:
        """Read the archive; at the end the digest is held against what was read.

        Raises:
            CorruptError: It is another, or the bytes are no archive.
        """
        with self.open() as raw:
            stream = Verified(raw, self.digest)
            with read_ahead(decompressed(stream), limits.seconds) as pieces:
                reader = TarReader(pieces, limits, findings)
                yield reader
                reader.drain()
            stream.verify()


class Verified:
    """A stream that digests what is read of it."""

    def __init__(self, stream: Stream, digest: str) -> None:
        if not is_digest(digest):
            raise CorruptError(f"{digest[:80]!r} is no digest")
        self._stream, self._digest = stream, digest
        self._hash = hashlib.new(digest.partition(":")[0])

    def read(self, size: int = -1, /) -> bytes:
        """Return up to this many bytes; none at the end."""
        data = self._stream.read(size)
        self._hash.update(data)
        return data

    def verify(self) -> None:
        """Read what is left, and hold the digest of all against the one that was told."""
        while self.read(READ):
            pass
        found = self._hash.hexdigest()
        if found != self._digest.partition(":")[2]:
            raise CorruptError(f"the content of {self._digest} has another digest: {found}")
