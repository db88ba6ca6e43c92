"""Runs a builder and writes down how that ended, whatever happens to either."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from servo.connectors.builds.agent import Agent
from servo.connectors.builds.build import Build, Image, Phase
from servo.connectors.builds.configuration import BuildsConfiguration
from servo.connectors.builds.errors import BuildsError
from servo.connectors.builds.housekeeping import held, hold
from servo.connectors.builds.journal import State, records
from servo.connectors.builds.logs import Log
from servo.connectors.builds.sources.engine import Docker, Engine, Podman
from servo.connectors.builds.submission import Given, sent

__all__ = ["run"]

SOURCE = "run"
_GRACE = 10.0
_NOT_FOUND, _SIGNALLED = 127, 128
_WITHIN = 30.0
_EXPOSED = 0.2  # seconds, of the log, that a kill may cost
_BUILDING = ("build", "bud")


@dataclass
class _Course:
    """How a builder runs.

    Attributes:
        told: The signal that we were sent, and handed on.
        late: Whether it took longer than it may.
    """

    process: asyncio.subprocess.Process
    log: Log | None
    told: int | None = None
    late: bool = False
    asked: list[int] = field(default_factory=list)

    def hand_on(self, number: int) -> None:
        """Give a signal to the builder; at the third time it is killed."""
        self.told = number
        self.asked.append(number)
        with suppress(ProcessLookupError):
            self.process.send_signal(number if len(self.asked) < 3 else signal.SIGKILL)  # noqa: PLR2004 - the third


async def run(
    config: BuildsConfiguration,
    command: Sequence[str],
    *,
    name: str | None = None,
    timeout: float | None = None,
) -> int:
    """Run a builder, and return its exit code.

    Its output goes where ours goes, and into a log. The build is in the journal before it begins; if this process is killed, the
    next agent finds the journal's line and the log so far, and sends them. What is wrong with the journal or the backend is told
    and changes nothing for the builder.

    Args:
        config: Of the agent.
        command: The builder with its arguments; no shell sees them.
        name: What the build is called, by default the tag or the directory.
        timeout: Seconds after which it is ended.
    """
    agent = Agent(config, sources=[Given()])
    try:
        await agent.open(alone=False)
    except (BuildsError, ValueError) as error:
        _say(f"the build is not recorded: {error}")
        return (await _ran(command, None, timeout))[0]
    try:
        return await _recorded(agent, list(command), name, timeout)
    finally:
        await agent.aclose()


async def _recorded(agent: Agent, command: list[str], name: str | None, timeout: float | None) -> int:
    engine = _engine(command)
    with tempfile.TemporaryDirectory(prefix="servo-builds-") as directory:
        told = Path(directory, "image")
        asked = _with_iidfile(command, told) if engine else command
        build = Build(
            f"{SOURCE}-{secrets.token_hex(16)}", name or _name(command), SOURCE, Phase.error,
            namespace=agent.config.namespace, started_at=time.time(), log="",
            labels={"builder": Path(command[0]).name},
        )  # fmt: skip
        lock = hold(held(agent.spool, build.identity))
        try:
            await agent.journal.write(records.begun, build, engine.engine if engine else None, time.time())
            code, course = await _logged(agent, build, asked, timeout)
            build = await _ended(build, code, course, engine, told)
            await agent.journal.write(records.ended, build, time.time())
        except BuildsError as error:
            _say(f"the build is not recorded: {error}")
            return code if "code" in locals() else (await _ran(command, None, timeout))[0]
        finally:
            held(agent.spool, build.identity).unlink(missing_ok=True)
            if lock is not None:
                os.close(lock)
    await _send(agent, build)
    return (
        _SIGNALLED + (course.told or 0) if code == 0 and build.phase is Phase.cancelled and course else code
    )


async def _logged(
    agent: Agent, build: Build, command: list[str], timeout: float | None
) -> tuple[int, _Course | None]:
    path = agent.spool.path(build.identity)
    # Not buffered, and kept up to date: what a killed agent has read is what the next one sends.
    with (
        open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "r+b", buffering=0) as file,
        Log(agent.secrets, agent.config.log.limit, file) as log,
    ):
        exposing = asyncio.create_task(_expose(log))
        try:
            found = await _ran(command, log, timeout)
        finally:
            exposing.cancel()
        log.finish()
        if log.left_out:
            agent.spool.save(build.identity, log)  # in its order
    return found


async def _expose(log: Log) -> None:
    while True:
        await asyncio.sleep(_EXPOSED)
        with suppress(OSError):
            log.expose()


async def _ran(command: Sequence[str], log: Log | None, timeout: float | None) -> tuple[int, _Course | None]:
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    except OSError as error:
        _say(f"{command[0]} cannot be run: {error.strerror}")
        return _NOT_FOUND, None
    course = _Course(process, log)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, course.hand_on, number)
    late = loop.call_later(timeout, _end, course) if timeout is not None else None
    try:
        await asyncio.gather(
            _pass(process.stdout, sys.stdout.buffer, log), _pass(process.stderr, sys.stderr.buffer, log)
        )
        code = await process.wait()
    finally:
        if late is not None:
            late.cancel()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
    return (code if code >= 0 else _SIGNALLED - code), course


def _end(course: _Course) -> None:
    course.late = True
    with suppress(ProcessLookupError):
        course.process.terminate()
    asyncio.get_running_loop().call_later(_GRACE, _kill, course.process)


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()


async def _pass(stream: asyncio.StreamReader | None, to: IO[bytes], log: Log | None) -> None:
    while stream is not None and (piece := await stream.read(64 * 1024)):
        with suppress(OSError, ValueError):  # nobody reads our output any more: the build goes on
            to.write(piece)
            to.flush()
        if log is not None:
            try:
                log.feed(piece)
            except OSError as error:
                _say(f"the log is not kept any more: {error.strerror}")
                log = None


async def _ended(build: Build, code: int, course: _Course | None, engine: Engine | None, told: Path) -> Build:
    if course is None:
        phase = Phase.error
    elif course.late:
        phase = Phase.timed_out
    elif course.told is not None and not (code == 0 and (engine is None or told.exists())):
        phase = Phase.cancelled  # some podman ends with 0 when it is told to end
    else:
        phase = Phase.failed if code else Phase.complete
    build = replace(build, phase=phase, exit_code=code, finished_at=time.time())
    if engine is None or code != 0 or not told.exists():
        return build
    image = told.read_text().strip().removeprefix("sha256:")
    build = replace(build, labels={**build.labels, "engine": str(engine.engine), "image_id": image})
    with suppress(BuildsError):
        base, output = await engine.images(image)
        return replace(build, base=base, output=output)
    return replace(build, output=Image(local=engine.local(image), shown=build.name))


async def _send(agent: Agent, build: Build) -> None:
    try:
        record = await sent(agent, build, _WITHIN)
    except (BuildsError, OSError) as error:
        _say(f"the build waits in the journal: {error}")
        return
    link = agent.backend.link(record.answer) if record.answer else None
    if link:
        _say(f"sent: {link}")
    elif record.state is State.waiting:
        _say(f"the build waits in the journal: {record.reason or 'another agent has it'}")
    else:
        _say(f"the build is not sent: {record.reason}")


def _engine(command: Sequence[str]) -> Engine | None:
    kind = Path(command[0]).name
    if kind == "podman" and _BUILDING[0] in command:
        return Podman(SOURCE, "", program=command[0])
    if kind == "docker" and _BUILDING[0] in command:
        return Docker(SOURCE, "", program=command[0])
    return Podman(SOURCE, "") if kind == "buildah" and set(_BUILDING) & set(command) else None


def _with_iidfile(command: list[str], told: Path) -> list[str]:
    """Have the builder tell which image it made; one that is asked already tells somebody else."""
    if any(each.startswith("--iidfile") for each in command):
        return command
    at = next(index for index, each in enumerate(command) if each in _BUILDING) + 1
    return [*command[:at], f"--iidfile={told}", *command[at:]]


def _name(command: Sequence[str]) -> str:
    for index, each in enumerate(command):
        if each in {"-t", "--tag"} and index + 1 < len(command):
            return command[index + 1]
        if each.startswith("--tag="):
            return each.removeprefix("--tag=")
    return Path.cwd().name or "build"


def _say(text: str) -> None:
    print(f"servo builds: {text}", file=sys.stderr)  # noqa: T201 - beside the builder's own words
