"""The numbers in the document of a run, each under a flat name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

__all__ = ["LARGEST", "MAX_DEPTH", "MAX_MEASURES", "MAX_NAME", "SEPARATOR", "measures", "started"]

SEPARATOR = "__"
"""Between the keys of a flat name, as the original's notebooks have it: `stdout__@result__elapsed`."""
MAX_MEASURES = 1000
"""Of one run; further ones are not looked at."""
MAX_DEPTH = 16
"""Objects in one another."""
MAX_NAME = 256
"""Characters of a flat name."""

LARGEST = 1e150
"""Beyond it, on either side, is nothing that was measured; up to it squares are finite."""

_MEASURED = ("usage", "cgroup", "pressure", "stdout")
# What was asked for or set, and not what came of it.
_GIVEN = frozenset({"version", "limit", "swap_limit", "quota", "cpuset", "pids"})
_PARAMETERS = f"stdout{SEPARATOR}@parameters{SEPARATOR}"


def measures(document: Mapping[str, Any]) -> dict[str, float]:
    """Everything that was measured in a run, by name.

    `duration` in seconds, where the document has none the time from its start to its end; the numbers below `usage`, `cgroup`,
    `pressure` and `stdout`. Left out are truth values, what is not finite or beyond `LARGEST`, lists, limits of the control group, and the
    script's `@parameters`.

    Args:
        document: A result document, ours or the original's.
    """
    found: list[tuple[str, float]] = []
    for section in _MEASURED:
        _gather(section, document.get(section), MAX_DEPTH, found)
    duration = duration_of(document)
    return dict(found) if duration is None else {"duration": duration, **dict(found)}


def started(document: Mapping[str, Any]) -> float | None:
    """When the run began: seconds since 1970; None if the document does not tell."""
    moment = _moment(document.get("start_datetime")) or _moment(document.get("datetime"))
    return moment.timestamp() if moment else None


def _gather(name: str, value: Any, depth: int, found: list[tuple[str, float]]) -> None:
    """Add the numbers of a value, up to the bound. It is called for each member of ten thousand documents."""
    if len(found) >= MAX_MEASURES:
        return
    if isinstance(value, (dict, Mapping)):  # the first is told at once, the second takes a microsecond
        for key, each in value.items() if depth else ():
            _gather(f"{name}{SEPARATOR}{key}", each, depth - 1, found)
        return
    number = _number(value)
    if number is not None and len(name) <= MAX_NAME and not _is_given(name):
        found.append((name, number))


def _is_given(name: str) -> bool:
    of_group = name.startswith("cgroup") and name.rpartition(SEPARATOR)[2] in _GIVEN
    return of_group or name.startswith((_PARAMETERS, f"cgroup{SEPARATOR}pids"))


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        return None
    return number if abs(number) <= LARGEST else None  # not a number is not


def duration_of(document: Mapping[str, Any]) -> float | None:
    """Seconds from the start of a run to its end; None if the document does not tell."""
    told = _number(document.get("duration"))
    if told is not None:
        return told
    start, end = (_moment(document.get(f"{name}_datetime")) for name in ("start", "end"))
    return (end - start).total_seconds() if start and end and end >= start else None


def _moment(value: Any) -> datetime | None:
    """A time; without a zone it is UTC's, as both write it."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value if value.endswith("Z") or "+" in value[10:] else f"{value}Z")
    except ValueError:
        return None
