"""The engine's end of a supervisor: one program, of which nothing is left behind."""

import asyncio
import marshal
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from trimtab.engines.engine import LogSink

__all__ = ["Ending", "Program", "SupervisionError", "Supervisor", "supervise"]

# Isolated, without site-packages; the module is found by its directory, so that no package is imported for it.
_START = "import sys; sys.path.append(sys.argv.pop()); from supervisor import main; main()"
_CHUNK = 64 * 1024
_LATE = 20.0
_LOOK = 0.5


class SupervisionError(RuntimeError):
    """A program that could not be started, or whose supervisor was killed; the message says which."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    Attributes:
        argv: Program and arguments; no shell sees them.
        directory: Where.
        environment: All of its environment.
        timeout: Seconds it may take.
        grace: Seconds between the request to end and the kill.
        ask: Who is asked to end first: the program (`main`), what it has started (`below`: a builder then fails in
            order), or what a sandbox runs (`inside`).
        limits: Resource limits by their name in the module `resource`.
        groups: Directories of the control groups it is put into; they are removed with it.
        cores: The cores it may use; none: all.
    """

    argv: tuple[str, ...]
    directory: str
    environment: Mapping[str, str] = field(repr=False)
    timeout: float | None = None
    grace: float = 5.0
    ask: Literal["main", "below", "inside"] = "main"
    limits: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    cores: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended.

    Attributes:
        code: Its exit code; None if a signal ended it.
        signal: The number of that signal.
        timed_out: Whether its time was up.
        killed: How many of its descendants were still there and were killed.
        seconds: How long it took, by a monotonic clock.
        statistics: The text of the files of its control groups that tell what it used, by their names.
    """

    code: int | None
    signal: int | None
    timed_out: bool
    killed: int
    seconds: float
    statistics: Mapping[str, str]


class Supervisor:
    """A supervisor that was started, and waits to be told what to run.

    It takes as long to start as all the rest that a run needs before it begins, and may do so beside that.
    """

    def __init__(self, process: asyncio.subprocess.Process, report: int) -> None:
        self._process = process
        self._report = report
        self._grace: float | None = 0.0

    @classmethod
    @asynccontextmanager
    async def started(cls) -> AsyncIterator[Self]:
        """Start one; when this is left, it and all that it has run have ended."""
        reading, writing = os.pipe()
        try:
            try:
                process = await _spawn(writing)
            finally:
                os.close(writing)
            found = cls(process, reading)
            try:
                yield found
            finally:
                await found._finish()
        finally:
            os.close(reading)

    async def run(self, program: Program, sink: LogSink) -> Ending:
        """Run a program to its end, once; when this returns or raises, nothing of it is left.

        Args:
            program: What to run.
            sink: Gets what it prints, to both outputs, as it comes.

        Raises:
            SupervisionError: It could not be started; or its supervisor was killed, and then something may be left in
                its control groups.
        """
        self._grace = program.grace
        try:
            with suppress(ConnectionError):
                await _introduce(self._process, program)
            await _listen(self._process, sink)
            return _ending(_report(self._report))
        finally:
            await self._finish()

    async def _finish(self) -> None:
        grace, self._grace = self._grace, None
        if grace is not None:
            await _finish(self._process, grace)


async def supervise(program: Program, sink: LogSink) -> Ending:
    """Run a program to its end by a supervisor of its own: `Supervisor.run`."""
    async with Supervisor.started() as supervisor:
        return await supervisor.run(program, sink)


async def _spawn(report: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", _START, str(report), os.fspath(Path(__file__).parent),
        stdin=PIPE, stdout=PIPE, stderr=STDOUT, pass_fds=(report,),
        start_new_session=True,
    )  # fmt: skip


async def _introduce(process: asyncio.subprocess.Process, program: Program) -> None:
    assert process.stdin
    document = marshal.dumps(asdict(program) | {"environment": dict(program.environment)})
    process.stdin.write(len(document).to_bytes(8, "little") + document)
    await process.stdin.drain()


def _report(descriptor: int) -> dict[str, Any]:
    os.set_blocking(descriptor, False)
    data = b""
    with suppress(BlockingIOError):
        while more := os.read(descriptor, _CHUNK):
            data += more
    if not data:
        raise SupervisionError("its supervisor was killed")
    report: dict[str, Any] = marshal.loads(data)  # noqa: S302 - written by our supervisor
    return report


def _ending(report: Mapping[str, Any]) -> Ending:
    if "error" in report:
        raise SupervisionError(f"it could not be started: {report['error']}")
    code = os.waitstatus_to_exitcode(report["status"])
    return Ending(
        code if code >= 0 else None,
        -code if code < 0 else None,
        report["timed_out"],
        report["killed"],
        report["seconds"],
        report["statistics"],
    )


async def _listen(process: asyncio.subprocess.Process, sink: LogSink) -> None:
    """Hand on what is printed until the supervisor has ended, whoever else holds its output then."""
    reading = asyncio.create_task(_read(process, sink))
    try:
        while process.returncode is None:
            await asyncio.wait({reading}, timeout=_LOOK)
            if reading.done():
                reading.result()  # what went wrong in the sink
                await process.wait()
        await asyncio.wait({reading}, timeout=_LOOK)
    finally:
        reading.cancel()
        await asyncio.wait({reading})


async def _read(process: asyncio.subprocess.Process, sink: LogSink) -> None:
    assert process.stdout
    while data := await process.stdout.read(_CHUNK):
        sink(data)


async def _finish(process: asyncio.subprocess.Process, grace: float) -> None:
    """See the supervisor off; a second cancellation does not keep the program from being ended."""
    assert process.stdin
    process.stdin.close()  # the order to end
    seeing_off = asyncio.create_task(_listen(process, lambda _: None))
    try:
        async with asyncio.timeout(grace + _LATE):
            await asyncio.shield(seeing_off)
    except TimeoutError:
        process.kill()
    finally:
        await _shielded(seeing_off)
        # Of a supervisor that was killed, what it left may hold the output open for ever.
        process._transport.close()  # type: ignore[attr-defined] # noqa: SLF001 - asyncio has no other way


async def _shielded(task: asyncio.Task[None]) -> None:
    """Wait for a task to its end; a cancellation meanwhile is handed on afterwards."""
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
