"""Alpine's packages: `lib/apk/db/installed`, paragraphs of one-letter fields whose case matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimtab.images.compression import packed, unpacked
from trimtab.images.databases.control import text
from trimtab.images.interests import Interest
from trimtab.images.package import Package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimtab.images.databases.reading import Reading
    from trimtab.images.tree import Entry

__all__ = ["INTERESTS", "packages"]

DATABASES = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
FIELDS = frozenset("PVALoD")

INTERESTS = (Interest(named=("installed",), within=DATABASES, limit=64 << 20, condense=packed),)


def packages(reading: Reading) -> Iterator[Package]:
    """What is installed."""
    found = {entry.path: entry for path in DATABASES if (entry := reading.tree.find(path))}
    for entry in found.values():
        yield from reading.with_history(entry, _of_database)


def _of_database(entry: Entry, reading: Reading) -> Iterator[Package]:
    if not isinstance(entry.content, bytes):
        return
    for paragraph in text(unpacked(entry.content)).split("\n\n"):
        lines = (line.partition(":") for line in paragraph.split("\n") if line[1:2] == ":")
        fields = {name: value.strip() for name, _, value in lines if name in FIELDS}
        if fields.get("P") and fields.get("V"):
            yield _package(fields, entry, reading)
        elif paragraph.strip():
            reading.broken(entry, "a paragraph without name and version")


def _package(fields: dict[str, str], entry: Entry, reading: Reading) -> Package:
    return Package(
        "apk",
        fields["P"],
        fields["V"],
        reading.place(entry),
        architecture=fields.get("A", ""),
        source=fields.get("o", ""),
        licence=fields.get("L", ""),
        relations={"depends": tuple(fields["D"].split())} if fields.get("D") else {},
    )
