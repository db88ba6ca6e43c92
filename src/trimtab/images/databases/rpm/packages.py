"""The packages of an RPM database, wherever and in whatever form it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.images.databases.rpm import bdb, ndb, sqlite
from trimtab.images.databases.rpm.header import Header
from trimtab.images.interests import Interest
from trimtab.images.package import Package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimtab.images.databases.reading import Reading
    from trimtab.images.tree import Entry

__all__ = ["INTERESTS", "packages"]

DIRECTORIES = ("var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/")
NAMES = ("rpmdb.sqlite", "Packages.db", "Packages")  # the newest form first: an old one may have been left
JOURNAL = "rpmdb.sqlite-wal"
LARGEST = 1 << 30

INTERESTS = (Interest(named=(*NAMES, JOURNAL), within=DIRECTORIES, limit=LARGEST, large=True),)


def packages(reading: Reading) -> Iterator[Package]:
    """What is installed, and the public keys that are trusted, as RPM lists them."""
    seen = set()
    for directory in DIRECTORIES:
        for name in NAMES:
            entry = reading.tree.find(directory + name)
            if entry is None or entry.content is None:
                continue
            if entry.path not in seen:
                yield from reading.with_history(entry, _of_database)
            seen.add(entry.path)
            break


def _of_database(entry: Entry, reading: Reading) -> Iterator[Package]:
    try:
        for blob in _blobs(entry, reading):
            yield _package(Header(blob), entry, reading)
    except ValueError as error:
        reading.broken(entry, str(error))


def _blobs(entry: Entry, reading: Reading) -> Iterator[bytes]:
    name, content = entry.path.rpartition("/")[2], entry.content
    if name == "rpmdb.sqlite":
        journal = reading.tree.find(entry.path.removesuffix(name) + JOURNAL)
        recent = journal.content if journal and journal.layer == entry.layer else None
        return sqlite.blobs(content, recent)
    data: bytes = _mapped(content) if isinstance(content, Path) else content
    return ndb.blobs(data) if name == "Packages.db" else bdb.blobs(data)


def _mapped(path: Path) -> bytes:
    import mmap

    # Reads as bytes do; slices of it are bytes.
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # type: ignore[return-value]


def _package(header: Header, entry: Entry, reading: Reading) -> Package:
    return Package(
        "rpm",
        header.name,
        header.version,
        reading.place(entry),
        architecture=header.architecture,
        source=header.source,
        licence=header.licence,
        relations={"requires": header.requires} if header.requires else {},
    )
