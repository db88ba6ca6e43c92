"""Values out of documents that anybody may have written, as columns can take them; None is what cannot be told."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = ["at", "integer", "moment", "number", "standard", "storable", "text"]

INTEGER = 1 << 31
BIG_INTEGER = 1 << 63


def at(document: Any, *path: str) -> Any:
    """What is under these keys of nested objects; None if one of them is not there."""
    for key in path:
        if not isinstance(
            document, (dict, Mapping)
        ):  # the first is told at once, the second takes a microsecond
            return None
        document = document.get(key)
    return document


def text(value: Any, length: int) -> str | None:
    """At most so many characters, without those that no database takes."""
    if not isinstance(value, str):
        return None
    return value[:length].replace("\0", "").encode("utf-8", "replace").decode()


def storable(value: str) -> bool:
    """Whether a database can hold this text; what it cannot, nothing in it is called."""
    return "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)


def integer(value: Any, *, big: bool = False) -> int | None:
    """An integer of 32 bits, or 64; also one that is written as text, as older documents do."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().removeprefix("-").isdecimal() and len(value) < 20:  # noqa: PLR2004 - digits of 64 bits
        value = int(value)
    limit = BIG_INTEGER if big else INTEGER
    return value if isinstance(value, int) and -limit <= value < limit else None


def number(value: Any) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def moment(value: Any) -> float | None:
    """Seconds since 1970 of an ISO 8601 time; one without a zone is UTC."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=found.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def standard(value: Any) -> Any:
    """The same document with None for what standard JSON has not: NaN and infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): standard(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [standard(each) for each in value]
    return value
