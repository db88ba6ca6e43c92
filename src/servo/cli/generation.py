"""``servo generate`` and ``servo validate``: a configuration to begin with, and whether one is right."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from servo.cli.context import Context
from servo.cli.failures import FAILED, USAGE, fail

if TYPE_CHECKING:
    from servo.configuration import Document

Connectors = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="CONNECTORS", help="Connectors: names, classes, or alias:connector; by default all"
    ),
]
File = Annotated[
    Path | None, typer.Option("-f", "--file", metavar="FILE", help="File  [default: that of --config-file]")
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors")]


def generate(
    context: Context,
    connectors: Connectors = None,
    *,
    file: File = None,
    defaults: Annotated[bool, typer.Option("-d", "--defaults", help="Include default values")] = False,
    name: Annotated[
        str | None, typer.Option("-n", "--name", metavar="TEXT", help="Name of the servo")
    ] = None,
    standalone: Annotated[bool, typer.Option("-s", "--standalone", help="Omit the connectors key")] = False,
    comments: Annotated[bool, typer.Option("--comments", help="Explain each key")] = False,
    quiet: Quiet = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite without asking")] = False,
    append: Annotated[bool, typer.Option("--append", help="Add a servo to the file")] = False,
) -> None:
    """Generate a configuration."""
    generate_file(
        file or context.state.config_file,
        connectors or [],
        options={"name": name} if name else {},
        defaults=defaults,
        standalone=standalone,
        comments=comments,
        quiet=quiet,
        force=force,
        append=append,
    )


def generate_file(
    file: Path,
    connectors: list[str] | None = None,
    *,
    options: dict[str, Any] | None = None,
    optimizer: bool = True,
    defaults: bool = False,
    standalone: bool = False,
    comments: bool = False,
    quiet: bool = False,
    force: bool = False,
    append: bool = False,
) -> None:
    """Write a sample configuration to ``file``, asking before one is overwritten.

    Args:
        file: where to.
        connectors: specifications; all connectors that are installed if there are none.
        options: further top-level values.
        optimizer: whether there is a sample optimizer; what the environment says would not outrank it.
        defaults: whether defaults are spelled out.
        standalone: whether the ``connectors`` key is left out.
        comments: whether each key is explained.
        quiet: whether nothing is printed.
        force: whether to overwrite without asking.
        append: whether to add a document to the file instead.
    """
    text = sample(
        connectors or [],
        options or {},
        defaults=defaults,
        standalone=standalone,
        comments=comments,
        optimizer=optimizer,
    )
    if file.exists() and not (force or append):
        typer.confirm(f"File '{file}' already exists. Overwrite it?", abort=True)
    _write(file, text, append=append and file.exists() and file.stat().st_size > 0)
    if not quiet:
        typer.echo(text)
        typer.echo(f"Generated {file}")


def sample(
    connectors: list[str],
    options: dict[str, Any],
    *,
    defaults: bool = False,
    standalone: bool = False,
    comments: bool = False,
    optimizer: bool = True,
) -> str:
    """Return a sample configuration as YAML; see :func:`generate_file`."""
    from servo.cli.catalogue import available_types, descriptor
    from servo.configuration import dump_yaml
    from servo.models import configuration_model
    from servo.routes import routes_for
    from servo.servo import Servo

    names = connectors or [it.__default_name__ for it in available_types() if it is not Servo]
    described = descriptor(names)
    model, _ = configuration_model(routes_for(described), required=True)
    config = model.generate(connectors=described, **options)
    hidden = {"connectors"} if standalone else set()
    shown = {
        "reveal_secrets": True,  # they are placeholders
        "exclude": hidden if optimizer else hidden | {"optimizer"},
        "exclude_unset": not defaults,
        "exclude_none": True,
    }
    if comments:
        text: str = config.yaml(comments=True, **shown)
        return text
    plain = config.plain(**shown)
    first = [key for key in ("name", "optimizer", "connectors") if key in plain]
    return dump_yaml({key: plain[key] for key in [*first, *(key for key in plain if key not in first)]})


def _write(file: Path, text: str, *, append: bool) -> None:
    try:
        with file.open("a" if append else "w", encoding="utf-8") as stream:
            stream.write(f"---\n{text}" if append else text)
    except OSError as error:
        fail(f"cannot write '{file}': {error.strerror}")


def validate(
    context: Context, connectors: Connectors = None, *, file: File = None, quiet: Quiet = False
) -> None:
    """Validate a configuration."""
    from servo.cli.catalogue import descriptor
    from servo.configuration import read_documents
    from servo.errors import ConfigurationError

    file = file or context.state.config_file
    if not file.is_file():
        fail(f"File '{file}' does not exist: name one with --file", USAGE)
    try:
        problems = _problems(read_documents(file), descriptor(connectors) if connectors else None)
    except ConfigurationError as error:
        problems = [str(error)]
    if problems:
        typer.echo(f"X Invalid configuration in {file}", err=True)
        for problem in problems:
            typer.echo(problem, err=True)
        raise typer.Exit(FAILED)
    if not quiet:
        typer.echo(f"√ Valid configuration in {file}")


def _problems(documents: list[Document], connectors: list[str] | dict[str, str] | None) -> list[str]:
    from servo.assembly import configure, load_connector_types
    from servo.errors import ConfigurationError

    load_connector_types()
    found = []
    for document in documents:
        if connectors is not None and isinstance(document.data or {}, dict):
            document.data = {**(document.data or {}), "connectors": connectors}
        try:
            configure(document, os.environ, alone=len(documents) == 1)
        except ConfigurationError as error:
            found.append(str(error))
    return found
