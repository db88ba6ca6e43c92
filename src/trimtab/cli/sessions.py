"""`trimtab sessions`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from trimtab.cli import session_options as options
from trimtab.cli.application import application
from trimtab.cli.json_text import json_text
from trimtab.cli.session_options import Output

if TYPE_CHECKING:
    from trimtab.cli.session_source import Source
    from trimtab.optimizer.session_document import Session
    from trimtab.optimizer.session_spec import SessionSpec

__all__ = ["app"]

USAGE, FAILURE = 2, 1

app = application(
    """Sessions of the optimizer: of this machine's database, or of a server.

    A server is named by --server or TRIMTAB_SERVER; its token is read from TRIMTAB_TOKEN.

    \b
    Examples:
      trimtab sessions list --active
      trimtab sessions show session-261121083000-0123456789abcdef --output json
      trimtab sessions list --server https://trimtab.example.com
    """,  # \b is Click's mark of a paragraph not to be wrapped
)


Id = Annotated[str, typer.Argument(help="Id of the session.", metavar="SESSION")]
Format = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]
Server = Annotated[str | None, typer.Option(help="URL of a server, instead of this machine's database.")]


@app.command("list")
def list_(
    application: Annotated[str | None, typer.Option(help="Of this application only.")] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--over", help="Only those not over, or only those.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most this many, the newest.")] = 100,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """List sessions, the newest first.

    \b
    Examples:
      trimtab sessions list
      trimtab sessions list --application example.com/shop --over --output json
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    with _source(server) as source:
        found = source.list(application=application, active=active, limit=limit)
    if output is Output.table:
        from trimtab.cli.session_tables import print_sessions

        print_sessions(found)
    else:
        _print([each.model_dump(mode="json") for each in found], output)


@app.command()
def show(session_id: Id, output: Format = Output.table, server: Server = None) -> None:
    """Show a session as it stands.

    \b
    Examples:
      trimtab sessions show session-261121083000-0123456789abcdef
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    with _source(server) as source:
        session = source.get(session_id)
    _show(session, output)


@app.command()
def create(
    *,
    application: Annotated[
        str, typer.Option(help="The optimizer id of its agent, such as example.com/shop.")
    ],
    objective: Annotated[str, typer.Option(help="Such as 'maximize throughput / cost'.")],
    slo: options.Slos = None,
    price: options.Prices = None,
    trials: options.Trials = 30,
    time: options.Time = None,
    duration: options.Duration = "60s",
    warmup: options.Warmup = "0s",
    settlement: options.Settlement = "0s",
    strategy: options.Strategy = "gaussian-process",
    seed: options.Seed = 0,
    apply: options.Apply = True,
    warm_start: options.WarmStart = True,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """Create a session; the application's agent is given its first command when it asks next.

    \b
    Example:
      trimtab sessions create --application example.com/shop --objective 'maximize throughput / cost' \\
          --slo 'latency_p99 <= 200ms' --price web.cpu=30 --trials 40 --duration 2m --warmup 20s
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    spec = _spec(
        application=application,
        goal={"objective": objective, "slos": slo or []},
        prices=price or (),
        budget={"trials": trials, "seconds": time},
        control={"duration": duration, "warmup": warmup, "settlement": settlement},
        strategy=strategy,
        seed=seed,
        apply=apply,
        warm_start=warm_start,
    )
    with _source(server) as source:
        session = source.create(spec)
    _show(session, output)


@app.command()
def cancel(session_id: Id, output: Format = Output.table, server: Server = None) -> None:
    """End a session early: its agent gives up the trial at hand and puts the baseline back.

    \b
    Examples:
      trimtab sessions cancel session-261121083000-0123456789abcdef
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    with _source(server) as source:
        session = source.cancel(session_id)
    _show(session, output)


@app.command()
def export(
    session_id: Id,
    output: Annotated[Output, typer.Option("--output", "-o", help="json or yaml.")] = Output.json,
    file: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    server: Server = None,
) -> None:
    """Write all of a session as one document: what was wanted, every trial, what was found.

    \b
    Examples:
      trimtab sessions export session-261121083000-0123456789abcdef --file shop.json
      trimtab sessions export session-261121083000-0123456789abcdef --output yaml
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    if output is Output.table:
        _fail("a document is no table; use --output json or yaml, or `trimtab sessions show`", USAGE)
    with _source(server) as source:
        document = source.export(session_id)
    text = _format(document, output)
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        _fail(f"{file} cannot be written: {error.strerror}", FAILURE)


@app.command()
def report(
    session_id: Id,
    directory: Annotated[
        Path | None,
        typer.Option(help="Where it is written. [reports/SESSION in the home directory]", metavar="DIR"),
    ] = None,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """Write what a session found: a page with plots, and its data as JSON. Of one that is not over, as far as it is.

    \b
    Examples:
      trimtab sessions report session-261121083000-0123456789abcdef
      trimtab sessions report session-261121083000-0123456789abcdef --server https://trimtab.example.com --directory found
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    from trimtab.cli.tune_output import print_result
    from trimtab.optimizer import report as reports
    from trimtab.settings import Settings

    with _source(server) as source:
        document = source.export(session_id)
    folder = directory or Settings().home.expanduser() / "reports" / session_id
    try:
        written = reports.write(document, folder)
    except (reports.ReportError, OSError) as error:
        _fail(f"the report cannot be written to {folder}: {error}", FAILURE)
    print_result(reports.read(document), written, output, 0)


@app.command()
def delete(
    session_ids: Annotated[list[str], typer.Argument(help="Ids of the sessions.", metavar="SESSION...")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    server: Server = None,
) -> None:
    """Delete sessions and all that belongs to them. What is active leaves its application as it is: cancel it first.

    \b
    Examples:
      trimtab sessions delete session-261121083000-0123456789abcdef --yes
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    if not yes:
        typer.confirm(f"Delete {', '.join(session_ids)}?", abort=True)
    with _source(server) as source:
        for each in session_ids:
            source.delete(each)
            typer.echo(f"deleted {each}")


def _spec(prices: Sequence[str], goal: dict[str, Any], **values: Any) -> "SessionSpec":
    from trimtab.cli.specification import SpecificationError, parse_prices, parse_spec

    try:
        return parse_spec(goal={**goal, "prices": parse_prices(prices)}, **values)
    except SpecificationError as error:
        _fail(str(error), USAGE)


@contextmanager
def _source(server: str | None) -> Iterator["Source"]:
    from trimtab.cli.connection import SourceError
    from trimtab.cli.options import read_settings
    from trimtab.cli.session_source import open_source
    from trimtab.settings import ClientSettings

    settings = read_settings(ClientSettings, {"server": server})
    try:
        with open_source(settings.server, settings.token, settings.url, settings.stale_after) as source:
            yield source
    except SourceError as error:
        _fail(str(error), FAILURE)


def _fail(problem: str, code: int) -> NoReturn:
    typer.echo(f"Error: {problem}", err=True)
    raise typer.Exit(code)


def _show(session: "Session", output: Output) -> None:
    if output is Output.table:
        from trimtab.cli.session_tables import print_session

        print_session(session)
    else:
        _print(session.model_dump(mode="json"), output)


def _print(value: Any, output: Output) -> None:
    typer.echo(_format(value, output), nl=False)


def _format(value: Any, output: Output) -> str:
    if output is Output.json:
        return json_text(value) + "\n"
    import yaml

    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
