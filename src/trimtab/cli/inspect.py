"""`trimtab inspect`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from trimtab.cli.application import application
from trimtab.cli.session_options import Output

if TYPE_CHECKING:
    from trimtab.inspection import Specification
    from trimtab.settings import ClientSettings

__all__ = ["app"]

USAGE, FAILURE = 2, 1

app = application()


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="File with the specification, as JSON.", metavar="SPEC")],
    *,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Run it this often, whatever the specification says.")
    ] = None,
    engine: Annotated[
        str, typer.Option(help="auto, container, podman, docker, kubernetes or process.", metavar="ENGINE")
    ] = "auto",
    best_effort: Annotated[
        bool, typer.Option("--best-effort", help="Leave out what the engine cannot do, and say so.")
    ] = False,
    containerfile: Annotated[
        bool, typer.Option("--containerfile", help="Print what would be built, and do nothing.")
    ] = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            help="Show the logs of build and runs as they come; what a script prints is in its result.",
        ),
    ] = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the report.")] = Output.table,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder of the report. [reports/INSPECTION in the home directory]", metavar="DIR"),
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Directory of the embedded state.")] = None,
    server: Annotated[
        str | None, typer.Option(help="URL of a server that makes it, instead of this machine.")
    ] = None,
) -> None:
    """Build a stack, run its script, and report what came of it.

    Progress goes to standard error, the report to standard output, and as a page to a folder; documents and rows stay in the home directory, or
    where TRIMTAB_STORE_URL and TRIMTAB_DATABASE_URL say. Ctrl-C ends what runs, and leaves a report of what was done.

    With --server or TRIMTAB_SERVER, a server makes it, with the engine that it has; its token is read from TRIMTAB_TOKEN. Ctrl-C
    then leaves it to the server. The page is written if --report names a folder.

    \b
    Examples:
      trimtab inspect examples/inspection/SPEC.json --engine process
      trimtab inspect spec.json --batch 10 --engine podman --output json
      trimtab inspect spec.json --containerfile
      trimtab inspect spec.json --server https://trimtab.example.com
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    specification = _read(file, batch)
    if containerfile:
        from trimtab.inspection.context.containerfile import containerfile as text_of

        typer.echo(text_of(specification), nl=False)
        return
    from trimtab.cli.options import read_settings
    from trimtab.settings import ClientSettings

    settings = read_settings(ClientSettings, {"home": home, "server": server})
    if settings.server:
        if engine != "auto":
            _fail("--engine is of this machine; a server has its own engine", USAGE)
        raise typer.Exit(
            _there(settings, specification, output, best_effort=best_effort, follow=follow, folder=report)
        )
    if specification.script_url:
        _fail(f"{file}: script: only a server fetches it from a URL; give the script itself", USAGE)
    from trimtab.cli.inspecting import Wish, inspect_here

    wish = Wish(specification, engine, best_effort=best_effort, folder=report)
    raise typer.Exit(inspect_here(settings, wish, output, follow=follow))


def _there(
    settings: "ClientSettings",
    specification: "Specification",
    output: Output,
    *,
    best_effort: bool,
    follow: bool,
    folder: Path | None,
) -> int:
    from trimtab.cli.connection import SourceError
    from trimtab.cli.inspecting_there import inspect_there

    try:
        return inspect_there(
            settings, specification, output, best_effort=best_effort, follow=follow, folder=folder
        )
    except SourceError as error:
        _fail(str(error), FAILURE)


def _read(file: Path, batch: int | None) -> "Specification":
    import os

    from trimtab.inspection import Defaults, Specification, SpecificationError
    from trimtab.inspection.specification.limits import MAX_DOCUMENT

    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_DOCUMENT + 1)
        found = Specification.parse(text, defaults=Defaults.of(os.environ))
        return found if batch is None else Specification.load({**found.document(), "batch_size": batch})
    except OSError as error:
        _fail(f"{file} cannot be read: {error.strerror}", USAGE)
    except SpecificationError as error:
        _fail("\nError: ".join(f"{file}: {line}" for line in str(error).splitlines()), USAGE)


def _fail(problem: str, code: int) -> NoReturn:
    typer.echo(f"Error: {problem}", err=True)
    raise typer.Exit(code)
