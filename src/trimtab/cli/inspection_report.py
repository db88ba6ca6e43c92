"""The report of an inspection, as a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.inspection_copies import Server, library
from trimtab.cli.place import fail

if TYPE_CHECKING:
    from trimtab.inspection.report import Report
    from trimtab.store import InspectionStore

__all__ = ["report", "write_report"]


def report(
    inspection_id: Annotated[str, typer.Argument(help="Id of the inspection.", metavar="INSPECTION")],
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", help="Write the page there, and nothing beside it. [reports/INSPECTION in the home]"
        ),
    ] = None,
    server: Server = None,
) -> None:
    """Write the report of an inspection that is over: one HTML page that needs nothing else."""
    with library(server) as inspections:
        stored = inspections.get(inspection_id)
        if file is None:
            typer.echo(str(write_report(stored, inspections.home / "reports" / inspection_id)))
        else:
            typer.echo(str(_write_page(stored, file)))


def write_report(stored: "InspectionStore", folder: Path) -> Path:
    """Write the page and its data to a folder.

    Returns:
        The page's path.
    """
    from trimtab.inspection import report as reports

    found = _read(stored)
    try:
        return reports.write(found, folder).html
    except OSError as error:
        fail(
            f"the report cannot be written to {folder}: {error.strerror or error}; name another with --report"
        )


def _write_page(stored: "InspectionStore", file: Path) -> Path:
    from trimtab.inspection import report as reports
    from trimtab.pages import write_whole

    page = reports.render(_read(stored))
    try:
        write_whole(file, page)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror or error}; name another with --file")
    return file


def _read(stored: "InspectionStore") -> "Report":
    from trimtab.inspection import report as reports
    from trimtab.store import NotFoundError

    try:
        return reports.read(stored)
    except NotFoundError:
        fail(f"there is no {stored.inspection_id} that is over; see `trimtab inspections list`")
