"""Where the `inspections` commands find inspections: in this machine's store and catalog, or at a server."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from trimtab.cli.connection import Connection, LostError, SourceError, here_or_there

if TYPE_CHECKING:
    from trimtab.settings import ClientSettings
    from trimtab.workflows import Place

__all__ = ["AT_ONCE", "Local", "Remote", "Source", "open_source"]

LOOK = 0.5  # seconds between two looks at a log that grows here
WAIT = 20.0  # that a server may take to answer while there is nothing new
PATIENCE = 300.0  # that a server may be away
AT_ONCE = 4  # documents that a server is asked for at the same time


class Source(Protocol):
    """What can be done with inspections, wherever they are. What fails is raised as SourceError."""

    def list(self, *, limit: int, **wanted: str | None) -> Sequence[Mapping[str, Any]]:
        """Return the newest inspections."""

    def report(self, inspection_id: str) -> dict[str, Any]:
        """Return how one ended, or how it stands."""

    def build_log(self, inspection_id: str) -> Iterator[bytes]:
        """Return what the builder printed."""

    def run_log(self, inspection_id: str, item: int) -> Iterator[bytes]:
        """Return what a run printed beside its result."""

    def tail(
        self, inspection_id: str, item: int | None = None, attempt: int | None = None
    ) -> Iterator[bytes]:
        """Return what the build, or a run, printed, as it comes, up to its end."""

    def results(self, inspection_id: str, item: int | None) -> Sequence[dict[str, Any]]:
        """Return the result of a run, or those of all."""

    def specification(self, inspection_id: str) -> dict[str, Any]:
        """Return what was asked for."""

    def cancel(self, inspection_id: str) -> None:
        """End one early."""

    def delete(self, inspection_id: str) -> None:
        """Delete one, and all that belongs to it."""


def open_source(settings: "ClientSettings") -> AbstractContextManager[Source]:
    """The source that is asked for."""
    return here_or_there(settings, _local, Remote)


@contextmanager
def _local(settings: "ClientSettings") -> Iterator["Local"]:
    from trimtab.catalog import CatalogError
    from trimtab.engines import EngineError
    from trimtab.store import StoreError
    from trimtab.workflows import BusyError, EndedError, Place

    try:
        with Place.open(settings) as place:
            yield Local(place)
    except (BusyError, EndedError) as error:
        raise SourceError(f"{error}; end it there") from error
    except (StoreError, CatalogError, EngineError) as error:
        raise SourceError(str(error)) from error


class Local:
    """The inspections of this machine's store and catalog.

    Args:
        place: Where they are.
    """

    def __init__(self, place: "Place") -> None:
        self._place = place

    def list(self, *, limit: int, **wanted: str | None) -> Sequence[Mapping[str, Any]]:
        """Return the newest inspections."""
        from trimtab.catalog import Wanted, inspections

        with self._place.database.read() as connection:
            found = inspections.listed(connection, Wanted(**wanted), limit=limit)
            return [inspections.shown(each) for each in found]

    def report(self, inspection_id: str) -> dict[str, Any]:
        """Return how one ended, or how it stands."""
        from trimtab.catalog.inspection_report import report_of

        report = report_of(self._place.database, self._place.inspections[inspection_id])
        if report is None:
            raise _unknown(inspection_id)
        return report

    def build_log(self, inspection_id: str) -> Iterator[bytes]:
        """Return what the builder printed."""
        with _having(f"{inspection_id} has no log of its build"):
            yield from self._place.inspections[inspection_id].build.stream_log()

    def run_log(self, inspection_id: str, item: int) -> Iterator[bytes]:
        """Return what a run printed beside its result."""
        with _having(f"{inspection_id} has no log of its run {item}"):
            yield from self._place.inspections[inspection_id].results.stream_log(item)

    def tail(
        self, inspection_id: str, item: int | None = None, attempt: int | None = None
    ) -> Iterator[bytes]:
        """Return what the build, or a run, printed, as it comes, up to its end."""
        from trimtab.workflows.logs import piece

        start, over = 0, False
        self.report(inspection_id)  # it is there
        with _having(f"{inspection_id} has no such log"):
            while not over:
                found = piece(self._place, inspection_id, item, start=start, attempt=attempt)
                yield found.text.encode()
                if not found.text and not found.over:
                    time.sleep(LOOK)
                start, over = found.end, found.over

    def results(self, inspection_id: str, item: int | None) -> Sequence[dict[str, Any]]:
        """Return the result of a run, or those of all."""
        results = self._place.inspections[inspection_id].results
        with _having(f"{inspection_id} has no result of run {item}"):
            return list(results) if item is None else [results.retrieve_result(item)]

    def specification(self, inspection_id: str) -> dict[str, Any]:
        """Return what was asked for."""
        from trimtab.catalog import inspections

        with self._place.database.read() as connection:
            found = inspections.specification(connection, inspection_id)
        if found is not None:
            return found
        with _having(f"there is no inspection {inspection_id}"):
            return self._place.inspections[inspection_id].retrieve_specification()

    def cancel(self, inspection_id: str) -> None:
        """End one early, whoever makes it; also one that a killed process left."""
        from trimtab.catalog import TERMINAL

        state = self.report(inspection_id)["state"]
        if state in TERMINAL:
            raise SourceError(f"{inspection_id} is over: {state}")
        if not asyncio.run(self._cancel(inspection_id)):
            raise _unknown(inspection_id)

    def delete(self, inspection_id: str) -> None:
        """Delete one, and all that belongs to it; what a process works on is refused."""
        from trimtab.catalog import inspections, submissions
        from trimtab.workflows import Journal

        stored, journal = (
            self._place.inspections[inspection_id],
            Journal(self._place.work / inspection_id),
        )
        with self._place.database.read() as connection:
            known = inspections.by_id(connection, inspection_id) is not None
            queued = submissions.by_id(connection, inspection_id) is not None
        if queued:
            raise SourceError(f"{inspection_id} is in a server's queue, or under way there; cancel it first")
        if not (known or stored.exists() or journal.submission()):
            raise _unknown(inspection_id)
        with journal.held():
            if submission := journal.submission():
                asyncio.run(self._clean(inspection_id, submission.engine))
            stored.delete()
            with self._place.database.write() as connection:
                inspections.delete(connection, inspection_id)
            journal.remove()

    async def _cancel(self, inspection_id: str) -> bool:
        from trimtab.catalog import InspectionState
        from trimtab.engines import choose
        from trimtab.workflows import Course, Inspecting, Journal
        from trimtab.workflows.work import Work

        async with Inspecting.alone(self._place, works=False) as inspecting:
            if await inspecting.cancel(inspection_id):
                return True
        journal = Journal(self._place.work / inspection_id)
        with journal.held():
            if (submission := journal.submission()) is None:
                return False
            engine, capabilities = await choose(submission.engine, self._place.engines)
            course = Course(Work(self._place, engine, journal, submission), capabilities)
            await course.break_off(InspectionState.CANCELLED)
        return True

    async def _clean(self, inspection_id: str, engine: str) -> None:
        from trimtab.engines import choose

        found, _ = await choose(engine, self._place.engines)
        await found.clean(inspection_id)


class Remote:
    """The inspections of a server.

    Args:
        connection: To it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, limit: int, **wanted: str | None) -> Sequence[Mapping[str, Any]]:
        """Return the newest inspections."""
        asked = {"limit": min(limit, 100), **wanted}
        params = {name: value for name, value in asked.items() if value is not None}
        found: Sequence[Mapping[str, Any]] = self._connection.ask(
            "GET", "/api/v1/inspections", params=params
        )["inspections"]
        return found

    def submit(self, specification: Mapping[str, Any], *, best_effort: bool) -> str:
        """Submit an inspection, and return its id."""
        params = {"best_effort": best_effort}
        answer = self._connection.ask("POST", "/api/v1/inspect", json=specification, params=params)
        return str(answer["inspection_id"])

    def events(self, inspection_id: str) -> Iterator[dict[str, Any]]:
        """Return what happens to one, as it comes; the stream may be broken off."""
        return self._connection.events(_path(inspection_id, "events"))

    def report(self, inspection_id: str) -> dict[str, Any]:
        """Return how one ended, or how it stands."""
        return self._get(inspection_id, "report")["report"]  # type: ignore[no-any-return] # it is of JSON

    def build_log(self, inspection_id: str) -> Iterator[bytes]:
        """Return what the builder printed."""
        yield self._get(inspection_id, "build/log")["log"].encode("utf-8", "replace")

    def run_log(self, inspection_id: str, item: int) -> Iterator[bytes]:
        """Return what a run printed beside its result."""
        yield self._get(inspection_id, f"job/{item}/log")["log"].encode("utf-8", "replace")

    def tail(
        self, inspection_id: str, item: int | None = None, attempt: int | None = None
    ) -> Iterator[bytes]:
        """Return what the build, or a run, printed, as it comes, up to its end, also where the server is away for a while."""
        names = ("build",) if item is None else ("job", str(item))
        path, lost = _path(inspection_id, *names, "log", "tail"), time.monotonic()
        start, over = 0, False
        while not over:
            params = {"start": start, "timeout": WAIT} | ({} if attempt is None else {"attempt": attempt})
            try:
                found = self._connection.ask("GET", path, params=params)
            except LostError:
                if time.monotonic() - lost > PATIENCE:
                    raise
                time.sleep(LOOK)
                continue
            lost = time.monotonic()
            yield found["log"].encode()
            start, over = found["end"], found["over"]

    def results(self, inspection_id: str, item: int | None) -> Sequence[dict[str, Any]]:
        """Return the result of a run, or those of all."""
        from trimtab.store.ahead import ahead

        items = self._items(inspection_id) if item is None else [item]
        names = [f"job/{each}/result" for each in items]
        return [found["result"] for _, found in ahead(partial(self._get, inspection_id), names, AT_ONCE)]

    def specification(self, inspection_id: str) -> dict[str, Any]:
        """Return what was asked for."""
        return self._get(inspection_id, "specification")["specification"]  # type: ignore[no-any-return] # it is of JSON

    def cancel(self, inspection_id: str) -> None:
        """End one early."""
        self._connection.ask("POST", _path(inspection_id, "cancel"))

    def retry(self, inspection_id: str) -> str:
        """Submit a new one, and return its id."""
        return str(self._connection.ask("POST", _path(inspection_id, "retry"))["inspection_id"])

    def delete(self, inspection_id: str) -> None:
        """Delete one, and all that belongs to it."""
        self._connection.ask("DELETE", _path(inspection_id))

    def _items(self, inspection_id: str) -> Sequence[int]:
        """The runs that left a result."""
        runs = self.report(inspection_id).get("runs") or ()
        return sorted({each["item"] for each in runs if each["state"] != "lost"})

    def _get(self, inspection_id: str, name: str) -> dict[str, Any]:
        return self._connection.ask("GET", _path(inspection_id, name))


def _path(inspection_id: str, *names: str) -> str:
    from trimtab.store.keys import is_name

    if not is_name(inspection_id):
        raise SourceError(f"{inspection_id[:80]!r} is no id of an inspection")
    return "/".join(["/api/v1/inspect", quote(inspection_id, safe=""), *names])


def _unknown(inspection_id: str) -> SourceError:
    return SourceError(f"there is no inspection {inspection_id}; see `trimtab inspections list`")


@contextmanager
def _having(problem: str) -> Iterator[None]:
    from trimtab.store import NotFoundError

    try:
        yield
    except NotFoundError:
        raise SourceError(f"{problem}; see `trimtab inspections show`") from None
