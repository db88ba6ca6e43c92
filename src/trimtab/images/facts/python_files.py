"""Python's source files, by digest: the same file in two images is the same code."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from trimtab.images.interests import Interest
from trimtab.images.member import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimtab.images.databases.reading import Reading

__all__ = ["INTERESTS", "python_files"]


def _digest(pieces: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


INTERESTS = (Interest(named=(".py",), stream=_digest, limit=64 << 20),)


def python_files(reading: Reading) -> dict[str, str]:
    """SHA-256 of each `*.py`, by its path."""
    return {
        "/" + entry.path: entry.content
        for entry in reading.entries
        if entry.kind is Kind.file and entry.path.endswith(".py") and isinstance(entry.content, str)
    }
