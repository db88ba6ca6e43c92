"""What an inspection showed of its stack, from its documents."""

import statistics
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trimtab.catalog import InspectionState
from trimtab.catalog.values import at, integer
from trimtab.inspection.statistics.hardware import Hardware
from trimtab.inspection.statistics.measures import SEPARATOR, measures
from trimtab.inspection.statistics.memory import peak_memory
from trimtab.stacks import Evidence, Failure, Stack, Verdict
from trimtab.store import InspectionStore, NotFoundError, Report

__all__ = ["evidence_of", "is_transient", "median_of"]

_RESULTS = f"stdout{SEPARATOR}"
_RESULT = f"@result{SEPARATOR}"
_FIGURES = 200
_LONGEST = 1000
_KINDS = {"stack", "script"}


def evidence_of(inspection: InspectionStore, stack: Stack) -> Evidence | None:
    """Read an inspection.

    Args:
        inspection: Which.
        stack: What it inspected.

    Returns:
        What it showed; None: it is not over.

    Raises:
        DocumentError: One of its documents was torn.
        UnavailableError: The store cannot be read.
    """
    try:
        report = inspection.retrieve_report()
    except NotFoundError:
        return None
    results = dict(inspection.results.each(inspection.results.retrieve_result))
    verdict, failure = _verdict(report), _failure(report, stack)
    return Evidence(
        stack,
        verdict,
        inspection.inspection_id,
        failure,
        _figures(results.values()) | _size(report, len(results)) if verdict is Verdict.PASS else {},
        _hardware(inspection, results),
    )


def is_transient(report: Report) -> bool:
    """Whether an inspection that says nothing of its stack may say something when it is made again: not where it met a limit."""
    limits = any(each.get("timed_out") or each.get("oom_killed") for each in report.get("runs", ()))
    return not limits and report["state"] != InspectionState.CANCELLED


def median_of(evidence: Evidence, metric: str) -> float | None:
    """The median of a metric; None: it was not measured."""
    values = evidence.figures.get(metric)
    return statistics.median(values) if values else None


def _verdict(report: Report) -> Verdict:
    if report["state"] == InspectionState.SUCCEEDED:
        return Verdict.PASS
    kind = (report.get("failure") or {}).get("kind")
    over = report["state"] in {InspectionState.FAILED, InspectionState.BUILD_FAILED}
    return Verdict.FAIL if over and kind in _KINDS else Verdict.UNKNOWN


def _failure(report: Report, stack: Stack) -> Failure | None:
    found = report.get("failure")
    if not found:
        return None
    lines = [each.strip() for each in found.get("lines", ()) if each.strip()]
    message = (lines[-1] if lines else found.get("reason", ""))[:_LONGEST]
    phase = "build" if report["state"] == InspectionState.BUILD_FAILED else "run"
    return Failure(found.get("kind", ""), phase, message, _named(message, stack))


def _named(message: str, stack: Stack) -> str | None:
    """The package of a stack that a message names, as a whole word."""
    words = "".join(each if each.isalnum() or each in "-_" else " " for each in message.lower()).split()
    known = {each.replace("_", "-"): None for each in words}
    return next((name for name in known if name in stack.pins), None)


def _figures(results: Iterable[Mapping[str, Any]]) -> dict[str, tuple[float, ...]]:
    found: dict[str, list[float]] = {}
    for result in results:
        for name, value in _measured(result):
            if name in found or len(found) < _FIGURES:
                found.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in found.items()}


def _size(report: Report, runs: int) -> dict[str, tuple[float, ...]]:
    """The bytes of what was built, which are the same in each run."""
    size = integer(at(report, "build", "size"), big=True)
    return {} if size is None or not runs else {"size": (float(size),) * runs}


def _measured(result: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in measures(result).items():
        if name == "duration":
            yield name, value
        elif name.startswith(_RESULTS):
            printed = name.removeprefix(_RESULTS).removeprefix(_RESULT)
            yield f"result.{printed.replace(SEPARATOR, '.')}", value
    memory = peak_memory(result)
    if memory is not None:
        yield "memory", memory


def _hardware(inspection: InspectionStore, results: Mapping[int, Mapping[str, Any]]) -> str | None:
    """The digest of the machines' kind; None: they are of several kinds, or it is not known."""
    found = {Hardware.of(_with_hardware(inspection, item, each)).digest for item, each in results.items()}
    return next(iter(found)) if len(found) == 1 else None


def _with_hardware(inspection: InspectionStore, item: int, result: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(result.get("hwinfo"), Mapping):
        return result
    try:
        return {**result, "hwinfo": inspection.results.retrieve_hwinfo(item)}
    except NotFoundError:
        return result
