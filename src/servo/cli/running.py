"""``servo run``: checks if wanted, the banner, and the main loop until a signal."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from servo.cli.banner import banner, details
from servo.cli.context import Context, State
from servo.cli.failures import fail
from servo.cli.loop import TERMINATED, run_async

if TYPE_CHECKING:
    from servo.servo import Servo

MAX_PORT = 65535


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
        typer.Option("--debug", "--DEBUG", envvar="SERVO_RUN_DEBUG", help="Let the event loop check itself"),
    ] = False,
    health: Annotated[
        str | None,
        typer.Option(
            "--health",
            metavar="HOST:PORT",
            envvar="SERVO_RUN_HEALTH",
            help="Serve /healthz, /readyz and /metrics there",
        ),
    ] = None,
) -> None:
    """Run the servo."""
    where = parse_address(health) if health else None
    with _leaving_at_sigterm():
        raise typer.Exit(
            _exit_code(
                _run(
                    context.state,
                    check=check or dry_run,
                    dry_run=dry_run,
                    poll=not no_poll,
                    debug=debug,
                    health=where,
                )
            )
        )


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port.

    Raises:
        typer.BadParameter: it is none.
    """
    host, colon, port = text.rpartition(":")
    if not host or not colon or not port.isdecimal() or not 0 <= int(port) <= MAX_PORT:
        raise typer.BadParameter(
            f"{text!r} is no address: write a host and a port, such as 127.0.0.1:9101",
            param_hint="'--health'",
        )
    return host.strip("[]"), int(port)


def _exit_code(main: Coroutine[Any, Any, int]) -> int:
    try:
        return run_async(main)
    except KeyboardInterrupt:
        return 0  # asked to end before it began: there was nobody to say goodbye to
    except typer.Exit as end:
        return 0 if end.exit_code == TERMINATED else end.exit_code


@contextmanager
def _leaving_at_sigterm() -> Iterator[None]:
    """End at once and in peace until the event loop listens to signals itself: nothing has begun yet."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return

    def leave(*_: object) -> None:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


async def _run(
    state: State, *, check: bool, dry_run: bool, poll: bool, debug: bool, health: tuple[str, int] | None
) -> int:
    import asyncio

    from servo.runner import AssemblyRunner

    asyncio.get_running_loop().set_debug(debug)
    assembly = await state.assemble_async()
    servos = state.select(assembly)
    async with _telling(servos, health):
        if check and not await _ready(servos):
            typer.echo(
                "Error: the servo is not ready: see the checks above, or `servo check --verbose`", err=True
            )
            return 1
        if dry_run:
            return 0
        announce(servos, state)
        # Only the servo that --name selects runs; its siblings were read from the same file, nothing more.
        for servo in [servo for servo in assembly.servos if servo not in servos]:
            await assembly.remove_servo(servo)
        return await AssemblyRunner(assembly, poll=poll).run_async(handle_signals=True)


@asynccontextmanager
async def _telling(servos: list[Servo], where: tuple[str, int] | None) -> AsyncIterator[None]:
    """Serve, if wanted, how the servos do; from before the checks on, which may take long."""
    if where is None:
        yield
        return
    from servo import logging
    from servo.runner.health import Health

    health = Health(servos)
    try:
        port = await health.start(*where)
    except OSError as error:
        fail(f"--health: cannot listen on {where[0]}:{where[1]}: {error.strerror}")
    logging.logger.info("health and metrics are served on {}:{}", where[0], port)
    try:
        yield
    finally:
        await health.aclose()


async def _ready(servos: list[Servo]) -> bool:
    ready = True
    for servo in servos:
        with servo.current():
            ready = await servo.check_servo(typer.echo) and ready
    return ready


def announce(servos: list[Servo], state: State) -> None:
    """Print the banner and what is about to run."""
    typer.echo(banner(color=not state.no_color and sys.stdout.isatty()) + "\n")
    for servo in servos:
        typer.echo("\n".join(details(servo, state.config_file.absolute())) + "\n")
