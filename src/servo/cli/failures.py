"""What a command's failure looks like: one line on stderr and an exit code; a traceback only for a defect."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from servo.errors import ServoError

FAILED = 1
USAGE = 2


def fail(message: str, code: int = FAILED) -> NoReturn:
    """Print ``message`` on stderr as an error, and end the command with ``code``."""
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(code)


def report(error: Exception) -> None:
    """End the command for an error of the user's or of an operation; return if it is none of these."""
    from servo.errors import ConfigurationError, ConnectorNotFoundError

    failure = _foreseen(error)
    if failure is not None:
        fail(
            str(failure),
            USAGE if isinstance(failure, ConfigurationError | ConnectorNotFoundError) else FAILED,
        )


def _foreseen(error: Exception) -> ServoError | None:
    from servo.errors import ServoError

    if isinstance(error, ServoError):
        return error
    if not isinstance(error, ExceptionGroup):
        return None
    # A defect among them is not to be hidden behind a failure that was foreseen.
    foreseen, defects = error.split(ServoError)
    return ServoError.servo_error_from_group(foreseen) if foreseen is not None and defects is None else None
