"""Other programs, run with their output as lines.

A program is started in a process group of its own. When time is up or the task is cancelled, the group is asked to
terminate and, ten seconds later, killed: what the program started goes with it.
"""

import asyncio
import inspect
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypedDict, Unpack

__all__ = [
    "OutputStreamCallback",
    "SubprocessOptions",
    "SubprocessResult",
    "Timeout",
    "end_group",
    "run_subprocess_exec",
    "run_subprocess_shell",
    "stream_subprocess_exec",
    "stream_subprocess_output",
    "stream_subprocess_shell",
]

OutputStreamCallback: TypeAlias = Callable[[str], Awaitable[None] | None]
"""What is called with each line, its trailing white space removed: a function or a coroutine function."""

Timeout: TypeAlias = int | float | timedelta | None
"""How long a program may run: seconds, a duration, or None for ever."""

MAX_OUTPUT = 64 * 1024 * 1024
"""How much of an output is kept, in characters; of more, the last lines are."""

_DEFAULTS = {"stdin": DEVNULL, "stdout": PIPE, "stderr": PIPE, "limit": 64 * 1024}
_KILLED, _LOOK = 10.0, 0.01
_GRACE = 10.0


class SubprocessOptions(TypedDict, total=False):
    """Where and how a program runs.

    Args:
        cwd: The directory it works in; by default this process's.
        env: Its environment; by default this process's.
        stdin: As ``asyncio.create_subprocess_exec`` takes it; by default there is nothing to read.
        stdout: The same; by default a pipe, which callbacks need.
        stderr: The same.
        limit: The longest line, in bytes; a longer one arrives in parts. By default 64 KiB.
    """

    cwd: str | Path | None
    env: Mapping[str, str] | None
    stdin: Any
    stdout: Any
    stderr: Any
    limit: int


class SubprocessResult(NamedTuple):
    """What a program left behind.

    Args:
        return_code: Its exit code; the negative number of the signal that ended it.
        stdout: The lines of its standard output.
        stderr: The lines of its standard error.
    """

    return_code: int
    stdout: list[str]
    stderr: list[str]


async def run_subprocess_exec(
    program: str,
    *args: str,
    timeout: Timeout = None,  # noqa: ASYNC109  interface
    **options: Unpack[SubprocessOptions],
) -> SubprocessResult:
    """Run a program with arguments, none of which a shell sees, and collect its output.

    Args:
        program: A path, or a name looked up in ``PATH``.
        args: Its arguments.
        timeout: How long it may run.
        options: Where and how it runs.

    Raises:
        TimeoutError: If it ran out of time; its process group is gone then.
        OSError: If it cannot be started.
    """
    return await _collected(partial(stream_subprocess_exec, program, *args, timeout=timeout, **options))


async def run_subprocess_shell(
    cmd: str,
    *,
    timeout: Timeout = None,  # noqa: ASYNC109  interface
    **options: Unpack[SubprocessOptions],
) -> SubprocessResult:
    """Run a command line in the shell, which interprets all of it, and collect its output.

    Args:
        cmd: The command line; ``shlex.quote`` whatever in it is not your own.
        timeout: How long it may run.
        options: Where and how it runs.

    Raises:
        TimeoutError: If it ran out of time; its process group is gone then.
    """
    return await _collected(partial(stream_subprocess_shell, cmd, timeout=timeout, **options))


async def stream_subprocess_exec(
    program: str,
    *args: str,
    timeout: Timeout = None,  # noqa: ASYNC109  interface
    stdout_callback: OutputStreamCallback | None = None,
    stderr_callback: OutputStreamCallback | None = None,
    **options: Unpack[SubprocessOptions],
) -> int:
    """Run a program with arguments, none of which a shell sees, and hand on its output line by line.

    Args:
        program: A path, or a name looked up in ``PATH``.
        args: Its arguments.
        timeout: How long it may run.
        stdout_callback: Called with each line of its standard output.
        stderr_callback: Called with each line of its standard error.
        options: Where and how it runs.

    Returns:
        The exit code; the negative number of the signal that ended it.

    Raises:
        TimeoutError: If it ran out of time; its process group is gone then.
        OSError: If it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(program, *args, **_ready(options))
    return await stream_subprocess_output(
        process, timeout=timeout, stdout_callback=stdout_callback, stderr_callback=stderr_callback
    )


async def stream_subprocess_shell(
    cmd: str,
    *,
    timeout: Timeout = None,  # noqa: ASYNC109  interface
    stdout_callback: OutputStreamCallback | None = None,
    stderr_callback: OutputStreamCallback | None = None,
    **options: Unpack[SubprocessOptions],
) -> int:
    """Run a command line in the shell, which interprets all of it, and hand on its output line by line.

    Args:
        cmd: The command line; ``shlex.quote`` whatever in it is not your own.
        timeout: How long it may run.
        stdout_callback: Called with each line of its standard output.
        stderr_callback: Called with each line of its standard error.
        options: Where and how it runs.

    Returns:
        The exit code; the negative number of the signal that ended it.

    Raises:
        TimeoutError: If it ran out of time; its process group is gone then.
    """
    process = await asyncio.create_subprocess_shell(cmd, **_ready(options))
    return await stream_subprocess_output(
        process, timeout=timeout, stdout_callback=stdout_callback, stderr_callback=stderr_callback
    )


async def stream_subprocess_output(
    process: Process,
    *,
    timeout: Timeout = None,  # noqa: ASYNC109  interface
    stdout_callback: OutputStreamCallback | None = None,
    stderr_callback: OutputStreamCallback | None = None,
) -> int:
    """Hand on the output of a started program line by line, until it ends.

    Args:
        process: The program; if it leads a process group, the group is ended with it.
        timeout: How long it may run from now.
        stdout_callback: Called with each line of its standard output.
        stderr_callback: Called with each line of its standard error.

    Returns:
        The exit code; the negative number of the signal that ended it.

    Raises:
        TimeoutError: If it ran out of time; its process group is gone then.
    """
    try:
        async with asyncio.timeout(_seconds(timeout)), asyncio.TaskGroup() as tasks:
            tasks.create_task(_read_lines(process.stdout, stdout_callback))
            tasks.create_task(_read_lines(process.stderr, stderr_callback))
            tasks.create_task(process.wait())
    except BaseExceptionGroup as group:
        await end_group(process, _GRACE)
        raise _first(group) from None
    except BaseException:
        await end_group(process, _GRACE)
        raise
    return await process.wait()


async def end_group(process: Process, grace: float) -> None:
    """Ask a program and its process group to terminate, and kill what is there after a while.

    A cancellation meanwhile does not keep it from being killed. Who has left the group and holds the output is not waited for.

    Args:
        process: The program.
        grace: Seconds between the two.
    """
    _signal(process, signal.SIGTERM)
    try:
        await _over(process, grace)
    finally:
        _signal(process, signal.SIGKILL)
        await asyncio.shield(_over(process, _KILLED))
        # Else asyncio waits for the pipes' other ends, and warns of them.
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - it has no public way


async def _over(process: Process, seconds: float) -> None:
    """Wait until it has ended, at most so long; ``Process.wait`` would wait for the ends of its output, too."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while process.returncode is None:  # noqa: ASYNC110 - asyncio has no event of this
                await asyncio.sleep(_LOOK)


async def _collected(stream: Callable[..., Awaitable[int]]) -> SubprocessResult:
    stdout, stderr = _Tail(), _Tail()
    return_code = await stream(stdout_callback=stdout.append, stderr_callback=stderr.append)
    return SubprocessResult(return_code, stdout.lines(), stderr.lines())


class _Tail:
    """The last lines of an output, bounded in size."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._left = MAX_OUTPUT

    def append(self, line: str) -> None:
        self._lines.append(line)
        # An empty line takes memory too.
        self._left -= len(line) + 1
        while self._left < 0:
            self._left += len(self._lines.popleft()) + 1

    def lines(self) -> list[str]:
        return list(self._lines)


async def _read_lines(stream: asyncio.StreamReader | None, callback: OutputStreamCallback | None) -> None:
    if stream is None:
        return
    while line := await _read_line(stream):
        if callback is not None:
            called = callback(line.decode(errors="replace").rstrip())
            if inspect.isawaitable(called):
                await called


async def _read_line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        return error.partial
    except asyncio.LimitOverrunError as error:
        return await stream.read(max(1, error.consumed))


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if _leads_group(process.pid):
            os.killpg(process.pid, number)
        elif process.returncode is None:
            process.send_signal(number)


def _leads_group(pid: int) -> bool:
    # The group outlives its leader: asking for the leader's group would miss what it has left behind.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, 0)
        return True
    return False


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = _leaf(errors.exceptions)
    return first if first is not None else errors


def _leaf(errors: Iterable[BaseException]) -> BaseException | None:
    for error in errors:
        return _leaf(error.exceptions) if isinstance(error, BaseExceptionGroup) else error
    return None


def _ready(options: SubprocessOptions) -> dict[str, Any]:
    return {**_DEFAULTS, **options, "start_new_session": True}


def _seconds(timeout: Timeout) -> float | None:
    return timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
