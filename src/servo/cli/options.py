"""Options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

from servo.cli.sections import LogLevel
from servo.cli.tables import Output

LEVELS = "|".join(LogLevel)


def parse_level(value: str | None) -> str | None:
    """Return ``value`` in capitals.

    Raises:
        typer.BadParameter: it is no level.
    """
    if value is not None and value.upper() not in set(LogLevel):
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(LogLevel)}")
    return value and value.upper()


def parse_log_format(value: str | None) -> str | None:
    """Return ``value``.

    Raises:
        typer.BadParameter: it is no format of the log.
    """
    if value not in {None, "text", "json"}:
        raise typer.BadParameter(f"{value!r} is not one of text, json")
    return value


def parse_output(value: str) -> str:
    """Return ``value``.

    Raises:
        typer.BadParameter: it is no form of output.
    """
    if value not in set(Output):
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(Output)}")
    return value


def complete_level(incomplete: str) -> list[str]:
    """Return the levels that begin with what was typed."""
    return [level for level in LogLevel if level.startswith(incomplete.upper())]


ConfigFile = Annotated[
    Path | None, typer.Option("-c", "--config-file", metavar="FILE", help="Servo configuration file")
]
Name = Annotated[str | None, typer.Option("-n", "--name", metavar="TEXT", help="Name of the servo to use")]
Limit = Annotated[
    int | None, typer.Option("--limit", metavar="INTEGER", help="Limit multi-servo concurrency")
]
Level = Annotated[
    str | None,
    typer.Option(
        "-l",
        "--log-level",
        metavar=f"[{LEVELS}]",
        callback=parse_level,
        autocompletion=complete_level,
        help="Set the log level",
    ),
]
NoColor = Annotated[bool, typer.Option("--no-color", help="Disable colored output")]
OutputForm = Annotated[
    str, typer.Option("--output", metavar="[table|json]", callback=parse_output, help="What to print")
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Display verbose output")]
