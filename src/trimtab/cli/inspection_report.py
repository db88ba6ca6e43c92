"""The report of an inspection, as a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.place import fail, opened

if TYPE_CHECKING:
    from trimtab.inspection.report import Report
    from trimtab.workflows import Place

__all__ = ["report", "write_report"]


def report(
    inspection_id: Annotated[str, typer.Argument(help="Id of the inspection.", metavar="INSPECTION")],
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", help="Write the page there, and nothing beside it. [reports/INSPECTION in the home]"
        ),
    ] = None,
) -> None:
    """Write the report of an inspection that is over: one HTML page that needs nothing else."""
    with opened() as place:
        if file is None:
            typer.echo(str(write_report(place, inspection_id)))
        else:
            typer.echo(str(_write_page(place, inspection_id, file)))


def write_report(place: "Place", inspection_id: str, folder: Path | None = None) -> Path:
    """Write the page and its data to a folder, by default one of the home directory.

    Returns:
        The page's path.
    """
    from trimtab.inspection import report as reports

    found = _read(place, inspection_id)
    folder = folder or place.home / "reports" / inspection_id
    try:
        return reports.write(found, folder).html
    except OSError as error:
        fail(
            f"the report cannot be written to {folder}: {error.strerror or error}; name another with --report"
        )


def _write_page(place: "Place", inspection_id: str, file: Path) -> Path:
    from trimtab.inspection import report as reports
    from trimtab.pages import write_whole

    page = reports.render(_read(place, inspection_id))
    try:
        write_whole(file, page)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror or error}; name another with --file")
    return file


def _read(place: "Place", inspection_id: str) -> "Report":
    from trimtab.inspection import report as reports
    from trimtab.store import NotFoundError

    stored = place.inspections[inspection_id]
    try:
        return reports.read(stored)
    except NotFoundError:
        fail(f"there is no {inspection_id} that is over; see `trimtab inspections list`")
