"""`trimtab inspections`."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from trimtab.cli.inspection_compare import compare
from trimtab.cli.inspection_export import export
from trimtab.cli.inspection_report import report
from trimtab.cli.session_options import Output

if TYPE_CHECKING:
    from trimtab.settings import Settings
    from trimtab.workflows import Place

__all__ = ["app"]

USAGE, FAILURE = 2, 1

app = typer.Typer(
    help="""Inspections of this machine's store and catalog.

    \b
    Examples:
      trimtab inspections list --state failed
      trimtab inspections show inspection-261126221732-0123456789abcdef --output json
      trimtab inspections log inspection-261126221732-0123456789abcdef --run 0
      trimtab inspections resume
    """,  # \b is Click's mark of a paragraph not to be wrapped
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.command()(report)
app.command()(compare)
app.command()(export)

Id = Annotated[str, typer.Argument(help="Id of the inspection.", metavar="INSPECTION")]
Format = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]
Run = Annotated[int | None, typer.Option("--run", min=0, help="Of this run, counted from 0.")]


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="In this state only.")] = None,
    words: Annotated[str | None, typer.Option(help="With these words in the id or identifier.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most this many, the newest.")] = 100,
    output: Format = Output.table,
) -> None:
    """List inspections, the newest first."""
    from trimtab.catalog import InspectionState, Wanted, inspections
    from trimtab.cli.inspection_output import print_document, print_inspections

    if state is not None and state not in set(InspectionState):
        _fail(f"--state: there is no {state!r}; name one of {', '.join(InspectionState)}", USAGE)
    with _place() as place, place.database.read() as connection:
        found = [
            dict(each)
            for each in inspections.listed(connection, Wanted(words=words, state=state), limit=limit)
        ]
    if output is Output.table:
        print_inspections(found)
    else:
        print_document(found, output)


@app.command()
def show(inspection_id: Id, output: Format = Output.table) -> None:
    """Show an inspection: its report, or how far it is."""
    from trimtab.cli.inspection_output import print_report

    with _place() as place:
        found = _report(place, inspection_id)
    print_report(found, output)


@app.command()
def log(inspection_id: Id, run: Run = None) -> None:
    """Print the log of the build, or what a run printed."""
    from trimtab.store import NotFoundError

    with _place() as place:
        stored = place.inspections[inspection_id]
        try:
            if run is None:
                _write(stored.build.stream_log())
                return
            _write(stored.results.stream_log(run))
            result = stored.results.retrieve_result(run)
        except NotFoundError:
            what = "build" if run is None else f"run {run}"
            _fail(f"{inspection_id} has no log of its {what}; see `trimtab inspections show`", FAILURE)
    for name in ("stdout", "stderr"):
        if value := result.get(name):
            typer.echo(value if isinstance(value, str) else _json(value), nl=not str(value).endswith("\n"))


@app.command()
def result(inspection_id: Id, run: Run = None, output: Format = Output.json) -> None:
    """Print the result of a run, or those of all."""
    from trimtab.cli.inspection_output import print_document
    from trimtab.store import NotFoundError

    if output is Output.table:
        _fail("a document is no table; use --output json or yaml, or `trimtab inspections show`", USAGE)
    with _place() as place:
        results = place.inspections[inspection_id].results
        try:
            items = results.items() if run is None else [run]
            found = [results.retrieve_result(item) for item in items]
        except NotFoundError:
            _fail(f"{inspection_id} has no result of run {run}; see `trimtab inspections show`", FAILURE)
    if not found:
        _fail(f"{inspection_id} has no results; see `trimtab inspections list`", FAILURE)
    print_document(found if run is None else found[0], output)


@app.command()
def resume(
    inspection_ids: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of inspections; by default all.", metavar="[INSPECTION]..."),
    ] = None,
    *,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            help="Show the logs of build and runs as they come; what a script prints is in its result.",
        ),
    ] = False,
    output: Format = Output.table,
) -> None:
    """Continue what processes left that were killed; what a living one works on is left to it."""
    from trimtab.cli.inspecting import resume_here
    from trimtab.store.keys import is_name

    for each in inspection_ids or ():
        if not is_name(each):
            _fail(f"{each[:80]!r} is no id of an inspection", USAGE)
    raise typer.Exit(resume_here(_settings(), inspection_ids or (), output, follow=follow))


@app.command()
def delete(
    inspection_ids: Annotated[
        list[str], typer.Argument(help="Ids of the inspections.", metavar="INSPECTION...")
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete inspections, and all that belongs to them. What a process works on is refused."""
    if not yes:
        typer.confirm(f"Delete {', '.join(inspection_ids)}?", abort=True)
    with _place() as place:
        for each in inspection_ids:
            _delete(place, each)
            typer.echo(f"deleted {each}")


def _delete(place: "Place", inspection_id: str) -> None:
    from trimtab.catalog import inspections
    from trimtab.workflows import BusyError, Journal

    stored, journal = place.inspections[inspection_id], Journal(place.work / inspection_id)
    with place.database.read() as connection:
        known = inspections.by_id(connection, inspection_id) is not None
    if not (known or stored.exists() or journal.submission()):
        _fail(f"there is no inspection {inspection_id}; see `trimtab inspections list`", FAILURE)
    try:
        with journal.held():
            if submission := journal.submission():
                asyncio.run(_clean(place, inspection_id, submission.engine))
            stored.delete()
            with place.database.write() as connection:
                inspections.delete(connection, inspection_id)
            journal.remove()
    except BusyError as error:
        _fail(f"{error}; end it first", FAILURE)


async def _clean(place: "Place", inspection_id: str, engine: str) -> None:
    from trimtab.engines import choose

    found, _ = await choose(engine, place.engines)
    await found.clean(inspection_id)


def _report(place: "Place", inspection_id: str) -> dict[str, Any]:
    """The document; of what is under way, or was made by the original, the same from its rows."""
    from trimtab.catalog import inspections
    from trimtab.store import NotFoundError

    try:
        return dict(place.inspections[inspection_id].retrieve_report())
    except NotFoundError:
        with place.database.read() as connection:
            row = inspections.by_id(connection, inspection_id)
            runs = inspections.runs_of(connection, inspection_id)
    if row is None:
        _fail(f"there is no inspection {inspection_id}; see `trimtab inspections list`", FAILURE)
    names = ("item", "attempt", "state", "exit_code", "signal", "timed_out", "oom_killed", "duration")
    return {
        "inspection_id": row["id"],
        "state": row["state"],
        "engine": {"name": row["engine"]},
        "build": row["build"],
        "runs": [{name: each[name] for name in names} for each in runs],
        "failure": {"kind": row["failure_class"], "reason": row["failure_reason"]}
        if row["failure_class"]
        else None,
    }


def _settings() -> "Settings":
    from trimtab.cli.options import read_settings
    from trimtab.settings import Settings

    return read_settings(Settings)


@contextmanager
def _place() -> Iterator["Place"]:
    from trimtab.catalog import CatalogError
    from trimtab.engines import EngineError
    from trimtab.store import InvalidKeyError, StoreError
    from trimtab.workflows import Place

    try:
        with Place.open(_settings()) as place:
            yield place
    except InvalidKeyError as error:
        _fail(str(error), USAGE)
    except (StoreError, CatalogError, EngineError) as error:
        _fail(str(error), FAILURE)


def _write(pieces: Iterator[bytes]) -> None:
    out = typer.get_binary_stream("stdout")
    for piece in pieces:
        out.write(piece)
    out.flush()


def _json(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False)


def _fail(problem: str, code: int) -> NoReturn:
    typer.echo(f"Error: {problem}", err=True)
    raise typer.Exit(code)
