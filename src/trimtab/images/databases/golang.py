"""Go's modules, as identities: the build information that its compiler puts into programs, from Go 1.18 on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trimtab.images.interests import EXECUTABLE, Interest
from trimtab.images.package import Package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimtab.images.databases.reading import Reading

__all__ = ["INTERESTS", "packages"]

MAGIC, ELF = b"\xff Go buildinf:", b"\x7fELF"
HEADER, INLINE = 32, 2  # bytes before the texts; the flag that they follow
LARGEST, MOST = 1 << 20, 5000
SENTINEL = 16  # bytes before and after the modules, for tools that search
MODULE = re.compile(r"^(?:mod|dep|=>)\t(\S{1,400})\t(\S{1,100})", re.MULTILINE)


def _modules(pieces: Iterator[bytes]) -> list[str] | None:
    """`module@version` of each; None of what is no program of Go."""
    last = b""
    for piece in pieces:
        data = last + piece
        if not last and not data.startswith(ELF):
            return None
        at = data.find(MAGIC)
        if at >= 0:
            return _told(data[at:] + b"".join(_up_to(pieces, LARGEST)))
        last = data[-len(MAGIC) :]
    return None


def _up_to(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        size -= len(piece)
        if size <= 0:
            return


def _told(data: bytes) -> list[str] | None:
    if len(data) < HEADER or not data[15] & INLINE:
        return None
    version, at = _text(data, HEADER)
    modules, _ = _text(data, at)
    found = [f"{name}@{number}" for name, number in MODULE.findall(modules[SENTINEL:-SENTINEL])[:MOST]]
    return [f"stdlib@{version.removeprefix('go')}", *found] if version.startswith("go") else None


def _text(data: bytes, at: int) -> tuple[str, int]:
    """A text after its length, which is a number of seven bits a byte."""
    size = shift = 0
    while at < len(data) and shift < 35:  # noqa: PLR2004 # five bytes of seven bits
        size |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:  # noqa: PLR2004 # the last byte has its high bit clear
            break
    end = at + min(size, LARGEST)
    return data[at:end].decode("utf-8", "replace"), end


INTERESTS = (Interest(named=(EXECUTABLE,), limit=4 << 30, stream=_modules),)


def packages(reading: Reading) -> Iterator[Package]:
    """Each module that a program is built of."""
    for entry in reading.entries:
        if isinstance(entry.content, list) and entry.content[:1] and entry.content[0].startswith("stdlib@"):
            for each in entry.content:
                name, _, version = each.rpartition("@")
                yield Package("golang", name, version, reading.place(entry), location="/" + entry.path)
