"""The engine's end of a supervisor: one program, of which nothing is left behind."""

import asyncio
import marshal
import os
import signal
from asyncio import FIRST_COMPLETED, Future, Task
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from socket import SHUT_WR, socket, socketpair
from typing import Any, Literal, Self

from trimtab.engines.engine import LogSink
from trimtab.engines.supervision.forking import end_server, fork_supervisor

__all__ = ["Ending", "Program", "SupervisionError", "Supervisor", "supervise"]

_CHUNK = 64 * 1024
_PID = 8
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

    Args:
        channel: Our end of its socket. It brings the process id and the report, and closes when the supervisor has ended.
        output: Descriptor that brings what the program prints.
    """

    def __init__(self, channel: socket, output: int) -> None:
        self._channel = channel
        self._output = output
        self._told = bytearray()
        self._ended = asyncio.create_task(self._hear())
        self._grace: float | None = 0.0

    @classmethod
    @asynccontextmanager
    async def started(cls) -> AsyncIterator[Self]:
        """Start one; when this is left, it and all that it has run have ended.

        Raises:
            OSError: It cannot be started.
        """
        ours, theirs = socketpair()
        reading, writing = os.pipe()
        try:
            try:
                fork_supervisor(theirs.fileno(), writing)
            finally:
                theirs.close()
                os.close(writing)
            ours.setblocking(False)
            os.set_blocking(reading, False)
            found = cls(ours, reading)
            try:
                yield found
            finally:
                await found._finish()
        finally:
            ours.close()
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
            await self._introduce(program)
            await self._listen(sink)
            return _ending(self._report())
        finally:
            await self._finish()

    async def _introduce(self, program: Program) -> None:
        document = marshal.dumps(asdict(program) | {"environment": dict(program.environment)})
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            await loop.sock_sendall(self._channel, len(document).to_bytes(8, "little") + document)

    async def _hear(self) -> None:
        """Take what the supervisor tells, until it has ended."""
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):  # it ended without having taken all that we said
            while data := await loop.sock_recv(self._channel, _CHUNK):
                self._told += data

    async def _listen(self, sink: LogSink) -> None:
        """Hand on what is printed until the supervisor has ended, whoever else holds its output then."""
        loop = asyncio.get_running_loop()
        printed: Future[None] = loop.create_future()
        loop.add_reader(self._output, _hand_on, self._output, sink, printed)
        try:
            await asyncio.wait({printed, self._ended}, return_when=FIRST_COMPLETED)
            if printed.done():
                printed.result()  # what went wrong in the sink
                await asyncio.wait({self._ended})
            await asyncio.wait({printed}, timeout=_LOOK)
            if printed.done():
                printed.result()
        finally:
            loop.remove_reader(self._output)

    def _report(self) -> dict[str, Any]:
        data = bytes(self._told[_PID:])
        if len(self._told) < _PID:
            raise SupervisionError("it could not be started: no supervisor could be forked")
        if not data:
            raise SupervisionError("its supervisor was killed")
        report: dict[str, Any] = marshal.loads(data)  # noqa: S302 - written by our supervisor
        return report

    async def _finish(self) -> None:
        """See the supervisor off; a second cancellation does not keep the program from being ended."""
        grace, self._grace = self._grace, None
        if grace is None or self._ended.done():
            return
        with suppress(OSError):
            self._channel.shutdown(SHUT_WR)  # the order to end
        seeing_off = asyncio.create_task(self._listen(lambda _: None))
        try:
            async with asyncio.timeout(grace + _LATE):
                await asyncio.shield(seeing_off)
        except TimeoutError:
            self._kill()
        finally:
            await _shielded(seeing_off)

    def _kill(self) -> None:
        if self._ended.done():
            return
        if len(self._told) < _PID:  # it was never forked
            end_server()
            return
        with suppress(ProcessLookupError):
            os.kill(int.from_bytes(self._told[:_PID], "little"), signal.SIGKILL)


async def supervise(program: Program, sink: LogSink) -> Ending:
    """Run a program to its end by a supervisor of its own: `Supervisor.run`."""
    async with Supervisor.started() as supervisor:
        return await supervisor.run(program, sink)


def _hand_on(output: int, sink: LogSink, printed: "Future[None]") -> None:
    """Hand on a piece of what was printed; `printed` is done at its end, or when it can be handed on no more."""
    if printed.done():
        return
    try:
        data = os.read(output, _CHUNK)
        if data:
            sink(data)
        else:
            printed.set_result(None)
    except BlockingIOError:
        return
    except Exception as error:  # noqa: BLE001 - whoever listens is told
        printed.set_exception(error)
    if printed.done():
        asyncio.get_running_loop().remove_reader(output)


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


async def _shielded(task: Task[None]) -> None:
    """Wait for a task to its end; a cancellation meanwhile is handed on afterwards."""
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
