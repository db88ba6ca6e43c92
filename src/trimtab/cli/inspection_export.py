"""Inspections as a table in a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.inspection_copies import Server, library
from trimtab.cli.inspection_filters import Base, Hardware, Package, State, Words, checked
from trimtab.cli.place import fail
from trimtab.cli.table_file import File, Format, form_of, write_file

if TYPE_CHECKING:
    from trimtab.inspection.frames import Spool
    from trimtab.store import Inspections, StoreError

__all__ = ["export"]


class Rows(StrEnum):
    """What there is a row for."""

    run = "run"
    inspection = "inspection"


def export(
    inspection_ids: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of inspections; by default all that are over.", metavar="[INSPECTION]..."),
    ] = None,
    *,
    form: Format = None,
    file: File = None,
    rows: Annotated[Rows, typer.Option(help="What there is a row for.")] = Rows.run,
    state: State = None,
    words: Words = None,
    base: Base = None,
    package: Package = None,
    hardware: Hardware = None,
    server: Server = None,
) -> None:
    """Export inspections that are over as a table: a row for each run, or for each inspection.

    Exit codes: 0 all that was asked for is in the file; 1 some of it cannot be read, or nothing could be written.
    """
    chosen, given = form_of(form, file), inspection_ids or []
    filters = {"state": state, "words": words, "base": base, "package": package, "hardware": hardware}
    checked(given, filters)
    with library(server) as found:
        ids = found.each(dict.fromkeys(given) if given else found.wanted(**filters))
        refused: dict[str, StoreError] = {}
        with _spool(found.inspections, ids, rows, refused) as spool:
            write_file(spool, file, chosen)
            count, left_out = spool.count, len(spool.left_out)
    _tell(count, left_out, refused, file)


@contextmanager
def _spool(
    inspections: "Inspections", ids: Iterator[str], per: Rows, refused: "dict[str, StoreError]"
) -> "Iterator[Spool]":
    from trimtab.inspection.frames import Spool
    from trimtab.inspection.frames import rows as rows_of

    found = rows_of(inspections, ids=ids, per=per.value, refused=refused.__setitem__)
    with Spool.of(found) as spool:
        yield spool


def _tell(count: int, left_out: int, refused: "dict[str, StoreError]", file: Path | None) -> None:
    for name, error in refused.items():
        typer.echo(f"{name} is left out: {error}", err=True)
    if left_out:
        typer.echo(f"{left_out} columns are left out: export fewer inspections at a time", err=True)
    if file is not None:
        typer.echo(f"{count} rows in {file}", err=True)
    if refused:
        fail(f"{len(refused)} inspections cannot be read; see `trimtab store check`")
