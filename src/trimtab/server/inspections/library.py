"""What a caller may read of inspections: lists from the catalog, documents from the store."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from starlette.exceptions import HTTPException

from trimtab.catalog import TERMINAL, Wanted
from trimtab.catalog import inspections as catalog
from trimtab.catalog.inspection_report import report_of
from trimtab.server.caller import Caller
from trimtab.server.inspections.models import Selection
from trimtab.store import InspectionStore, InvalidKeyError, NotFoundError, engine_of
from trimtab.workflows import Place

__all__ = ["Found", "Library", "missing"]


@dataclass(frozen=True, slots=True)
class Found:
    """One inspection.

    Attributes:
        stored: Its documents.
        row: What the catalog has of it; None for one that is in the store alone, as those of the original are before
            `trimtab catalog rebuild`.
    """

    stored: InspectionStore
    row: catalog.Row | None

    @property
    def id(self) -> str:
        """Its id."""
        return self.stored.inspection_id

    @property
    def state(self) -> str:
        """In which state it is, or `unknown`."""
        return "unknown" if self.row is None else str(self.row["state"])

    @property
    def over(self) -> bool:
        """Whether it has ended; what is in the store alone has."""
        return self.row is None or self.state in TERMINAL


class Library:
    """The inspections of a place, as a caller may see them.

    Args:
        place: Where they are.
    """

    def __init__(self, place: Place) -> None:
        self.place = place

    def find(self, caller: Caller, inspection_id: str) -> Found:
        """An inspection that this caller may see.

        Raises:
            HTTPException: There is none such (404), or it is somebody else's, which is answered in the same way.
        """
        found = self.look(caller, inspection_id)
        if found is None:
            raise HTTPException(404, f"No inspection {inspection_id[:200]!r} found")
        return found

    def look(self, caller: Caller, inspection_id: str) -> Found | None:
        """The same; None if there is none such."""
        try:
            stored = self.place.inspections[inspection_id]
        except InvalidKeyError:
            return None
        with self.place.database.read() as connection:
            row = catalog.by_id(connection, inspection_id)
        if row is not None:
            return Found(stored, row) if caller.sees(row["owner"]) else None
        return Found(stored, None) if caller.owner is None and stored.exists() else None

    def ids(self, caller: Caller, asked: Selection) -> list[str]:
        """The ids that are wanted, in their order."""
        offset, limit = asked.bounds()
        with self.place.database.read() as connection:
            return catalog.ids(connection, _own(caller, asked), offset=offset, limit=limit)

    def rows(self, caller: Caller, asked: Selection) -> list[dict[str, Any]]:
        """What is wanted, the newest first."""
        offset, limit = asked.bounds()
        with self.place.database.read() as connection:
            found = catalog.listed(connection, _own(caller, asked), offset=offset, limit=limit)
            return [catalog.shown(each) for each in found]

    def specification(self, found: Found) -> dict[str, Any]:
        """What was asked for, also of what is not over."""
        with self.place.database.read() as connection:
            known = catalog.specification(connection, found.id)
        if known is not None:
            return known
        with missing(f"No specification for inspection {found.id!r} found"):
            return found.stored.retrieve_specification()

    def report(self, found: Found) -> dict[str, Any]:
        """How it ended, or how it stands."""
        report = report_of(self.place.database, found.stored)
        return {"inspection_id": found.id, "state": found.state} if report is None else report

    def engine(self, found: Found) -> str | None:
        """Name of the engine that made it; None: nothing tells."""
        return engine_of(self.report(found))

    def containerfile(self, found: Found) -> str:
        """What is built, also before it is."""
        from trimtab.inspection import Specification, containerfile

        try:
            return found.stored.build.retrieve_dockerfile()
        except NotFoundError:
            return containerfile(Specification.load(self.specification(found), stored=True))

    def results(self, found: Found) -> dict[int, Any]:
        """The results of its runs by item, each read when it is its turn; None for one that was lost."""
        items = found.stored.results.items()
        batch = 0 if found.row is None or not found.over else self._made(found)
        lost: dict[int, Any] = dict.fromkeys(range(batch))
        read = _Reading(found.stored, items)
        return lost | {item: _Stored(read, item) for item in items}

    def _made(self, found: Found) -> int:
        with self.place.database.read() as connection:
            return 1 + max((each["item"] for each in catalog.runs_of(connection, found.id)), default=-1)

    def delete(self, found: Found) -> None:
        """Delete all of it: documents first, for rows can be made of them again."""
        found.stored.delete()
        with self.place.database.write() as connection:
            catalog.delete(connection, found.id)


class _Reading:
    """Reads results in their order, some ahead; what is wanted in another order is read by itself."""

    def __init__(self, stored: InspectionStore, items: Sequence[int]) -> None:
        self._results = stored.results
        self._coming = stored.results.each(stored.results.retrieve_result, items)

    def take(self, item: int) -> Mapping[str, Any]:
        coming, result = next(self._coming, (None, {}))
        return result if coming == item else self._results.retrieve_result(item)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A result that is read when it is wanted, so that not all of a batch are in memory."""

    reading: _Reading
    item: int

    def to_dict(self) -> Mapping[str, Any]:
        """The document."""
        return self.reading.take(self.item)


def _own(caller: Caller, asked: Selection) -> Wanted:
    return replace(asked.wanted(), owner=caller.owner)


@contextmanager
def missing(words: str) -> Iterator[None]:
    """Answer 404 with these words if the store has not what is asked for."""
    try:
        yield
    except LookupError:  # of store and workers
        raise HTTPException(404, words) from None
