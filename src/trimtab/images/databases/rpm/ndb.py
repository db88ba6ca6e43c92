"""RPM's own database format (`Packages.db`): SUSE's. Slots of 16 bytes point at blobs."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["blobs"]

PAGE, SLOT, BLOCK = 4096, 16, 16
DATABASE_MAGIC, SLOT_MAGIC, BLOB_MAGIC = b"RpmP", b"Slot", b"BlbS"
MOST_PAGES = 2048


def blobs(data: bytes) -> Iterator[bytes]:
    """The headers.

    Raises:
        ValueError: This is no such database.
    """
    try:
        magic, pages = struct.unpack_from("<4s8xI", data)
        if magic != DATABASE_MAGIC or not 0 < pages <= MOST_PAGES:
            raise ValueError("no database of RPM")
        for at in range(2 * SLOT, pages * PAGE, SLOT):
            kind, package, block = struct.unpack_from("<4sII", data, at)
            if kind != SLOT_MAGIC:
                raise ValueError("a damaged database of RPM: a slot that is none")
            if package:
                yield _blob(data, block * BLOCK, package)
    except struct.error:
        raise ValueError("a database of RPM that ends too early") from None


def _blob(data: bytes, at: int, package: int) -> bytes:
    magic, owner, size = struct.unpack_from("<4sI4xI", data, at)
    if magic != BLOB_MAGIC or owner != package:
        raise ValueError("a damaged database of RPM: a blob that is none")
    return data[at + 16 : at + 16 + size]
