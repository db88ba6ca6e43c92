"""`trimtab inspections`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from trimtab.cli.application import application
from trimtab.cli.inspection_compare import compare
from trimtab.cli.inspection_export import export
from trimtab.cli.inspection_report import report
from trimtab.cli.json_text import json_text
from trimtab.cli.session_options import Output

if TYPE_CHECKING:
    from trimtab.cli.inspection_source import Source
    from trimtab.settings import ClientSettings

__all__ = ["app"]

USAGE, FAILURE = 2, 1

app = application(
    """Inspections of this machine's store and catalog, or of a server.

    A server is named by --server or TRIMTAB_SERVER; its token is read from TRIMTAB_TOKEN.

    \b
    Examples:
      trimtab inspections list --state failed
      trimtab inspections show inspection-261126221732-0123456789abcdef --output json
      trimtab inspections log inspection-261126221732-0123456789abcdef --run 0
      trimtab inspections compare inspection-261126221732-0123456789abcdef inspection-261126223001-89abcdef01234567
      trimtab inspections export --file runs.parquet
      trimtab inspections list --server https://trimtab.example.com
    """,  # \b is Click's mark of a paragraph not to be wrapped
)

Id = Annotated[str, typer.Argument(help="Id of the inspection.", metavar="INSPECTION")]
Format = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]
Server = Annotated[
    str | None, typer.Option(help="URL of a server, instead of this machine's store and catalog.")
]
Run = Annotated[int | None, typer.Option("--run", min=0, help="Of this run, counted from 0.")]


@app.command("list")
def list_(
    *,
    state: Annotated[str | None, typer.Option(help="In this state only.")] = None,
    words: Annotated[str | None, typer.Option(help="With these words in the id or identifier.")] = None,
    base: Annotated[str | None, typer.Option(help="On this base image.")] = None,
    package: Annotated[
        str | None, typer.Option(help="With this package in the stack, such as numpy==1.26.4.")
    ] = None,
    hardware: Annotated[
        str | None, typer.Option(help="With a run on such a machine: a part of the processor's brand.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most this many, the newest.")] = 100,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """List inspections, the newest first."""
    from trimtab.catalog import InspectionState
    from trimtab.cli.inspection_output import print_document, print_inspections

    if state is not None and state not in set(InspectionState):
        _fail(f"--state: there is no {state!r}; name one of {', '.join(InspectionState)}", USAGE)
    wanted = {"state": state, "words": words, "base": base, "package": package, "hardware": hardware}
    with _source(server) as source:
        found = source.list(limit=limit, **wanted)
    if output is Output.table:
        print_inspections(found)
    else:
        print_document(found, output)


@app.command()
def show(inspection_id: Id, output: Format = Output.table, server: Server = None) -> None:
    """Show an inspection: its report, or how far it is."""
    from trimtab.cli.inspection_output import print_report

    with _source(server) as source:
        found = source.report(inspection_id)
    print_report(found, output)


@app.command()
def log(
    inspection_id: Id,
    *,
    run: Run = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until the build, or the run, is done.")
    ] = False,
    server: Server = None,
) -> None:
    """Print the log of the build, or what a run printed."""
    with _source(server) as source:
        if follow:
            _write(source.tail(inspection_id, run))
        if follow and run is None:
            return
        if run is None:
            _write(source.build_log(inspection_id))
            return
        if not follow:
            _write(source.run_log(inspection_id, run))
        result = source.results(inspection_id, run)[0]
    for name in ("stdout", "stderr"):
        if value := result.get(name):
            text = value if isinstance(value, str) else json_text(value)
            # A half surrogate, which JSON may hold, is no character that could be printed.
            _write(iter([text.removesuffix("\n").encode("utf-8", "backslashreplace"), b"\n"]))


@app.command()
def result(inspection_id: Id, run: Run = None, output: Format = Output.json, server: Server = None) -> None:
    """Print the result of a run, or those of all."""
    from trimtab.cli.inspection_output import print_document

    if output is Output.table:
        _fail("a document is no table; use --output json or yaml, or `trimtab inspections show`", USAGE)
    with _source(server) as source:
        found = source.results(inspection_id, run)
    if not found:
        _fail(f"{inspection_id} has no results; see `trimtab inspections list`", FAILURE)
    print_document(found if run is None else found[0], output)


@app.command()
def cancel(
    inspection_ids: Annotated[
        list[str], typer.Argument(help="Ids of the inspections.", metavar="INSPECTION...")
    ],
    *,
    server: Server = None,
) -> None:
    """End inspections early: what runs is ended, what is done stays."""
    with _source(server) as source:
        for each in inspection_ids:
            source.cancel(each)
            typer.echo(f"cancelled {each}")


@app.command()
def retry(inspection_id: Id, output: Format = Output.table, server: Server = None) -> None:
    """Make a new inspection of what another was asked for, and report; that one stays as it is."""
    from trimtab.cli.inspection_retry import retry_inspection

    settings = _settings(server)
    with _problems():
        raise typer.Exit(retry_inspection(settings, inspection_id, output))


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
    server: Server = None,
) -> None:
    """Delete inspections, and all that belongs to them. What is under way is refused."""
    if not yes:
        typer.confirm(f"Delete {', '.join(inspection_ids)}?", abort=True)
    with _source(server) as source:
        for each in inspection_ids:
            source.delete(each)
            typer.echo(f"deleted {each}")


app.command()(report)
app.command()(compare)
app.command()(export)


def _settings(server: str | None = None) -> "ClientSettings":
    from trimtab.cli.options import read_settings
    from trimtab.settings import ClientSettings

    return read_settings(ClientSettings, {"server": server})


@contextmanager
def _source(server: str | None) -> Iterator["Source"]:
    from trimtab.cli.inspection_source import open_source

    with _problems(), open_source(_settings(server)) as source:
        yield source


@contextmanager
def _problems() -> Iterator[None]:
    from trimtab.cli.connection import SourceError

    try:
        yield
    except SourceError as error:
        _fail(str(error), FAILURE)


def _write(pieces: Iterator[bytes]) -> None:
    out = typer.get_binary_stream("stdout")
    for piece in pieces:
        out.write(piece)
        out.flush()


def _fail(problem: str, code: int) -> NoReturn:
    typer.echo(f"Error: {problem}", err=True)
    raise typer.Exit(code)
