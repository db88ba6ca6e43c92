"""The most memory that a run had."""

from collections.abc import Mapping
from typing import Any

from trimtab.catalog.values import at, number

__all__ = ["peak_memory"]

KIB = 1024


def peak_memory(result: Mapping[str, Any]) -> float | None:
    """Bytes: of the run's control group, if nobody else was in it; else of its largest process. None: it is not known."""
    group = at(result, "cgroup")
    peak = number(at(group, "memory", "peak")) if at(group, "alone") is True else None
    largest = number(at(result, "usage", "ru_maxrss"))
    return peak if peak is not None else None if largest is None else largest * KIB
