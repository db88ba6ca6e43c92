"""Symbol versions of shared libraries (`GLIBC_2.34`), which decide whether a wheel can be loaded.

`pyelftools` reads them too: it takes 2 ms for a library where this takes a hundredth of that, and an
image has a thousand (200 libraries of Debian 12, in one process); the tests compare the two.
"""

from __future__ import annotations

import struct
from fnmatch import fnmatch
from typing import TYPE_CHECKING, NamedTuple

from trimtab.images.interests import Interest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimtab.images.databases.reading import Reading

__all__ = ["INTERESTS", "libraries", "symbol_versions"]

MAGIC, HEADER = b"\x7fELF", 64
WIDE, LITTLE = 2, 1  # of the bytes that say how wide words are, and in which order their bytes
VERDEF, SECTIONS, VERSIONS = 0x6FFFFFFD, 4000, 10_000
BASE = 1  # a flag of a definition: it is the library's own name, and no version of symbols
DIRECTORIES = (
    "lib",
    "lib64",
    "lib32",
    "usr/lib",
    "usr/lib64",
    "usr/lib32",
    "usr/local/lib",
    "usr/local/lib64",
)
MULTIARCH = ("*-linux-gnu*", "*-linux-musl*", "*-kfreebsd-gnu*")
CONFIGURATION, INCLUDED = "etc/ld.so.conf", 50


class Section(NamedTuple):
    """What is needed of a section's header."""

    type: int
    offset: int
    size: int
    link: int
    info: int


def symbol_versions(data: bytes) -> list[str]:
    """The versions of symbols that a library defines, in its order; none for what is no ELF file or has none.

    Raises:
        ValueError: It is a damaged one.
    """
    if not data.startswith(MAGIC) or len(data) < HEADER:
        return []
    try:
        sections = list(_sections(data))
        for section in sections:
            if section.type == VERDEF:
                return list(_definitions(data, section, sections[section.link]))
    except (struct.error, IndexError):
        raise ValueError("a damaged ELF file") from None
    return []


def _sections(data: bytes) -> Iterator[Section]:
    order = "<" if data[5] == LITTLE else ">"
    if data[4] == WIDE:
        offset, size, count = _from(order + "40xQ10xHH", data, 0)
        layout = order + "4xI16xQQII"
    else:
        offset, size, count = _from(order + "32xI10xHH", data, 0)
        layout = order + "4xI8xIIII"
    if count > SECTIONS:
        raise ValueError("an ELF file of too many sections")
    for index in range(count):
        yield Section(*_from(layout, data, offset + index * size))


def _from(layout: str, data: bytes, offset: int) -> tuple[int, ...]:
    return struct.unpack_from(layout, data, offset)


def _definitions(data: bytes, section: Section, strings: Section) -> Iterator[str]:
    order = "<" if data[5] == LITTLE else ">"
    at = section.offset
    for _ in range(min(section.info, VERSIONS)):
        flags, names, auxiliary, following = _from(order + "2xHxxH4xII", data, at)
        (name,) = _from(order + "I", data, at + auxiliary)
        if names and not flags & BASE:
            start = strings.offset + name
            end = data.index(b"\0", start, start + 1000)
            yield data[start:end].decode("ascii", "replace")
        if not following:
            return
        at += following


def _is_library(path: str) -> bool:
    return "/site-packages/" not in path and "/dist-packages/" not in path and "/node_modules/" not in path


INTERESTS = (
    Interest(named=(".so",), accepts=_is_library, limit=64 << 20, condense=symbol_versions),
    Interest(named=("ld.so.conf",), within=("etc/",), limit=1 << 16),
    Interest(named=(), within=("etc/ld.so.conf.d/",), limit=1 << 16),
)


def libraries(reading: Reading) -> dict[str, list[str]]:
    """The symbol versions that each library defines which the dynamic linker finds, by its real path."""
    real = {reading.tree.real(each) for each in (*DIRECTORIES, *_configured(reading))}
    return {
        "/" + entry.path: entry.content
        for entry in reading.entries
        if ".so" in entry.path
        and isinstance(entry.content, list)
        and entry.content
        and _is_searched(entry.path, real)
    }


def _is_searched(path: str, directories: set[str | None]) -> bool:
    """Whether the linker looks there: in its own directories, those for a machine below them, and `ld.so.conf`'s."""
    above, _, last = path.rpartition("/")[0].rpartition("/")
    directory = f"{above}/{last}".lstrip("/")
    return directory in directories or (
        above in directories and any(fnmatch(last, pattern) for pattern in MULTIARCH)
    )


def _configured(reading: Reading) -> Iterator[str]:
    waiting, seen = [CONFIGURATION], set[str]()
    while waiting and len(seen) < INCLUDED:
        path = waiting.pop()
        entry = reading.tree.find(path)
        if path in seen or entry is None or not isinstance(entry.content, bytes):
            continue
        seen.add(path)
        for line in entry.content.decode("utf-8", "replace").splitlines():
            words = line.partition("#")[0].split()
            if words[:1] == ["include"]:
                waiting += _included(words[1:], reading)
            elif words:
                yield words[0].strip("/")


def _included(patterns: list[str], reading: Reading) -> Iterator[str]:
    for pattern in patterns:
        absolute = pattern.lstrip("/") if pattern.startswith("/") else f"etc/{pattern}"
        for entry in reading.tree.below(absolute.rpartition("/")[0]):
            if fnmatch(entry.path, absolute):
                yield entry.path
