"""`trimtab builds`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.application import application
from trimtab.cli.place import FAILURE, USAGE, fail
from trimtab.cli.session_options import Output

if TYPE_CHECKING:
    from trimtab.cli.build_source import Source

__all__ = ["app"]

app = application(
    """Builds that were submitted, and the analyses of their images and logs: of this machine, or of a server.

    A server is named by --server or TRIMTAB_SERVER; its token is read from TRIMTAB_TOKEN. Builds are submitted by `servo builds`,
    or over the API.

    \b
    Examples:
      trimtab builds list
      trimtab builds show build-analysis-261127061500-0123456789abcdef
      trimtab builds result buildlog-parser-261127061500-0123456789abcdef
      trimtab builds cancel build-analysis-261127061500-0123456789abcdef --server https://trimtab.example.com
    """,  # \b is Click's mark of a paragraph not to be wrapped
)

Id = Annotated[str, typer.Argument(help="Id of the build, or of an analysis.", metavar="ID")]
Ids = Annotated[list[str], typer.Argument(help="Ids of builds, or of analyses.", metavar="ID...")]
Format = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]
Server = Annotated[
    str | None, typer.Option(help="URL of a server, instead of this machine's store and catalog.")
]
PARTS = {
    "base_image_analysis": "base image",
    "output_image_analysis": "output image",
    "buildlog_analysis": "log",
}


@app.command("list")
def list_(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many, the newest.")] = 100,
    output: Format = Output.table,
    server: Server = None,
) -> None:
    """List builds, the newest first."""
    from trimtab.cli.inspection_output import print_document, print_rows

    with _source(server) as source:
        found = source.list(limit)
    if output is not Output.table:
        print_document(list(found), output)
    elif not found:
        typer.echo("No builds. `servo builds` submits them to a server.")
    else:
        names = ("BUILD", "CREATED", "NAME", "ENDED", "STATE", "OUTPUT IMAGE")
        print_rows(names, [[_seen(cell) for cell in _row(each)] for each in found])


@app.command()
def show(name: Id, *, output: Format = Output.table, server: Server = None) -> None:
    """Show how a build and its analyses stand, or one analysis."""
    from trimtab.cli.inspection_output import print_document, print_rows

    with _source(server) as source:
        found = source.show(name)
    if output is not Output.table:
        print_document(found, output)
        return
    print_rows(None, [[label, _seen(value)] for label, value in _facts(found) if value])
    if parts := [_part(label, found[key]) for key, label in PARTS.items() if found.get(key)]:
        print_rows(("PART", "ANALYSIS", "STATE", "WHY"), parts)


@app.command()
def result(name: Id, *, output: Format = Output.json, server: Server = None) -> None:
    """Print the document of an analysis: what is in an image, or what a log says."""
    from trimtab.cli.inspection_output import print_document

    if output is Output.table:
        fail("a document is no table; use --output json or yaml", USAGE)
    with _source(server) as source:
        print_document(source.result(name), output)


@app.command()
def log(name: Id, *, server: Server = None) -> None:
    """Print what happened to a build's analyses, or to one."""
    with _source(server) as source:
        for line in source.log(name).splitlines():
            typer.echo(_seen(line))


@app.command()
def cancel(names: Ids, *, server: Server = None) -> None:
    """End analyses early. Of a build, what other builds have, too, goes on."""
    with _source(server) as source:
        for each in names:
            source.cancel(each)
            typer.echo(f"cancelled {each}")


@app.command()
def delete(
    names: Ids,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    server: Server = None,
) -> None:
    """Delete builds and analyses with all that was found, which answers no question any more. What is under way is refused."""
    if not yes:
        typer.confirm(f"Delete {', '.join(names)}?", abort=True)
    with _source(server) as source:
        for each in names:
            source.delete(each)
            typer.echo(f"deleted {each}")


@contextmanager
def _source(server: str | None) -> Iterator["Source"]:
    from trimtab.cli.build_source import open_source
    from trimtab.cli.connection import SourceError
    from trimtab.cli.options import read_settings
    from trimtab.settings import ClientSettings

    try:
        with open_source(read_settings(ClientSettings, {"server": server})) as source:
            yield source
    except SourceError as error:
        fail(_seen(error), FAILURE)


def _row(each: Mapping[str, Any]) -> tuple[Any, ...]:
    build = each["build"] or {}
    name = "/".join(filter(None, (build.get("namespace"), build.get("name"))))
    created = f"{datetime.fromtimestamp(each['created_at'], UTC):%Y-%m-%d %H:%M}"
    return (
        each["analysis_id"],
        created,
        name,
        build.get("phase") or "",
        each["state"],
        each["output_image"] or "",
    )


def _facts(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    build = found.get("build") or {}
    yield "Id", found["analysis_id"]
    yield "State", found["state"]
    yield "Why", found["reason"]
    yield "Started", found["started_at"]
    yield "Finished", found["finished_at"]
    yield "Build", "/".join(filter(None, (build.get("namespace"), build.get("name"), build.get("phase"))))
    yield "Log", found.get("buildlog_document_id")
    for missing in found.get("missing") or ():
        yield "Missing", f"{missing['part']}: {missing['reason']}"


def _part(label: str, part: Mapping[str, Any]) -> list[str]:
    if "error" in part:
        return [label, "", "refused", _seen(part["error"])]
    return [label, part["analysis_id"], part["state"], _seen(part["reason"] or "")]


def _seen(value: Any) -> str:
    from trimtab.cli.ask_output import seen

    return seen(value)
