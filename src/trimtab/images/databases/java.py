"""Java's packages, as identities: the `pom.properties` that Maven puts into a jar."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING

from trimtab.images.interests import Interest
from trimtab.images.package import Package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimtab.images.databases.reading import Reading

__all__ = ["INTERESTS", "packages"]

PROPERTIES = "/pom.properties"
LARGEST, MOST, MOST_POMS = 1 << 16, 70_000, 1000
ENTRY = b"PK\x01\x02"  # the start of an entry in a zip's table


def _identities(data: bytes) -> list[str]:
    """`group:artifact@version` of each artifact in a jar; one that shades others has several."""
    if PROPERTIES.encode() not in data:  # most have none, and names are not compressed
        return []
    if data.count(ENTRY) > MOST:
        raise ValueError("a jar of too many entries")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as jar:
            names = [
                each
                for each in jar.infolist()
                if each.filename.endswith(PROPERTIES) and each.file_size <= LARGEST
            ]
            return [found for each in names[:MOST_POMS] if (found := _identity(jar.read(each)))]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"no jar: {error}") from None


def _identity(properties: bytes) -> str | None:
    lines = (line.partition("=") for line in properties.decode("utf-8", "replace").splitlines())
    told = {name.strip(): value.strip() for name, equals, value in lines if equals}
    names = told.get("groupId"), told.get("artifactId"), told.get("version")
    return f"{names[0]}:{names[1]}@{names[2]}" if all(names) else None


INTERESTS = (Interest(named=(".jar", ".war"), limit=64 << 20, condense=_identities),)


def packages(reading: Reading) -> Iterator[Package]:
    """Each artifact that a jar says it holds."""
    for entry in reading.entries:
        if entry.path.endswith((".jar", ".war")) and isinstance(entry.content, list):
            for identity in entry.content:
                name, _, version = identity.rpartition("@")
                yield Package("maven", name, version, reading.place(entry), location="/" + entry.path)
