"""Python's source files, by digest: the same file in two images is the same code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimtab.images.interests import Interest
from trimtab.images.member import Kind

if TYPE_CHECKING:
    from trimtab.images.databases.reading import Reading

__all__ = ["INTERESTS", "python_files"]

INTERESTS = (Interest(named=(".py",), digest=True, limit=1 << 40),)


def python_files(reading: Reading) -> dict[str, str]:
    """SHA-256 of each `*.py`, by its path."""
    return {
        "/" + entry.path: entry.content
        for entry in reading.tree.below()
        if entry.kind is Kind.file and entry.path.endswith(".py") and isinstance(entry.content, str)
    }
