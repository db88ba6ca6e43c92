"""A header of RPM, as its databases hold one for each package: an index of tags, and a store of their values."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Header"]

NAME, VERSION, RELEASE, EPOCH, LICENCE, ARCHITECTURE, SOURCE = 1000, 1001, 1002, 1003, 1014, 1022, 1044
FLAGS, REQUIRED, REQUIRED_VERSION = 1048, 1049, 1050
WANTED = frozenset(
    (NAME, VERSION, RELEASE, EPOCH, LICENCE, ARCHITECTURE, SOURCE, FLAGS, REQUIRED, REQUIRED_VERSION)
)
INT32, STRING, STRINGS, TRANSLATED = 4, 6, 8, 9
ENTRY = struct.Struct(">IIiI")  # tag, type, offset, count
MOST_ENTRIES, MOST_VALUES, LARGEST_STORE = 0xFFFF, 100_000, 256 << 20
LESS, GREATER, EQUAL = 2, 4, 8


class Header:
    """The values of the tags that tell what a package is.

    Parameters:
        data: The header as the database has it, without the magic bytes of package files.

    Raises:
        ValueError: It is damaged.
    """

    def __init__(self, data: bytes) -> None:
        self._values: dict[int, list[str] | list[int]] = {}
        try:
            entries, store = struct.unpack_from(">II", data)
            if entries > MOST_ENTRIES or store > LARGEST_STORE:
                raise ValueError("an RPM header of impossible size")
            base = 8 + entries * ENTRY.size
            for index in range(entries):
                tag, kind, offset, count = ENTRY.unpack_from(data, 8 + index * ENTRY.size)
                if tag in WANTED and tag not in self._values:
                    self._values[tag] = _values(data, kind, base + offset, min(count, MOST_VALUES))
        except struct.error:
            raise ValueError("an RPM header that ends too early") from None

    @property
    def name(self) -> str:
        """The package's name."""
        return self._text(NAME)

    @property
    def version(self) -> str:
        """`[epoch:]version-release`."""
        epochs = self._numbers(EPOCH)
        number = f"{self._text(VERSION)}-{self._text(RELEASE)}"
        return f"{epochs[0]}:{number}" if epochs else number

    @property
    def architecture(self) -> str:
        """What machines it is for; nothing of a public key."""
        return self._text(ARCHITECTURE)

    @property
    def licence(self) -> str:
        """As the package says."""
        return self._text(LICENCE)

    @property
    def source(self) -> str:
        """The file name of the source package."""
        return self._text(SOURCE)

    @property
    def requires(self) -> tuple[str, ...]:
        """What it needs, as `name`, or `name >= version`; without what RPM itself must be able to do."""
        names, versions = self._texts(REQUIRED), self._texts(REQUIRED_VERSION)
        flags = self._numbers(FLAGS)
        found = dict.fromkeys(
            _requirement(*each)
            for each in zip(names, versions, flags, strict=False)
            if "rpmlib(" not in each[0]
        )
        return tuple(found)

    def _text(self, tag: int) -> str:
        return next(iter(self._texts(tag)), "")

    def _texts(self, tag: int) -> list[str]:
        return [each for each in self._values.get(tag, ()) if isinstance(each, str)]

    def _numbers(self, tag: int) -> list[int]:
        return [each for each in self._values.get(tag, ()) if isinstance(each, int)]


def _values(data: bytes, kind: int, at: int, count: int) -> list[str] | list[int]:
    if at < 0:
        raise ValueError("an RPM header with an offset before its store")
    if kind == INT32:
        return list(struct.unpack_from(f">{count}I", data, at))
    if kind == STRING:
        return list(_strings(data, at, 1))
    return list(_strings(data, at, count)) if kind in {STRINGS, TRANSLATED} else []


def _strings(data: bytes, at: int, count: int) -> Iterator[str]:
    for _ in range(count):
        end = data.find(b"\0", at)
        if end < 0:
            raise ValueError("an RPM header with a text that does not end")
        yield data[at:end].decode("utf-8", "replace")
        at = end + 1


def _requirement(name: str, version: str, flags: int) -> str:
    signs = "".join(sign for bit, sign in ((LESS, "<"), (GREATER, ">"), (EQUAL, "=")) if flags & bit)
    return f"{name} {signs} {version}" if signs and version else name
