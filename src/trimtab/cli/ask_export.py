"""Observations as a table in a file."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.place import USAGE, fail
from trimtab.cli.table_file import File, Format, form_of, write_file

if TYPE_CHECKING:
    from trimtab.frames import Row
    from trimtab.settings import ClientSettings

__all__ = ["export"]

Filters = Mapping[str, Sequence[str] | None]


def export(
    *,
    form: Format = None,
    file: File = None,
    relation: Annotated[
        list[str] | None,
        typer.Option(help="Of this relation alone; may be repeated. By default all but `provides`."),
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Of objects of this kind alone: pypi, deb, …; may be repeated.")
    ] = None,
    server: Annotated[
        str | None, typer.Option(help="URL of a server, instead of this machine's catalog.")
    ] = None,
) -> None:
    """Export observations as a table: a row for each, with its source and how we know it.

    \b
    Examples:
      trimtab ask export --file observations.parquet
      trimtab ask export --relation failed --relation ended --format csv
      trimtab ask export --server https://trimtab.example.com --file observations.parquet
    """  # noqa: D301 # Click's mark
    from trimtab.catalog import CatalogError
    from trimtab.catalog.observations.listing import RELATIONS
    from trimtab.cli.connection import SourceError
    from trimtab.cli.counting import counting
    from trimtab.cli.options import read_settings
    from trimtab.frames import Spool
    from trimtab.settings import ClientSettings

    chosen = form_of(form, file)
    if unknown := set(relation or ()) - set(RELATIONS):
        fail(f"--relation: there is no {min(unknown)!r}; name one of {', '.join(RELATIONS)}", USAGE)
    settings = read_settings(ClientSettings, {"server": server})
    filters = {"relation": relation or None, "kind": kind or None}
    try:
        with counting("observations") as progress, Spool() as spool:
            for row in _there(settings, filters) if settings.server else _here(settings, filters):
                spool.add(row)
                if spool.count % 1000 == 0:
                    progress(spool.count, None)
            write_file(spool, file, chosen)
            count = spool.count
    except (CatalogError, SourceError) as error:
        fail(str(error))
    if file is not None:
        typer.echo(f"{count} rows in {file}", err=True)


def _here(settings: "ClientSettings", filters: Filters) -> "Iterator[Row]":
    from trimtab.builds import observation_rows
    from trimtab.catalog import Database

    with closing(Database(settings.url)) as database:
        yield from observation_rows(database, relations=filters["relation"], kinds=filters["kind"])


def _there(settings: "ClientSettings", filters: Filters) -> "Iterator[Row]":
    from trimtab.builds import observation_row
    from trimtab.cli.connection import connect

    asked: dict[str, Any] = {name: value for name, value in filters.items() if value}
    with connect(str(settings.server), settings.token) as connection:
        while True:
            page = connection.ask("GET", "/api/v1/observations", params=asked)
            yield from map(observation_row, page["items"])
            if page["next"] is None:
                return
            asked["after"] = page["next"]
