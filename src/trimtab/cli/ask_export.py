"""Observations as a table in a file."""

from typing import Annotated

import typer

from trimtab.cli.place import USAGE, fail
from trimtab.cli.table_file import File, Format, form_of, write_file

__all__ = ["export"]


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
) -> None:
    """Export this machine's observations as a table: a row for each, with its source and how we know it.

    \b
    Examples:
      trimtab ask export --file observations.parquet
      trimtab ask export --relation failed --relation ended --format csv
    """  # noqa: D301 # Click's mark
    from trimtab.builds import observation_rows
    from trimtab.catalog import CatalogError, Database
    from trimtab.catalog.observations.listing import RELATIONS
    from trimtab.cli.counting import counting
    from trimtab.cli.options import read_settings
    from trimtab.frames import Spool
    from trimtab.settings import Settings

    chosen = form_of(form, file)
    if unknown := set(relation or ()) - set(RELATIONS):
        fail(f"--relation: there is no {min(unknown)!r}; name one of {', '.join(RELATIONS)}", USAGE)
    try:
        database = Database(read_settings(Settings).url)
        try:
            with counting("observations") as progress, Spool() as spool:
                for row in observation_rows(database, relations=relation or None, kinds=kind or None):
                    spool.add(row)
                    if spool.count % 1000 == 0:
                        progress(spool.count, None)
                write_file(spool, file, chosen)
                count = spool.count
        finally:
            database.close()
    except CatalogError as error:
        fail(str(error))
    if file is not None:
        typer.echo(f"{count} rows in {file}", err=True)
