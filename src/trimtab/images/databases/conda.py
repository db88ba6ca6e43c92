"""Conda's packages: `conda-meta/*.json` of each environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimtab.images.databases.identity import Identity, from_json, package
from trimtab.images.interests import Interest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimtab.images.databases.reading import Reading
    from trimtab.images.package import Package

__all__ = ["INTERESTS", "packages"]


def _told(data: bytes) -> Identity:
    return from_json(data, architecture="subdir", licence="license")


INTERESTS = (
    Interest(named=(".json",), accepts=lambda path: "conda-meta/" in path, limit=32 << 20, condense=_told),
)


def packages(reading: Reading) -> Iterator[Package]:
    """What each environment has."""
    for entry in reading.entries:
        if "conda-meta/" in entry.path and entry.path.endswith(".json") and isinstance(entry.content, dict):
            found = package("conda", entry.content, entry, reading)
            if found is not None:
                yield found
