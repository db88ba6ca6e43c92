"""Other programs, started without a shell and never left behind.

A program is started in a session of its own, so that Ctrl-C in a terminal is for us, who then end it in order. Where
`setpriv` is installed the kernel sends it SIGTERM should this process be killed: `podman run` hands that on to its
container.

It is over when it has ended, and not when its output has: a container's monitor, or whatever else it has left behind in a
session of its own, may hold that for ever. `asyncio.subprocess.Process` waits for both, so it is not used here.
"""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from trimtab.engines.engine import LogSink

__all__ = ["Answer", "ask", "stream"]

GRACE = 3.0
"""Seconds between the request to end and the kill."""
LATE = 1.0
"""Seconds that are waited for what a program that has ended may have printed last; and for one that was killed."""
_ANSWER_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a short command said.

    Attributes:
        code: Its exit code; the negative number of the signal that ended it.
        stdout: What it printed, at most 16 MiB.
        stderr: The same of the standard error.
    """

    code: int
    stdout: str
    stderr: str

    @property
    def complaint(self) -> str:
        """The last line of the standard error, or what stands for it."""
        lines = self.stderr.strip().splitlines()
        return lines[-1] if lines else f"exit code {self.code}"


async def ask(
    argv: Sequence[str],
    *,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = 60.0,
) -> Answer:
    """Run a short command to its end.

    Args:
        argv: Program and arguments.
        directory: Where it runs.
        environment: All of its environment; by default ours.
        seconds: How long it may take.

    Raises:
        OSError: It cannot be started.
        TimeoutError: It took longer, and was ended.
    """
    out, err = bytearray(), bytearray()
    sinks = {1: _bounded(out), 2: _bounded(err)}
    async with _started(argv, directory, environment, sinks) as program, asyncio.timeout(seconds):
        code = await program.run()
    return Answer(code, out.decode(errors="replace"), err.decode(errors="replace"))


async def stream(
    argv: Sequence[str],
    sink: LogSink,
    *,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> int:
    """Run a program to its end, and hand on what it prints, to both of its outputs, as it comes.

    Args:
        argv: Program and arguments.
        sink: Gets each piece of output.
        directory: Where it runs.
        environment: All of its environment; by default ours.
        seconds: How long it may take.

    Returns:
        Its exit code; the negative number of the signal that ended it.

    Raises:
        OSError: It cannot be started.
        TimeoutError: It took longer. As in a cancellation, it and its process group have ended.
    """
    command = [*_tie(), *argv]
    async with _started(command, directory, environment, {1: sink}) as program, asyncio.timeout(seconds):
        return await program.run()


class _Program(asyncio.SubprocessProtocol):
    """A program that runs.

    Args:
        sinks: Get what it prints, by descriptor.
    """

    def __init__(self, sinks: Mapping[int, LogSink]) -> None:
        self._sinks = sinks
        self._open = set(sinks)
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._silent: asyncio.Future[None] = loop.create_future()  # or what went wrong in a sink

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if self._silent.done():
            return
        try:
            self._sinks[fd](data)
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            self._silent.set_exception(error)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - the interface
        self._open.discard(fd)
        if not self._open and not self._silent.done():
            self._silent.set_result(None)

    def process_exited(self) -> None:
        self._ended.set_result(None)

    async def run(self) -> int:
        """Wait for its end; its exit code, or the negative number of the signal that ended it."""
        await asyncio.wait({self._ended, self._silent}, return_when=asyncio.FIRST_COMPLETED)
        if self._silent.done():
            self._silent.result()
            await asyncio.wait({self._ended})
        await asyncio.wait({self._silent}, timeout=LATE)
        if self._silent.done():
            self._silent.result()
        code = self._transport.get_returncode()
        assert code is not None, "it has ended"
        return code

    async def end(self) -> None:
        """End it and its group, if it has not ended; a cancellation meanwhile does not keep it from being killed."""
        if self._ended.done():
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait({self._ended}, timeout=GRACE)
        finally:
            self._signal(signal.SIGKILL)
            await asyncio.wait({self._ended}, timeout=LATE)

    def close(self) -> None:
        """Give up its output, and take note of an error that nobody waited for."""
        self._transport.close()
        if self._silent.done() and not self._silent.cancelled():
            self._silent.exception()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._transport.get_pid(), number)  # it outlives its leader


@asynccontextmanager
async def _started(
    argv: Sequence[str],
    directory: Path | None,
    environment: Mapping[str, str] | None,
    sinks: Mapping[int, LogSink],
) -> AsyncIterator[_Program]:
    _, program = await asyncio.get_running_loop().subprocess_exec(
        lambda: _Program(sinks),
        *argv,
        cwd=directory,
        env=environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE if 2 in sinks else STDOUT,  # noqa: PLR2004 - its descriptor
        start_new_session=True,
    )
    try:
        yield program
    finally:
        try:
            await program.end()
        finally:
            program.close()


@cache
def _tie() -> tuple[str, ...]:
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()


def _bounded(buffer: bytearray) -> LogSink:
    def take(data: bytes) -> None:
        buffer.extend(data[: _ANSWER_LIMIT - len(buffer)])

    return take
