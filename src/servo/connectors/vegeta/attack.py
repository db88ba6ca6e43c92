"""Vegeta's two programs at work: one requests, the other sums up what came back. No shell stands between them."""

from __future__ import annotations

import asyncio
import os
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import IO, Any

from servo.connectors.quoting import quoted
from servo.connectors.vegeta.configuration import VegetaConfiguration, seconds
from servo.connectors.vegeta.report import VegetaReport, parse
from servo.errors import ConnectorError
from servo.types.core import Duration
from servo.utilities.subprocess import end_group, stream_subprocess_output

__all__ = ["PROGRAM", "VegetaError", "attack"]

PROGRAM = "vegeta"

# A request may take 30 s, and those under way are waited for.
_PATIENCE = 60.0
_LINE = 4 * 1024 * 1024
_KEPT_LINES = 50


class VegetaError(ConnectorError):
    """Vegeta is not there, failed, or said what cannot be read."""


async def attack(
    config: VegetaConfiguration,
    duration: Duration,
    *,
    every: Duration | None = None,
    on_report: Callable[[VegetaReport], None] | None = None,
) -> None:
    """Attack the targets for some time.

    Args:
        config: The targets, and how they are attacked.
        duration: For how long.
        every: Time between two reports; that of the configuration by default.
        on_report: Given each report, of all since the beginning; without it nothing is reported.

    Raises:
        VegetaError: It could not be done.
    """
    limit = duration.total_seconds() + _PATIENCE
    with tempfile.TemporaryFile() as targets:
        targets.write(_targets(config))
        targets.seek(0)
        if on_report is None:
            async with _started(*config.arguments(duration), stdin=targets, stdout=DEVNULL) as attacking:
                await _watched("attack", attacking, limit)
            return
        await _reported(config, duration, every or config.reporting_interval, on_report, targets, limit)


async def _reported(
    config: VegetaConfiguration,
    duration: Duration,
    every: Duration,
    on_report: Callable[[VegetaReport], None],
    targets: IO[bytes],
    limit: float,
) -> None:
    reading, writing = os.pipe()
    arguments = ("report", "-type=json", f"-every={seconds(every)}")
    try:
        async with (
            _started(*arguments, stdin=reading, stdout=PIPE) as reporting,
            _started(*config.arguments(duration), stdin=targets, stdout=writing) as attacking,
        ):
            # Theirs alone now: the reporter ends when the attacker has closed the pipe, the last who could write.
            os.close(writing)
            os.close(reading)
            reading = writing = -1
            await _together(attacking, reporting, limit, on_report)
    finally:
        for descriptor in {reading, writing} - {-1}:
            os.close(descriptor)


async def _together(
    attacking: Process, reporting: Process, limit: float, on_report: Callable[[VegetaReport], None]
) -> None:
    def take(line: str) -> None:
        try:
            report = parse(line)
        except ValueError as error:
            raise VegetaError(f"vegeta reported what cannot be read{quoted([line])}") from error
        if report is not None:
            on_report(report)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_watched("attack", attacking, limit))
            group.create_task(_watched("report", reporting, limit, take))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _watched(
    what: str, process: Process, limit: float, on_line: Callable[[str], None] | None = None
) -> None:
    said: deque[str] = deque(maxlen=_KEPT_LINES)
    try:
        code = await stream_subprocess_output(
            process, timeout=limit, stdout_callback=on_line, stderr_callback=said.append
        )
    except TimeoutError:
        raise VegetaError(f"`vegeta {what}` did not end within {limit:g} s{quoted(list(said))}") from None
    if code:
        raise VegetaError(f"`vegeta {what}` ended with exit code {code}{quoted(list(said))}")


@asynccontextmanager
async def _started(*arguments: str, stdin: Any, stdout: Any) -> AsyncIterator[Process]:
    """A program of vegeta's in a process group of its own, which is gone at the end."""
    try:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *arguments, stdin=stdin, stdout=stdout, stderr=PIPE, limit=_LINE, start_new_session=True
        )
    except OSError as error:
        reason = (
            "it is not on the PATH: install it" if isinstance(error, FileNotFoundError) else error.strerror
        )
        raise VegetaError(f"cannot start `{PROGRAM}`: {reason}") from error
    try:
        yield process
    finally:
        if process.returncode is None:
            await end_group(process, 0.0)


def _targets(config: VegetaConfiguration) -> bytes:
    try:
        return config.read_targets().encode()
    except ValueError as error:
        raise VegetaError(str(error)) from error
