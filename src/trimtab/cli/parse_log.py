"""`trimtab parse-log`: what a build's log says."""

import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from trimtab.cli.application import application
from trimtab.cli.inspection_output import print_document
from trimtab.cli.session_options import Output

__all__ = ["app"]

app = application()
_CHUNK = 1024 * 1024
_SHOWN = 20

EXAMPLES = """\
\b
Examples:
  trimtab parse-log build.log
  podman build . 2>&1 | trimtab parse-log - --output json
  trimtab parse-log build.log --legacy pip3
"""


class Handler(StrEnum):
    """The original's old handlers."""

    pip3 = "pip3"
    pipenv = "pipenv"
    yum = "yum"


@app.command(epilog=EXAMPLES)
def parse_log(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The log; - for standard input.")],
    *,
    output: Annotated[Output, typer.Option(help="How to print what it says.")] = Output.table,
    old: Annotated[
        Handler | None,
        typer.Option("--legacy", help="What the original's handler of this name told, as JSON or YAML."),
    ] = None,
) -> None:
    """Say what a build's log tells: what was installed, in which steps, why it failed.

    Exit code 0 whatever it says, and 2 if it cannot be read.
    """
    from trimtab.buildlogs import Parser, legacy

    parser = Parser()
    try:
        for chunk in _chunks(file):
            parser.feed(chunk)
    except OSError as error:
        typer.echo(
            f"Error: {file}: {error.strerror}; name a log that can be read, or - for standard input", err=True
        )
        raise typer.Exit(2) from None
    result = parser.finish()
    if old is not None:
        entries = [{"handler": str(old), "result": legacy(result, old)}]
        print_document(entries, Output.json if output is Output.table else output)
    elif output is Output.table:
        _print(result.document)
    else:
        print_document(result.document, output)


def _chunks(file: str) -> Iterator[bytes]:
    if file == "-":
        yield from _read(sys.stdin.buffer)
        return
    with Path(file).open("rb") as stream:
        yield from _read(stream)


def _read(stream: IO[bytes]) -> Iterator[bytes]:
    # What there is, rather than a full chunk: a pipe is read as it is written.
    read = getattr(stream, "read1", stream.read)
    while chunk := read(_CHUNK):
        yield chunk


def _print(document: Mapping[str, Any]) -> None:
    from trimtab.cli.inspection_output import print_rows

    print_rows(None, [[name, value] for name, value in _facts(document) if value])
    if steps := document["steps"]:
        typer.echo()
        print_rows(("STEP", "STATE", "SECONDS", "EXIT", "INSTRUCTION"), [_step(each) for each in steps])
    if errors := document["errors"]:
        typer.echo()
        shown = [
            [
                each["line"],
                each["class"],
                each["kind"],
                _package(each),
                "yes" if each["recovered"] else "",
                each["message"],
            ]
            for each in errors[:_SHOWN]
        ]
        print_rows(("LINE", "CLASS", "KIND", "PACKAGE", "RECOVERED", "MESSAGE"), shown)
        if len(errors) > _SHOWN:
            typer.echo(f"and {len(errors) - _SHOWN} more: --output json")


def _facts(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    breaker, destination = document["build_breaker"], document["info"]["push_destination"]
    good = sum(each["is_successful"] is True for each in document["installation"])
    yield "Outcome", document["outcome"]
    yield "Exit code", "" if document["exit_code"] is None else str(document["exit_code"])
    yield (
        "Tools",
        ", ".join(" ".join(filter(None, (each["name"], each["version"]))) for each in document["tools"]),
    )
    yield "Installed", str(good) if document["installation"] else ""
    yield "Failed", ", ".join(document["failed"])
    yield "Recovered", ", ".join(document["recovered"])
    yield "System packages", str(len(document["packages"])) if document["packages"] else ""
    yield (
        "Pushed to",
        f"{destination['image']}:{destination['tag'] or 'latest'}"
        if destination and document["info"]["push_successful"]
        else "",
    )
    yield (
        "Build breaker",
        f"{breaker['class']} ({breaker['kind']}) {_package(breaker)}".rstrip() if breaker else "",
    )
    yield "", breaker["excerpt"] if breaker else ""
    yield "Left out", "what was beyond the bounds" if document["truncated"] else ""


def _package(error: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (error["package"], error["version"])))


def _step(step: Mapping[str, Any]) -> list[Any]:
    total = f"/{step['total']}" if step["total"] else ""
    seconds = "" if step["seconds"] is None else f"{step['seconds']:.1f}"
    code = "" if step["exit_code"] is None else step["exit_code"]
    return [f"{step['number']}{total}", step["state"], seconds, code, step["instruction"]]
