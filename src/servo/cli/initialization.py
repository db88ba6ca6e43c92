"""``servo init``: asks for the optimizer, writes ``.env``, generates a configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from servo.cli.context import Context
from servo.cli.environment import FILE
from servo.cli.generation import generate_file


def init(
    context: Context,
    *,
    dotenv: Annotated[
        bool, typer.Option("--dotenv/--no-dotenv", help="Write the optimizer and token to .env")
    ] = True,
) -> None:
    """Initialize a servo assembly."""
    if dotenv:
        optimizer = _ask_optimizer()
        token = typer.prompt(
            "Optimizer token", default=os.environ.get("OPSANI_TOKEN"), hide_input=True, show_default=False
        )
        write_dotenv(
            Path(FILE), {"OPSANI_OPTIMIZER": optimizer, "OPSANI_TOKEN": token, "SERVO_LOG_LEVEL": "DEBUG"}
        )
        typer.echo(f"Wrote {FILE}: keep it out of version control")
    # What .env holds must not stand in the file too: there it would take precedence.
    generate_file(context.config_file, optimizer=not dotenv)


def _ask_optimizer() -> str:
    while True:
        optimizer = str(
            typer.prompt("Optimizer id (organization/name)", default=os.environ.get("OPSANI_OPTIMIZER"))
        )
        problem = _problem_with(optimizer)
        if problem is None:
            return optimizer
        typer.echo(f"Error: {problem}", err=True)


def _problem_with(optimizer: str) -> str | None:
    from servo.configuration import OpsaniOptimizer

    try:
        OpsaniOptimizer.model_validate({"id": optimizer, "token": "unknown"})
    except ValueError:
        return (
            f"'{optimizer}' is no optimizer id: expected organization/name, such as example.com/shop, "
            "the organization of 5 to 50 characters"
        )
    return None


def write_dotenv(file: Path, values: dict[str, str]) -> None:
    """Set variables in ``file``, keeping its other lines; only its owner may read it."""
    kept = [
        line for line in _lines(file) if line.partition("=")[0].strip().removeprefix("export ") not in values
    ]
    lines = [*kept, *(f"{name}={_quoted(value)}" for name, value in values.items())]
    # Beside it and renamed: a token is never readable by others, nor half written.
    scratch = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(
        os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as stream:
        stream.write("\n".join(lines) + "\n")
    scratch.replace(file)


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _quoted(value: str) -> str:
    if value and all(character.isalnum() or character in "._-/:@" for character in value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
