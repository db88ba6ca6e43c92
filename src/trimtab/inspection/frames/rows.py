"""Rows of inspections: read from their documents, one inspection at a time.

Sources of the columns: amun.md 12.2. An inspection that cannot be read stops no other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from loguru import logger

from trimtab.catalog.stacks import packages_of, stack_digest
from trimtab.catalog.values import at, moment
from trimtab.frames.cell import Row, plain
from trimtab.inspection.attempts import attempts
from trimtab.inspection.frames.batch import inspection_row
from trimtab.inspection.frames.flat import SEPARATOR, flat
from trimtab.inspection.statistics.hardware import Hardware
from trimtab.inspection.statistics.measures import measures
from trimtab.store import Inspections, InspectionStore, NotFoundError, StoreError, UnavailableError
from trimtab.store.loader import load_inspections

__all__ = ["Per", "Refused", "Run", "rows"]

Per: TypeAlias = Literal["run", "inspection"]
Refused: TypeAlias = Callable[[str, StoreError], None]
"""Told which inspection cannot be read, and why."""

Attempts: TypeAlias = Mapping[int, list[Mapping[str, Any]]]

LOST = "lost"


@dataclass(frozen=True, slots=True)
class Run:
    """A run as a row, and what of it was measured."""

    row: Row
    measured: Mapping[str, float]
    state: str


def rows(
    inspections: Inspections,
    *,
    ids: Iterable[str] | None = None,
    per: Per = "run",
    refused: Refused | None = None,
) -> Iterator[Row]:
    """Rows of inspections that are over.

    Args:
        inspections: Where they are, ours or the original's.
        ids: Which; by default all that may be read.
        per: Of what there is a row each.
        refused: Told which cannot be read; by default the log is.

    Raises:
        UnavailableError: The store cannot be read.
    """
    for inspection_id in inspections.iter_inspections() if ids is None else ids:
        try:
            found = list(_rows(inspections, inspection_id, per))
        except UnavailableError:
            raise
        except StoreError as error:
            (refused or _log)(inspection_id, error)
        else:
            yield from found


def _log(inspection_id: str, error: StoreError) -> None:
    logger.warning("{} is left out: {}", inspection_id, error)


def _rows(inspections: Inspections, inspection_id: str, per: Per) -> Iterator[Row]:
    files: tuple[Any, ...] = ("results", "hardware_info", "specification")
    loaded = dict(load_inspections(inspections, ids=[inspection_id], files=files))[inspection_id]
    report = _report(inspections[inspection_id])
    common = _common(inspection_id, loaded["specification"], report, loaded["results"])
    told = attempts(report)
    runs = [_run(each, common, told) for each in loaded["results"]]
    runs += _lost(common, told, {run.row["run"] for run in runs})
    if per == "run":
        yield from (run.row for run in runs)
    else:
        yield inspection_row(common, runs)


def _report(inspection: InspectionStore) -> Mapping[str, Any]:
    try:
        return inspection.retrieve_report()
    except NotFoundError:
        return {}


def _common(
    inspection_id: str,
    specification: Mapping[str, Any],
    report: Mapping[str, Any],
    results: list[dict[str, Any]],
) -> Row:
    """What all rows of an inspection have."""
    from trimtab.catalog.inspection_rows import inspection_values

    values = inspection_values(inspection_id, specification, report, [each["result"] for each in results])
    found = {
        "inspection_document_id": inspection_id,
        "identifier": values["identifier"],
        "inspection_state": values["state"],
        "inspection_failure": at(report, "failure", "kind"),
        "engine": values["engine"],
        "specification_base": specification.get("base"),
        "batch_size": values["batch_size"],
        "specification_run_cpu": at(specification, "run", "requests", "cpu"),
        "specification_run_memory": at(specification, "run", "requests", "memory"),
        "build_seconds": at(report, "build", "seconds"),
        "build_digest": at(report, "build", "digest"),
    }
    locked = packages_of(specification)
    packages: Row = {f"package{SEPARATOR}{each.name}": plain(each.version) for each in locked}
    if locked:
        packages["stack"] = stack_digest(locked)
    return {name: plain(value) for name, value in found.items() if value is not None} | packages


def _run(loaded: Mapping[str, Any], common: Row, told: Attempts) -> Run:
    result = loaded["result"]
    document = {**result, "hwinfo": result.get("hwinfo") or loaded.get("hwinfo")}
    measured = measures(document)
    state = _state(result, told)
    hardware = Hardware.of(document)
    own: dict[str, Any] = {
        "run": result["run"],
        "run_state": state,
        "hardware": hardware.digest,
        "hardware_name": str(hardware) if hardware.is_known else None,
        "duration": measured.get("duration"),
    }
    known = {name: plain(value) for name, value in own.items() if value is not None}
    return Run(common | known | _timed(flat(document) | known | common), measured, state)


def _timed(row: Row) -> Row:
    """The same with times where the document has texts of them."""
    for name in ("start_datetime", "end_datetime", "datetime"):
        if (seconds := moment(row.get(name))) is not None:
            row[name] = time_of(seconds)
    return row


def time_of(seconds: float) -> Any:
    """Seconds since 1970 as a time, in UTC."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC)


def _state(result: Mapping[str, Any], told: Attempts) -> str:
    """How a run ended, as the report says of its last attempt; of the original's by the exit code."""
    if known := told.get(result["run"]):
        return str(known[-1].get("state"))
    return "succeeded" if result.get("exit_code") == 0 and not result.get("timed_out") else "failed"


def _lost(common: Row, told: Attempts, known: set[Any]) -> Iterator[Run]:
    """Runs that left nothing, because the infrastructure lost them."""
    for item, (*_, last) in told.items():
        if item not in known:
            own: Row = {"run": item, "run_state": LOST, "lost": plain(last.get("lost"))}
            yield Run(common | own, {}, LOST)
