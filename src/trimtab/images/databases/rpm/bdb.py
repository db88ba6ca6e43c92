"""RPM's database as Berkeley DB's hash (`Packages`): up to Fedora 32 and RHEL 8.

Only what a hash of large values needs is read: hash pages, whose items are inline or on chains of overflow pages.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["blobs"]

MAGIC = 0x00061561
HASH_UNSORTED, HASH_META, HASH, OVERFLOW = 2, 8, 13, 7
INLINE, OFF_PAGE = 1, 3
HEADER = 26  # bytes of a page's header
SMALLEST, LARGEST = 512, 65536  # pages
LARGEST_VALUE = 16 << 20
COUNT = 4  # bytes of the record that counts, which is no header


def blobs(data: bytes) -> Iterator[bytes]:
    """The headers.

    Raises:
        ValueError: This is no such database.
    """
    try:
        yield from _Hash(data).values()
    except (struct.error, IndexError):
        raise ValueError("a Berkeley DB that ends too early") from None


class _Hash:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order = next((each for each in "<>" if struct.unpack_from(each + "I", data, 12)[0] == MAGIC), "")
        if not self.order or data[25] != HASH_META:
            raise ValueError("no hash of Berkeley DB")
        (self.page,) = self._numbers("I", 20)
        if not SMALLEST <= self.page <= LARGEST:
            raise ValueError("a Berkeley DB with pages of impossible size")

    def values(self) -> Iterator[bytes]:
        """The values of all items but the one that counts."""
        for start in range(self.page, len(self.data) - self.page + 1, self.page):
            if self.data[start + 25] in {HASH, HASH_UNSORTED}:
                for value in self._of_page(start):
                    if len(value) > COUNT:
                        yield value

    def _of_page(self, start: int) -> Iterator[bytes]:
        (count,) = self._numbers("H", start + 20)
        offsets = self._numbers(f"{min(count, self.page // 2)}H", start + HEADER)
        for before, offset in zip(offsets[::2], offsets[1::2], strict=False):
            kind = self.data[start + offset]
            if kind == INLINE:  # items lie one below the other, from the page's end
                yield self.data[start + offset + 1 : start + before]
            elif kind == OFF_PAGE:
                number, size = self._numbers("II", start + offset + 4)
                yield self._chain(number, size)

    def _chain(self, number: int, size: int) -> bytes:
        if size > LARGEST_VALUE:
            raise ValueError("a Berkeley DB with a value of impossible size")
        found = bytearray()
        while len(found) < size:
            start = number * self.page
            used, kind = (*self._numbers("H", start + 22), self.data[start + 25])
            if kind != OVERFLOW or not used:
                raise ValueError("a damaged Berkeley DB: a chain of pages that breaks off")
            found += self.data[start + HEADER : start + HEADER + used]
            (number,) = self._numbers("I", start + 16)
        return bytes(found[:size])

    def _numbers(self, layout: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self.order + layout, self.data, at)
