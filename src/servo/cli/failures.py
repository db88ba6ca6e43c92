"""What a command's failure looks like: one line on stderr and an exit code; a traceback only for a defect."""

from __future__ import annotations

from typing import NoReturn

import typer

FAILED = 1
USAGE = 2


def fail(message: str, code: int = FAILED) -> NoReturn:
    """Print ``message`` on stderr as an error, and end the command with ``code``."""
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(code)


def report(error: Exception) -> None:
    """End the command for an error of the user's or of an operation; return if it is none of these."""
    from servo.errors import ConfigurationError, ConnectorNotFoundError, foreseen

    failure = foreseen(error)
    if failure is not None:
        fail(
            str(failure),
            USAGE if isinstance(failure, ConfigurationError | ConnectorNotFoundError) else FAILED,
        )
