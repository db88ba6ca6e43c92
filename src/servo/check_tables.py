"""The tables of check results (reference 1.7): one line per connector, or one per check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from servo.tables import format_table

if TYPE_CHECKING:
    from servo.checks import Check

PASSED, WARNING, FAILED = "√ PASSED", "! WARNING", "X FAILED"
MESSAGE_WIDTH = 70
NOTHING = "-"

Results = Mapping[str, Sequence["Check"]]
"""Checks by the name of their connector."""


def check_table(results: Results, *, verbose: bool = False) -> str:
    """Lay out the results, each check if ``verbose``, else a verdict per connector with its errors."""
    return _verbose(results) if verbose else _normal(results)


def check_records(results: Results) -> list[dict[str, Any]]:
    """Return each check as a JSON object."""
    return [
        {
            "connector": connector,
            "id": check.id,
            "name": check.name,
            "severity": check.severity.name,
            "tags": sorted(check.tags or ()),
            "success": check.success,
            "passed": check.passed,
            "message": check.message,
            "hint": check.hint,
        }
        for connector, check in _each(results)
    ]


def _each(results: Results) -> Iterable[tuple[str, Check]]:
    return ((connector, check) for connector, checks in results.items() for check in checks)


def _normal(results: Results) -> str:
    return format_table(
        [
            (name, PASSED if not _errors(checks) else FAILED, _errors(checks))
            for name, checks in results.items()
        ],
        ("CONNECTOR", "STATUS", "ERRORS"),
    )


def _errors(checks: Sequence[Check]) -> list[str]:
    failed = [check for check in checks if check.failed]
    return [
        f"({number}/{len(failed)}) {check.name}{f': {check.message}' if check.message else ''}"
        for number, check in enumerate(failed, 1)
    ]


def _verbose(results: Results) -> str:
    rows = [
        (
            connector,
            check.name,
            check.id,
            ", ".join(sorted(check.tags)) if check.tags else NOTHING,
            _status(check),
            shorten(check.message, MESSAGE_WIDTH) if check.message else NOTHING,
        )
        for connector, check in _each(results)
    ]
    return format_table(rows, ("CONNECTOR", "CHECK", "ID", "TAGS", "STATUS", "MESSAGE"))


def _status(check: Check) -> str:
    if check.success:
        return PASSED
    return WARNING if check.warning else FAILED
