"""What an inspection's report tells of its runs, whoever wrote it."""

from collections.abc import Mapping
from typing import Any

from trimtab.catalog.values import at, integer

__all__ = ["attempts"]


def attempts(report: Mapping[str, Any]) -> dict[int, list[Mapping[str, Any]]]:
    """What the report tells of each run, by item, in the order of the attempts."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    told = report.get("runs")
    for each in told if isinstance(told, list) else ():
        if (item := integer(at(each, "item"))) is not None:
            found.setdefault(item, []).append(each)
    return {
        item: sorted(each, key=lambda one: integer(one.get("attempt")) or 1)
        for item, each in sorted(found.items())
    }
