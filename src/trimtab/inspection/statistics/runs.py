"""The runs of one inspection: those that count, and those that are left out and why."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from trimtab.inspection.statistics.conditions import conditions
from trimtab.inspection.statistics.hardware import Hardware
from trimtab.inspection.statistics.measures import measures, started

__all__ = ["Documented", "Reading", "Results", "Standing", "readings", "standings"]

Standing = Literal["counted", "failed", "lost", "warm-up"]


@runtime_checkable
class Documented(Protocol):
    """Something with a document, such as a model of it."""

    def to_dict(self) -> Mapping[str, Any]:
        """Return the document."""


Results: TypeAlias = (
    Mapping[int, Mapping[str, Any] | Documented | None] | Iterable[Mapping[str, Any] | Documented | None]
)
"""The result documents of a batch by item, or in order; None for a run that the infrastructure lost."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One run, as far as statistics have a use for it.

    Args:
        item: Its number in the batch.
        standing: Whether it is counted.
        started: Seconds since 1970, if known.
        hardware: What it was on.
        measures: What was measured, by flat name.
        conditions: Under which it was made, as far as its document tells.
    """

    item: int
    standing: Standing
    started: float | None
    hardware: Hardware
    measures: Mapping[str, float]
    conditions: Mapping[str, str] = field(default_factory=dict)


def readings(results: Results) -> list[Reading]:
    """All runs in the order in which they began; in that of their items if one does not tell.

    Raises:
        TypeError: A result is no document.
    """
    numbered = results.items() if isinstance(results, Mapping) else enumerate(results)
    found = [_reading(item, result) for item, result in sorted(numbered, key=lambda each: each[0])]
    timed = [each.started for each in found if each.standing == "counted"]
    if None in timed:
        return found
    return sorted(found, key=lambda each: (each.started or 0.0, each.item))


def standings(found: Iterable[Reading]) -> dict[Standing, int]:
    """How many runs there are of each standing."""
    counts = Counter(each.standing for each in found)
    return {name: counts[name] for name in ("counted", "failed", "lost", "warm-up")}


def _reading(item: int, result: Any) -> Reading:
    document = _document(item, result)
    if document is None:
        return Reading(item, "lost", None, Hardware.of({}), {})
    standing = _standing(document)
    measured = measures(document) if standing == "counted" else {}
    return Reading(item, standing, started(document), Hardware.of(document), measured, conditions(document))


def _document(item: int, result: Any) -> Mapping[str, Any] | None:
    if isinstance(result, Documented):
        result = result.to_dict()
    if result is None or isinstance(result, Mapping):
        return result
    raise TypeError(
        f"the result of run {item} is a {type(result).__name__}: give its document, or None if it was lost"
    )


def _standing(document: Mapping[str, Any]) -> Standing:
    """Warm-up first: whether such a run failed is of no interest here."""
    if document.get("warmup") is True:
        return "warm-up"
    if document.get("lost") or document.get("state") == "lost":
        return "lost"
    code = document.get("exit_code")
    succeeded = isinstance(code, int) and code == 0 and not document.get("timed_out")
    return "counted" if succeeded else "failed"
