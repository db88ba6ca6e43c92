"""Inspections where commands can read their documents: in this machine's store, or as copies of a server's."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from urllib.parse import quote

import typer

from trimtab.cli.place import FAILURE, USAGE, fail

if TYPE_CHECKING:
    from trimtab.catalog import Wanted
    from trimtab.cli.connection import Connection
    from trimtab.cli.inspection_source import Source
    from trimtab.store import Inspections, InspectionStore
    from trimtab.workflows import Place

__all__ = ["Library", "Server", "library"]

PAGE = 1000
SERVED = 100

Server = Annotated[
    str | None, typer.Option(help="URL of a server, instead of this machine's store and catalog.")
]


class Library(Protocol):
    """Inspections that are over, as documents."""

    inspections: "Inspections"
    home: Path

    def get(self, inspection_id: str) -> "InspectionStore":
        """One of them, whether it is there or not."""

    def each(self, ids: Iterable[str]) -> Iterator[str]:
        """The ids, each when its documents can be read; when the next one comes they may be gone."""

    def wanted(self, **filters: str | None) -> Iterator[str]:
        """The ids of those that are over and as is wanted."""


@contextmanager
def library(server: str | None) -> Iterator[Library]:
    """The inspections of a server, or of this machine; what is wrong with either ends the command with a message."""
    from trimtab.catalog import CatalogError
    from trimtab.cli.connection import SourceError, connect
    from trimtab.cli.options import read_settings
    from trimtab.settings import ClientSettings
    from trimtab.store import InvalidKeyError, StoreError
    from trimtab.workflows import Place

    settings = read_settings(ClientSettings, {"server": server})
    try:
        if settings.server:
            with (
                connect(settings.server, settings.token) as connection,
                tempfile.TemporaryDirectory() as name,
            ):
                yield Copies(connection, Path(name), settings.home.expanduser().absolute())
        else:
            with Place.open(settings) as place:
                yield Here(place)
    except InvalidKeyError as error:
        fail(str(error), USAGE)
    except (SourceError, StoreError, CatalogError) as error:
        fail(str(error), FAILURE)


class Here:
    """Those of this machine's store and catalog.

    Args:
        place: Where they are.
    """

    def __init__(self, place: "Place") -> None:
        self._place = place
        self.inspections = place.inspections
        self.home = place.home

    def get(self, inspection_id: str) -> "InspectionStore":
        """One of them."""
        return self.inspections[inspection_id]

    def each(self, ids: Iterable[str]) -> Iterator[str]:
        """The ids."""
        return iter(ids)

    def wanted(self, **filters: str | None) -> Iterator[str]:
        """The ids, state by state, in their order."""
        from trimtab.catalog import TERMINAL, Wanted

        state = filters.pop("state", None)
        for one in sorted(TERMINAL) if state is None else [state]:
            yield from self._all(Wanted(state=one, **filters))

    def _all(self, wanted: "Wanted") -> Iterator[str]:
        after = None
        while page := self._page(wanted, after):
            yield from page
            after = (0.0, page[-1])

    def _page(self, wanted: "Wanted", after: tuple[float, str] | None) -> list[str]:
        from trimtab.catalog import inspections

        with self._place.database.read() as connection:
            return inspections.ids(connection, wanted, after=after, limit=PAGE)


class Copies:
    """Those of a server, copied document by document when they are wanted.

    Args:
        connection: To the server.
        folder: Where to.
        home: Of what the commands keep.
    """

    def __init__(self, connection: "Connection", folder: Path, home: Path) -> None:
        from trimtab.cli.inspection_source import Remote
        from trimtab.store import Inspections, Store

        self._connection = connection
        self._source: Source = Remote(connection)
        self.inspections = Inspections(Store.open(str(folder)), None)
        self.home = home

    def get(self, inspection_id: str) -> "InspectionStore":
        """A copy; one that is not over is not copied."""
        return self._copied(inspection_id, texts=True)

    def each(self, ids: Iterable[str]) -> Iterator[str]:
        """The ids, each with a copy until the next one comes, without the texts of its build; some are copied ahead."""
        from trimtab.cli.inspection_source import AT_ONCE
        from trimtab.store.ahead import ahead

        for each, copy in ahead(self._copied, ids, AT_ONCE):
            yield each
            copy.delete()

    def wanted(self, **filters: str | None) -> Iterator[str]:
        """The ids, the newest first; all are asked for before the first is read, so that new ones shift none."""
        from trimtab.catalog import TERMINAL

        rows = list(self._rows({name: value for name, value in filters.items() if value is not None}))
        return iter(dict.fromkeys(row["id"] for row in rows if row["state"] in TERMINAL))

    def _rows(self, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        page, rows = 1, self._page(filters, 1)
        while rows:
            yield from rows
            page += 1
            rows = self._page(filters, page) if len(rows) == SERVED else []

    def _page(self, filters: dict[str, Any], page: int) -> Sequence[dict[str, Any]]:
        params = {**filters, "page": page, "limit": SERVED}
        found: Sequence[dict[str, Any]] = self._connection.ask("GET", "/api/v1/inspections", params=params)[
            "inspections"
        ]
        return found

    def _copied(self, inspection_id: str, *, texts: bool = False) -> "InspectionStore":
        from trimtab.catalog import TERMINAL

        copy = self.inspections[inspection_id]
        report: Any = self._source.report(inspection_id)
        if report.get("state") in TERMINAL:
            if texts:
                self._copy_texts(copy)
            self._copy_runs(copy, report)
            copy.conclude(self._source.specification(inspection_id), report)
        return copy

    def _copy_texts(self, copy: "InspectionStore") -> None:
        log, text = (
            self._text(copy.inspection_id, *path)
            for path in (("build/log", "log"), ("containerfile", "containerfile"))
        )
        copy.build.store_build(log.encode("utf-8", "replace"), text)

    def _copy_runs(self, copy: "InspectionStore", report: dict[str, Any]) -> None:
        from trimtab.cli.inspection_source import AT_ONCE
        from trimtab.store.ahead import ahead

        items = {each["item"] for each in report.get("runs") or () if each["state"] != "lost"}
        results = ahead(partial(self._source.results, copy.inspection_id), sorted(items), AT_ONCE)
        for item, (result,) in results:
            copy.results.store_run(item, result)

    def _text(self, inspection_id: str, path: str, member: str) -> str:
        """A text of the server's; empty if it has none, as of what could not be built."""
        from trimtab.cli.connection import LostError, SourceError

        address = f"/api/v1/inspect/{quote(inspection_id, safe='')}/{path}"
        try:
            return str(self._connection.ask("GET", address)[member])
        except LostError:
            raise
        except SourceError:
            return ""
