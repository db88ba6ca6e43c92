"""What objects of a cluster have in common, read without trust in their shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from servo.connectors.builds.build import Phase

__all__ = ["at", "condition", "maps", "moment", "named", "phase_of", "text"]

_MAX_TEXT = 2_000


def at(value: object, *path: str) -> Any:
    """Return what is at a path of an object; None if there is nothing."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def text(value: object, *path: str) -> str | None:
    """Return the text at a path; None if there is none, or an empty one."""
    found = at(value, *path)
    return found[:_MAX_TEXT] if isinstance(found, str) and found else None


def maps(value: object, *path: str) -> list[Mapping[str, Any]]:
    """Return the objects of the list at a path."""
    found = at(value, *path)
    if not isinstance(found, Sequence) or isinstance(found, str):
        return []
    return [each for each in found if isinstance(each, Mapping)]


def named(values: Sequence[Mapping[str, Any]], name: str) -> str | None:
    """Return the text `value` of the one that is called so: a parameter, a result, a variable."""
    for each in values:
        if each.get("name") == name:
            return text(each, "value")
    return None


def condition(value: object, kind: str) -> Mapping[str, Any] | None:
    """Return a condition of the object's status."""
    return next((each for each in maps(value, "status", "conditions") if each.get("type") == kind), None)


def moment(value: str | None) -> float | None:
    """Return a time of RFC 3339 as seconds since 1970."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo is not None else None


def phase_of(succeeded: Mapping[str, Any]) -> Phase | None:
    """Return how something ended by its condition `Succeeded`, as Tekton and Shipwright write it; None: it goes on."""
    status, reason = text(succeeded, "status"), text(succeeded, "reason") or ""
    if status == "True":
        return Phase.complete
    if status != "False":
        return None
    if "Timeout" in reason or "TimedOut" in reason:
        return Phase.timed_out
    return Phase.cancelled if "Cancel" in reason else Phase.failed
