"""The agent's end of a supervisor: one run of an application."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from servo.connectors.process.tree import kill_marked

# Isolated, without site-packages: where our own package is must be said.
_PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]); from servo.connectors.process.supervisor import main; main()"
)
_PACKAGES = Path(__file__).parents[3]
_START_SECONDS = 30.0
_LATE = 20.0
_ABANDON_SECONDS = 0.5


class StartError(RuntimeError):
    """An application could not be started at all; the message says why."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What to run.

    Attributes:
        argv: Program and arguments; no shell sees them.
        directory: Where.
        environment: All of its environment.
        log: File that takes its output.
        log_limit: Bytes of output that are kept.
        pattern: Regular expression whose first match in a line of output is told.
        signal: Name of the signal that asks it to end.
        grace: Seconds (at most 5) between that signal and the end, when the agent is gone.
        mark: What marks all processes of this run.
    """

    argv: tuple[str, ...]
    directory: str
    environment: Mapping[str, str] = field(repr=False)
    log: str
    log_limit: int = 10 * 1024 * 1024
    pattern: str | None = None
    signal: str = "TERM"
    grace: float = 5.0
    mark: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended.

    Attributes:
        code: Exit code; negative: the signal that ended it; None: unknown.
        asked: Whether it was asked to.
        cpu: CPU seconds of all its processes.
        lines: The last lines of its output.
    """

    code: int | None
    asked: bool = False
    cpu: float = 0.0
    lines: tuple[str, ...] = ()


class Child:
    """One run of an application under its supervisor.

    Attributes:
        pid: Of the application.
        supervisor: Process id of the supervisor.
        watcher: Process id of the supervisor's watcher.
        matched: Set when the pattern was found in the output.
        slow: Whether the search for the pattern took too long and was given up.
        ended: How it ended, once it has.
    """

    def __init__(self, spec: Spec, process: asyncio.subprocess.Process, started: Mapping[str, Any]) -> None:
        assert process.stdin
        assert process.stdout
        self._spec = spec
        self._process = process
        self._stdin, self._stdout = process.stdin, process.stdout
        self.pid: int = started["pid"]
        self.watcher: int = started["watcher"]
        self.supervisor = process.pid
        self.matched = asyncio.Event()
        self.slow = False
        self.ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._follower = asyncio.create_task(self._follow(), name=f"follow application {self.pid}")

    @classmethod
    async def start(cls, spec: Spec) -> Child:
        """Run an application.

        Raises:
            StartError: There is no such program or directory, or the system refuses.
        """
        process = await _spawn()
        try:
            async with asyncio.timeout(_START_SECONDS):
                started = await _introduce(process, spec)
        except BaseException as error:
            await _abandon(process, spec)
            if isinstance(error, TimeoutError):
                raise StartError("the application's supervisor did not answer") from None
            raise
        return cls(spec, process, started)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return not self.ended.done()

    async def stop(self, grace: float) -> Ending:
        """Ask the application to end, and end what is left of it after a time of grace.

        Args:
            grace: Seconds between the request and the end of patience (SIGKILL).
        """
        if self.ended.done():
            return self.ended.result()
        with contextlib.suppress(ConnectionError):
            self._stdin.write(json.dumps({"stop": grace}).encode() + b"\n")
            await self._stdin.drain()
        try:
            async with asyncio.timeout(grace + _LATE):
                return await asyncio.shield(self.ended)
        except TimeoutError:
            self._process.kill()  # the supervisor itself hangs; without it, the rest is found by its mark
            return await asyncio.shield(self.ended)

    async def _follow(self) -> None:
        ending = None
        while line := await self._stdout.readline():
            message = json.loads(line)
            match message["event"]:
                case "matched":
                    self.matched.set()
                case "slow":
                    self.slow = True
                case "ended":
                    ending = Ending(
                        message["code"], message["asked"], message["cpu"], tuple(message["lines"])
                    )
        await self._process.wait()
        self._stdin.close()
        if ending is None:
            await asyncio.to_thread(kill_marked, self._spec.mark, self.pid)
            ending = Ending(None, lines=("[the supervisor of the application was killed]",))
        self.ended.set_result(ending)


async def _spawn() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        "-c",
        _PROGRAM,
        os.fspath(_PACKAGES),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the agent, which lets the application end in its own time
        limit=1024 * 1024,
    )


async def _introduce(process: asyncio.subprocess.Process, spec: Spec) -> dict[str, Any]:
    assert process.stdin
    assert process.stdout
    document = asdict(spec) | {"environment": dict(spec.environment)}
    with contextlib.suppress(ConnectionError):
        process.stdin.write(json.dumps(document).encode() + b"\n")
        await process.stdin.drain()
    line = await process.stdout.readline()
    answer: dict[str, Any] = (
        json.loads(line) if line else {"event": "failed", "message": "its supervisor ended early"}
    )
    if answer["event"] != "started":
        raise StartError(answer["message"])
    return answer


async def _abandon(process: asyncio.subprocess.Process, spec: Spec) -> None:
    if process.stdin:
        process.stdin.close()  # the supervisor ends whatever it has started
    await asyncio.shield(_ended(process))
    await asyncio.shield(asyncio.to_thread(kill_marked, spec.mark, 0))


async def _ended(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(_ABANDON_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
