"""Java's packages, as identities: the `pom.properties` that Maven puts into a jar."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from trimtab.images.interests import Interest
from trimtab.images.package import Package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimtab.images.databases.reading import Reading

__all__ = ["INTERESTS", "packages"]

PROPERTIES = b"/pom.properties"
LARGEST, MOST_POMS = 1 << 16, 1000
LONGEST_NAME = 1000
ENTRY, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
TABLE_ENTRY = struct.Struct("<4s6xH8xIIHHH8xI")  # magic method packed unpacked name extra comment offset
LOCAL_ENTRY = struct.Struct("<4s22xHH")  # magic name extra
TABLE_END = struct.Struct("<4s8xII")  # magic, size and offset of the table
STORED, DEFLATED = 0, 8
BEHIND = 70_000  # bytes behind the table at most: its end, and a comment


def _identities(data: bytes) -> list[str]:
    """`group:artifact@version` of each artifact in a jar; one that shades others has several.

    A jar's table may have ten thousand entries, of which the names of a few matter: they are looked for as bytes. The
    standard library makes an object of each entry, which took a fifth of the time for a whole image of Debian's files.
    """
    if PROPERTIES not in data:  # most have none, and names are not compressed
        return []
    start, before = _table(data)
    found, at = list[str](), data.find(PROPERTIES, start)
    while at >= 0 and len(found) < MOST_POMS:
        properties = _content(data, at + len(PROPERTIES), before)
        if properties is not None and (identity := _identity(properties)):
            found.append(identity)
        at = data.find(PROPERTIES, at + 1)
    return found


def _table(data: bytes) -> tuple[int, int]:
    """Where a jar's table begins, and how many bytes lie before the jar: a program that starts it."""
    end = data.rfind(END, max(0, len(data) - BEHIND))
    if end < 0 or end + TABLE_END.size > len(data):
        raise ValueError("no jar: it has no table of its entries")
    _, size, offset = TABLE_END.unpack_from(data, end)
    if size > end or offset + size > end:
        raise ValueError("no jar: its table lies outside of it")
    return end - size, end - size - offset


def _content(data: bytes, name_end: int, before: int) -> bytes | None:
    """The content of the entry of the table whose name ends here; None if there is none, or it is too large."""
    start = data.rfind(ENTRY, max(0, name_end - LONGEST_NAME - TABLE_ENTRY.size), name_end)
    if start < 0 or start + TABLE_ENTRY.size > name_end:
        return None
    _, method, packed, size, name, _, _, offset = TABLE_ENTRY.unpack_from(data, start)
    if start + TABLE_ENTRY.size + name != name_end or size > LARGEST or packed > LARGEST:
        return None
    try:
        magic, name, extra = LOCAL_ENTRY.unpack_from(data, before + offset)
    except struct.error:
        magic, name, extra = b"", 0, 0
    if magic != LOCAL:
        raise ValueError("a damaged jar: an entry that lies outside of it")
    at = before + offset + LOCAL_ENTRY.size + name + extra
    return _unpacked(data[at : at + packed], method)


def _unpacked(content: bytes, method: int) -> bytes | None:
    if method == STORED:
        return content
    if method != DEFLATED:
        return None
    try:
        return zlib.decompressobj(-15).decompress(content, LARGEST)
    except zlib.error as error:
        raise ValueError(f"a damaged jar: {error}") from None


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
