"""Options that several commands take."""

from pathlib import Path
from typing import Annotated, Any

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


def choice(*names: str) -> dict[str, Any]:
    """Return what makes an option take one of ``names``: shown in the help, checked, completed by the shell."""

    def check(value: str | None) -> str | None:
        if value is not None and value not in names:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(names)}")
        return value

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return {"metavar": f"[{'|'.join(names)}]", "callback": check, "autocompletion": complete}


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
OutputForm = Annotated[str, typer.Option("--output", help="What to print", **choice(*Output))]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Display verbose output")]
