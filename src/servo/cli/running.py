"""``servo run``: checks if wanted, the banner, and the main loop until a signal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from servo.cli.banner import banner, details
from servo.cli.checks import require_ready
from servo.cli.context import Context
from servo.cli.loop import run_async


def run(
    context: Context,
    *,
    check: Annotated[
        bool,
        typer.Option("-c", "--check", envvar="SERVO_RUN_CHECK", help="Verify all checks pass before running"),
    ] = False,
    no_poll: Annotated[
        bool, typer.Option("--no-poll", help="Do not poll the optimizer for commands")
    ] = False,
    dry_run: Annotated[bool, typer.Option("-d", "--dry-run", help="Run the checks only")] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", "--DEBUG", envvar="SERVO_RUN_DEBUG", help="Let defects end the servo with a traceback"
        ),
    ] = False,
) -> None:
    """Run the servo."""
    servos = context.servos
    if check or dry_run:
        require_ready(servos)
    if dry_run:
        return
    from servo.runner import AssemblyRunner

    typer.echo(banner(color=not context.state.no_color and sys.stdout.isatty()))
    for servo in servos:
        typer.echo("\n".join(details(servo, context.config_file)) + "\n")
    runner = AssemblyRunner(context.assembly, poll=not no_poll)
    run_async(runner.run_async(debug=debug))
