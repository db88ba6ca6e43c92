"""npm's packages: `package.json` of each directory below `node_modules`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trimtab.images.databases.identity import Identity, from_json, package
from trimtab.images.interests import Interest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimtab.images.databases.reading import Reading
    from trimtab.images.package import Package

__all__ = ["INTERESTS", "packages"]

PLACE = re.compile(r"(?:^|/)node_modules/(?:@[^/]+/)?[^/]+/package\.json$")


def _told(data: bytes) -> Identity:
    return from_json(data, licence="license")


INTERESTS = (
    Interest(
        named=("package.json",),
        accepts=lambda path: PLACE.search(path) is not None,
        limit=1 << 20,
        condense=_told,
    ),
)


def packages(reading: Reading) -> Iterator[Package]:
    """Each one that is installed."""
    for entry in reading.entries:
        if PLACE.search(entry.path) and isinstance(entry.content, dict):
            found = package("npm", entry.content, entry, reading)
            if found is not None:
                yield found
