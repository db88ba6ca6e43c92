"""`trimtab store`."""

from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.application import application
from trimtab.cli.place import FAILURE, opened
from trimtab.cli.session_options import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trimtab.store import Finding
    from trimtab.workflows import Place

__all__ = ["app"]

app = application(
    """The documents and logs of inspections and builds.

    \b
    Examples:
      trimtab store check
      trimtab store check --output json
    """,  # \b is Click's mark of a paragraph not to be wrapped
)


@app.callback()
def _group() -> None:
    """The documents and logs of inspections and builds."""


@app.command()
def check(
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.table,
) -> None:
    """Look for what is torn, missing or orphaned, and say how to mend it. Nothing is changed.

    Every document is read, logs are not. Exit codes: 0 all is well; 1 something was found, or the store cannot be read.
    """
    from trimtab.cli.counting import counting
    from trimtab.store import check as checked

    with opened() as place, counting("inspections looked at") as progress:
        stored = place.inspections
        found = list(checked(stored.store, stored.deployment, active=_active(place), progress=progress))
    _print(found, output)
    if found:
        raise typer.Exit(FAILURE)


def _active(place: "Place") -> "Callable[[str], bool]":
    """Whether an inspection is under way: a process holds it here, or the catalog has it and its work is elsewhere."""
    from trimtab.catalog import TERMINAL, inspections
    from trimtab.workflows import Journal

    def active(inspection_id: str) -> bool:
        journal = Journal(place.work / inspection_id)
        if journal.submission() is not None:
            return not journal.is_free()
        with place.database.read() as connection:
            row = inspections.by_id(connection, inspection_id)
        return row is not None and row["state"] not in TERMINAL

    return active


def _print(found: "Sequence[Finding]", output: Output) -> None:
    from dataclasses import asdict

    from trimtab.cli.inspection_output import print_document

    if output is not Output.table:
        print_document([asdict(each) for each in found], output)
        return
    if not found:
        typer.echo("All is well.")
    for each in found:
        typer.echo(f"{each.kind:8}  {each.key}\n          {each.problem}\n          remedy: {each.remedy}")
