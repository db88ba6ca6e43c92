"""The runs of a report: of each attempt how it ended, and what it took."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trimtab.catalog.values import at, integer, moment, number
from trimtab.inspection.attempts import attempts
from trimtab.inspection.report.model import Run
from trimtab.inspection.statistics.measures import measures
from trimtab.inspection.statistics.memory import peak_memory
from trimtab.inspection.statistics.runs import Reading

__all__ = ["runs"]


def runs(
    results: Mapping[int, Mapping[str, Any]],
    report: Mapping[str, Any],
    taken: Sequence[Reading],
    primary: str | None,
) -> tuple[Run, ...]:
    """All attempts of all runs.

    Args:
        results: By item.
        report: How the inspection ended.
        taken: What statistics have read of the results.
        primary: The measure that the report is about.
    """
    read = {each.item: each for each in taken if each.item in results}
    return tuple(_runs(results, attempts(report), read, primary))


def _runs(
    results: Mapping[int, Mapping[str, Any]],
    told: Mapping[int, list[Mapping[str, Any]]],
    read: Mapping[int, Reading],
    primary: str | None,
) -> Iterator[Run]:
    for item in sorted({*results, *told}):
        *lost, last = told.get(item) or [{}]
        yield from (_run(item, {}, each, None, None) for each in lost)
        yield _run(item, results.get(item, {}), last, read.get(item), primary)


def _run(
    item: int,
    result: Mapping[str, Any],
    told: Mapping[str, Any],
    taken: Reading | None,
    primary: str | None,
) -> Run:
    # Of a run that is not counted statistics read no figures.
    measured = (taken and taken.measures) or measures(result)
    state = str(told.get("state") or _state(result))
    user, system = (number(at(result, "usage", name)) for name in ("ru_utime", "ru_stime"))
    return Run(
        item=item,
        attempt=integer(told.get("attempt")) or 1,
        state=state,
        ending=_ending(result, told),
        seconds=measured.get("duration", _seconds(told)),
        cpu=None if user is None or system is None else user + system,
        system=system,
        memory=peak_memory(result),
        value=measured.get(primary) if primary and state == "succeeded" else None,
        machine=str(taken.hardware) if taken else "",
        notes=tuple(_notes(result, told)),
    )


def _state(result: Mapping[str, Any]) -> str:
    return "succeeded" if result.get("exit_code") == 0 and not result.get("timed_out") else "failed"


def _ending(result: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    if lost := told.get("lost"):
        return str(lost)
    parts = [str(reason)] if (reason := at(told, "failure", "reason")) else []
    code = integer(result.get("exit_code", told.get("exit_code")))
    if not parts and code:
        parts.append(f"signal {-code}" if code < 0 else f"exit code {code}")
    if not parts and result.get("timed_out"):
        parts.append("it took too long")
    return "; ".join(parts)


def _seconds(told: Mapping[str, Any]) -> float | None:
    started, ended = (moment(told.get(name)) for name in ("started", "ended"))
    return None if started is None or ended is None else max(0.0, ended - started)


def _notes(result: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[str]:
    for document in (told, result):
        found = document.get("notes")
        yield from map(str, found if isinstance(found, list) else ())
