"""Rows once more, from the documents of the store."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.catalog import inspections as catalog
from trimtab.catalog.database import Database
from trimtab.catalog.inspection_filter import Wanted
from trimtab.catalog.recording import Documents, RunDocuments, record
from trimtab.catalog.states import TERMINAL
from trimtab.catalog.values import at, integer
from trimtab.store import DocumentError, Inspections, InspectionStore, NotFoundError, Report, TooLargeError

__all__ = ["Rebuilt", "documents_of", "rebuild"]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did with one inspection.

    Args:
        inspection_id: Which.
        change: `written`; `removed`, for its documents are gone; or `refused`, for they cannot be read.
        reason: Why it was refused.
    """

    inspection_id: str
    change: str
    reason: str = ""


def rebuild(database: Database, inspections: Inspections) -> Iterator[Rebuilt]:
    """Write the rows of all inspections of the store, and delete those whose documents are gone.

    Each inspection is a transaction of its own: one that cannot be read stops nothing, and a rebuild that is broken off
    can be done again. Inspections that are not over have no documents yet; their rows stay.

    Args:
        database: The catalog.
        inspections: Those of the store.

    Yields:
        What was done, inspection by inspection. Whoever stops asking stops the rebuild.

    Raises:
        trimtab.store.UnavailableError: The store cannot be read.
        trimtab.catalog.UnavailableError: The database cannot be used.
    """
    for inspection_id in inspections.begun():
        if (done := _rebuild(database, inspections[inspection_id])) is not None:
            yield done
    for inspection_id in _gone(database, inspections):
        with database.write() as connection:
            catalog.delete(connection, inspection_id)
        yield Rebuilt(inspection_id, "removed")
    with database.write() as connection:
        catalog.prune(connection)


def documents_of(inspection: InspectionStore) -> Documents:
    """What the store has of an inspection that is over.

    Raises:
        NotFoundError: It is not there, or not over.
        DocumentError: One of its documents was torn.
    """
    specification = inspection.retrieve_specification()
    try:
        report: Report | None = inspection.retrieve_report()
    except NotFoundError:
        report = None
    return Documents(inspection.inspection_id, specification, report, tuple(_runs(inspection, report)))


def _rebuild(database: Database, inspection: InspectionStore) -> Rebuilt | None:
    try:
        documents = documents_of(inspection)
    except NotFoundError:
        return None
    except (DocumentError, TooLargeError) as error:
        return Rebuilt(inspection.inspection_id, "refused", str(error))
    with database.write() as connection:
        record(connection, documents)
    return Rebuilt(inspection.inspection_id, "written")


def _runs(inspection: InspectionStore, report: Report | None) -> Iterator[RunDocuments]:
    """Each run of which there is a result, and each that was lost."""
    told = _told(report)
    items = set(inspection.results.items())

    def read(item: int) -> tuple[Any, Any]:
        return (
            (inspection.results.retrieve_result(item), _hwinfo(inspection, item))
            if item in items
            else (None, None)
        )

    for item, (result, hwinfo) in inspection.results.each(read, sorted({*items, *told})):
        *lost, last = told.get(item) or [None]
        yield from (RunDocuments(item, report=each) for each in lost)
        yield RunDocuments(item, result, hwinfo, last)


def _told(report: Report | None) -> dict[int, list[Mapping[str, Any] | None]]:
    """What the report tells of the attempts of each run, in order."""
    found: dict[int, list[Mapping[str, Any] | None]] = {}
    entries = at(report, "runs")
    numbered = [
        (integer(at(each, "item")), integer(at(each, "attempt")) or 1, each) for each in _list(entries)
    ]
    for item, _, each in sorted(numbered, key=lambda entry: entry[1]):
        if item is not None and item >= 0:
            found.setdefault(item, []).append(each)
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _hwinfo(inspection: InspectionStore, item: int) -> dict[str, Any] | None:
    try:
        return inspection.results.retrieve_hwinfo(item)
    except NotFoundError:
        return None


def _gone(database: Database, inspections: Inspections) -> list[str]:
    """The inspections that are over for the catalog, and not there for the store."""
    found = []
    for state in sorted(TERMINAL):
        found += [each for each in _all(database, Wanted(state=state)) if not inspections[each].exists()]
    return found


def _all(database: Database, wanted: Wanted) -> Iterator[str]:
    after = None
    with database.read() as connection:
        while page := catalog.ids(connection, wanted, after=after, limit=1000):
            yield from page
            after = (0.0, page[-1])
