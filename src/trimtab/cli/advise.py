"""`trimtab advise`."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.application import application
from trimtab.cli.session_options import Output
from trimtab.cli.stacks_options import (
    Accept,
    AllowLicence,
    DenyLicence,
    Extra,
    IndexDate,
    KnownLicences,
    Osv,
    Parallel,
    Platform,
    Python,
    Question,
    Rules,
    Yanked,
)

__all__ = ["app"]

app = application()


@app.command()
def advise(
    project: Annotated[
        Path,
        typer.Argument(
            metavar="PROJECT",
            help="Directory of a project; or its pyproject.toml, Pipfile, lock, or requirements of another name.",
        ),
    ],
    *,
    base: Annotated[
        str | None,
        typer.Option(
            help="Base image that it will run on: what was seen on others is left out.", metavar="IMAGE"
        ),
    ] = None,
    directory: Annotated[
        Path | None, typer.Option(help="Write the lock to this directory, in the form that the project has.")
    ] = None,
    extra: Extra = None,
    python: Python = None,
    platform: Platform = None,
    index_date: IndexDate = None,
    rules: Rules = None,
    osv: Osv = None,
    accept: Accept = None,
    allow_licence: AllowLicence = None,
    deny_licence: DenyLicence = None,
    known_licences: KnownLicences = False,
    yanked: Yanked = False,
    parallel: Parallel = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.table,
    home: Annotated[Path | None, typer.Option(help="Directory of the embedded state.")] = None,
) -> None:
    """Say which versions to lock, and why those that are not the newest: from what is remembered of builds and inspections.

    Nothing is built or run. What it does not know it says, too.

    Exit codes: 0 there is a lock; 1 no stack is left, or an index does not answer; 2 asked for wrongly.

    \b
    Examples:
      trimtab advise .
      trimtab advise Pipfile --base registry.example/python:3.12 --osv osv.zip
      trimtab advise pyproject.toml --directory locked --output json
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    from trimtab.cli.advise_running import give_advice, requirements_of

    question = Question(
        requirements_of(project), tuple(extra or ()), python, platform, index_date, None, None, tuple(rules or ()), base,
        tuple(osv or ()), tuple(accept or ()), tuple(allow_licence or ()), tuple(deny_licence or ()), known_licences,
        yanked, parallel, home,
    )  # fmt: skip
    give_advice(question, directory, output)
