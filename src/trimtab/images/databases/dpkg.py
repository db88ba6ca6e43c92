"""Debian's packages: `var/lib/dpkg/status`, and the files of `status.d` that distroless images have instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trimtab.images.compression import packed, unpacked
from trimtab.images.databases.control import paragraphs, text
from trimtab.images.interests import Interest
from trimtab.images.package import Package, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trimtab.images.databases.reading import Reading
    from trimtab.images.tree import Entry

__all__ = ["INTERESTS", "packages"]

STATUS, STATUS_D = "var/lib/dpkg/status", "var/lib/dpkg/status.d/"
RELATIONS = ("pre-depends", "depends", "replaces")
WANTED = frozenset(("package", "status", "version", "architecture", "source", "multi-arch", *RELATIONS))
LARGEST = 64 << 20

# A status file is written anew by each layer that installs something, and each of them is compared at the end.
INTERESTS = (
    Interest(named=("status",), within=(STATUS,), limit=LARGEST, condense=packed),
    Interest(
        named=(),
        within=(STATUS_D,),
        limit=1 << 20,
        accepts=lambda path: not path.endswith(".md5sums"),
        condense=packed,
    ),
)


def packages(reading: Reading) -> Iterator[Package]:
    """What is installed; half-installed packages are findings as well."""
    if status := reading.tree.find(STATUS):
        yield from reading.with_history(status, _of_status)
    for entry in reading.tree.below(STATUS_D.rstrip("/")):
        yield from _of_status(entry, reading)


def _of_status(entry: Entry, reading: Reading) -> Iterator[Package]:
    if not isinstance(entry.content, bytes):
        return
    for fields in paragraphs(text(unpacked(entry.content)), WANTED):
        state = fields.get("status", "install ok installed").split()
        if not (fields.get("package") and fields.get("version")):
            reading.broken(entry, "a paragraph without Package and Version")
        elif state[-1:] == ["installed"]:
            yield _package(fields, reading.place(entry))
        elif state[-1:] not in (["config-files"], ["not-installed"]):
            reading.note("half-installed", f"dpkg: {fields['package']} is {' '.join(state)}", entry)


def _package(fields: Mapping[str, str], place: Place) -> Package:
    source, _, version = fields.get("source", "").partition(" ")
    return Package(
        "deb",
        fields["package"],
        fields["version"],
        place,
        architecture=fields.get("architecture", ""),
        source=f"{source} {version.strip('()')}".strip(),
        relations={
            kind: tuple(" ".join(part.split()) for part in fields[kind].split(",") if part.strip())
            for kind in RELATIONS
            if fields.get(kind)
        },
    )
