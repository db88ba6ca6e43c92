"""A digest of plain data that does not depend on the order of a mapping."""

import hashlib
from collections.abc import Callable
from typing import Any

__all__ = ["dump_container", "get_hash"]

_MAX_DEPTH = 100


def get_hash(data: Any) -> str:
    """Return the SHA-256, in hexadecimal, of lists, mappings and scalars nested in each other.

    Raises:
        ValueError: If they are nested deeper than 100 levels.
    """
    digest = hashlib.sha256()
    dump_container(data, digest.update)
    return digest.hexdigest()


def dump_container(data: Any, write: Callable[[bytes], object], *, _depth: int = 0) -> None:
    """Write lists, mappings and scalars as bytes that are the same for equal data, whatever a mapping's order.

    Raises:
        ValueError: If they are nested deeper than 100 levels.
    """
    if _depth > _MAX_DEPTH:
        raise ValueError(f"data is nested deeper than {_MAX_DEPTH} levels")
    if isinstance(data, dict):
        write(b"{")
        for key in sorted(data, key=repr):
            write(f"{key!r}:".encode())
            dump_container(data[key], write, _depth=_depth + 1)
        write(b"}")
    elif isinstance(data, list | tuple):
        write(b"[")
        for item in data:
            dump_container(item, write, _depth=_depth + 1)
        write(b"]")
    else:
        write(f"{data!r},".encode())
