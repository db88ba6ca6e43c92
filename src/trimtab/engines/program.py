"""Other programs, started without a shell and never left behind.

A program is started in a session of its own, so that Ctrl-C in a terminal is for us, who then end it in order. Where
`setpriv` is installed the kernel sends it SIGTERM should this process be killed: `podman run` hands that on to its
container.
"""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from servo.utilities.subprocess import end_group
from trimtab.engines.engine import LogSink

__all__ = ["Answer", "ask", "stream"]

CHUNK = 64 * 1024
GRACE = 3.0
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
    process = await _start(argv, directory, environment, stderr=PIPE, tied=False)
    assert process.stdout
    assert process.stderr
    out, err = bytearray(), bytearray()
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(
                _read(process.stdout, _bounded(out)), _read(process.stderr, _bounded(err)), process.wait()
            )
    finally:
        await _finish(process)
    assert process.returncode is not None
    return Answer(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


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
    process = await _start(argv, directory, environment, stderr=STDOUT, tied=True)
    assert process.stdout
    try:
        async with asyncio.timeout(seconds):
            await _read(process.stdout, sink)
            return await process.wait()
    finally:
        await _finish(process)


async def _start(
    argv: Sequence[str],
    directory: Path | None,
    environment: Mapping[str, str] | None,
    *,
    stderr: int,
    tied: bool,
) -> Process:
    prefix = _tie() if tied else ()
    return await asyncio.create_subprocess_exec(
        *prefix,
        *argv,
        cwd=directory,
        env=environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=stderr,
        start_new_session=True,
    )


@cache
def _tie() -> tuple[str, ...]:
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()


async def _finish(process: Process) -> None:
    if process.returncode is None:
        await end_group(process, GRACE)


async def _read(stream: asyncio.StreamReader, sink: LogSink) -> None:
    while data := await stream.read(CHUNK):
        sink(data)


def _bounded(buffer: bytearray) -> LogSink:
    def take(data: bytes) -> None:
        buffer.extend(data[: _ANSWER_LIMIT - len(buffer)])

    return take
