"""What commands print: plain tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import typer

from servo.tables import format_table
from servo.utilities.unseen import visible

# Largest first: a unit, and how many seconds it stands for. A month is a twelfth of 365 days.
_UNITS = (
    ("year", 31_536_000.0),
    ("month", 2_628_000.0),
    ("week", 604_800.0),
    ("day", 86_400.0),
    ("hour", 3_600.0),
    ("minute", 60.0),
    ("second", 1.0),
)
_JUST_NOW = 10


class Output(StrEnum):
    """The form of what a command prints."""

    table = "table"
    json = "json"


def print_table(rows: Iterable[Sequence[Any]], headers: Sequence[str], *, end: str = "\n") -> None:
    """Print ``rows`` under ``headers``, and an empty line unless ``end`` is empty."""
    typer.echo(format_table(rows, headers) + end)


def print_json(value: Any) -> None:
    """Print one JSON document that moves no terminal."""
    import json

    typer.echo(visible(json.dumps(value, indent=2, ensure_ascii=False, default=str)))


def records(rows: Iterable[Sequence[Any]], keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return table rows as JSON objects."""
    return [dict(zip(keys, row, strict=True)) for row in rows]


def timeago(when: datetime | timedelta, now: datetime | None = None) -> str:
    """Say how long ago something was, in its largest whole unit: ``2 years ago``, ``in 1 minute``, ``just now``.

    Args:
        when: a moment, local if it names no zone; or how long ago it was.
        now: what it is compared with, the present by default.
    """
    age = when if isinstance(when, timedelta) else _aware(now or datetime.now(UTC)) - _aware(when)
    seconds = abs(age.total_seconds())
    if seconds < _JUST_NOW:
        return "just now"
    unit, length = next((unit, length) for unit, length in _UNITS if seconds >= length)
    count = int(seconds / length)
    phrase = f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{phrase} ago" if age > timedelta(0) else f"in {phrase}"


def describe_moment(when: datetime, *, humanize: bool) -> str:
    """Return ``when`` as an age, or as a time stamp."""
    return timeago(when) if humanize else str(when)


def by_key(pairs: Iterable[tuple[Any, Any]], key: Callable[[Any], Any] = str) -> dict[Any, list[Any]]:
    """Collect the second of each pair under its first, sorted by it."""
    groups: dict[Any, list[Any]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return {name: groups[name] for name in sorted(groups, key=key)}


def _aware(when: datetime) -> datetime:
    return when.astimezone() if when.tzinfo is None else when
