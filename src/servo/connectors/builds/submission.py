"""Sends one build, for a job of continuous integration."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import stat
import sys
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from servo.connectors.builds.agent import Agent
from servo.connectors.builds.build import Build, Image, Phase, identity_of
from servo.connectors.builds.configuration import BuildsConfiguration
from servo.connectors.builds.errors import BackendError, BuildsError, JournalFullError
from servo.connectors.builds.journal import Record, State, records
from servo.connectors.builds.logs import CHUNK, Log
from servo.connectors.builds.references import Reference
from servo.connectors.builds.sources import Batch

__all__ = ["Done", "Given", "described", "sent", "submit"]

SOURCE = "submit"
STDIN = "-"
_POLL = 1.0


@dataclass
class Done:
    """What became of a build.

    Attributes:
        ok: Whether it was taken and, if that was waited for, analysed.
        link: Where to see more.
        document: Identity, state, link, the backend's answer.
        notes: What a person should know.
    """

    ok: bool
    link: str | None = None
    document: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Given:
    """The source of builds that are submitted: it sees nothing by itself."""

    engine: str | None = None
    is_volatile = False
    name = SOURCE

    async def watch(self, position: str | None) -> AsyncGenerator[Batch, None]:
        """Nothing is seen."""
        for batch in list[Batch]():
            yield batch

    async def existing(self) -> AsyncGenerator[Batch, None]:
        """Nothing is there."""
        for batch in list[Batch]():
            yield batch

    def log(self, build: Build) -> AsyncGenerator[bytes, None]:
        """Return the log of a build whose log is a file."""
        from servo.connectors.builds.logs import read_file

        return read_file(Path(build.log or ""))

    async def check(self) -> str:
        """Return its name."""
        return SOURCE

    async def aclose(self) -> None:
        """Nothing is open."""


def described(
    name: str,
    identity: str | None,
    *,
    phase: str | None,
    exit_code: int | None,
    base: str | None,
    output: str | None,
    labels: Iterable[str],
    log: str | None,
) -> Build:
    """Return the build that a command line speaks of.

    Raises:
        ValueError: It is none; the text says why.
    """
    if log is None and base is None and output is None:
        raise ValueError("nothing to send: give --log, --base or --output")
    pairs = [each.partition("=") for each in labels]
    if wrong := ["".join(each) for each in pairs if not (each[0] and each[1])]:
        raise ValueError(f"--label {wrong[0]!r} is not of the form KEY=VALUE")
    _require_readable(log)
    ended = Phase.unknown if exit_code is None else Phase.failed if exit_code else Phase.complete
    return Build(
        identity_of(SOURCE, identity) if identity else f"{SOURCE}-{secrets.token_hex(16)}",
        name,
        SOURCE,
        Phase(phase) if phase else ended,
        finished_at=time.time(),
        exit_code=exit_code,
        labels={key: value for key, _, value in pairs},
        base=_image(base, "--base"),
        output=_image(output, "--output"),
    )


async def submit(
    config: BuildsConfiguration, build: Build, log: str | None, *, within: float, wait: bool
) -> Done:
    """Write a build down, and send it, or have it sent by the agent whose journal it is.

    Args:
        config: Of the agent.
        build: What is sent.
        log: Its log: a file, or ``-`` for standard input; None for none.
        within: Seconds to try.
        wait: Whether to wait until it is analysed.
    """
    agent = Agent(config, sources=[Given()])
    try:
        await agent.open(alone=False)
    except (BuildsError, ValueError) as error:
        return Done(False, notes=[f"Error: {error}"])
    try:
        await _written(agent, build, log)
        record = await sent(agent, build, within)
        return await _told(agent, record, within=within, wait=wait)
    except (BuildsError, OSError) as error:
        return Done(False, notes=[f"Error: {error}"])
    finally:
        await agent.aclose()


async def _written(agent: Agent, build: Build, log: str | None) -> None:
    labels = {key: agent.secrets.redact(value) for key, value in build.labels.items()}
    build = replace(build, namespace=build.namespace or agent.config.namespace, labels=labels)
    if await agent.journal.read(records.one, build.identity) is not None:
        return
    if log is not None and agent.config.build_log:
        with Log(agent.secrets, agent.config.log.limit) as collected:
            await asyncio.to_thread(_collect, collected, log)
            agent.spool.save(build.identity, collected)
        build = replace(build, log="")
    await agent.journal.write(records.see, [build], SOURCE, None, time.time())


def _require_readable(log: str | None) -> None:
    """Tell of a log that is not there before anybody is asked for anything; it is not opened, for it may be a pipe."""
    if log is None or log == STDIN:
        return
    try:
        mode = Path(log).stat().st_mode
    except OSError as error:
        trouble = error.errno
    else:
        trouble = errno.EISDIR if stat.S_ISDIR(mode) else 0 if os.access(log, os.R_OK) else errno.EACCES
    if trouble:
        raise ValueError(f"--log {log}: {os.strerror(trouble)}; name a file, or - for standard input")


def _collect(log: Log, place: str) -> None:
    descriptor = os.dup(sys.stdin.fileno()) if place == STDIN else os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:
        while piece := file.read(CHUNK):
            log.feed(piece)
    log.finish()


async def sent(agent: Agent, build: Build, within: float) -> Record:
    """Send it if nobody else does; else wait for who does."""
    deadline = time.time() + within
    ours = agent.journal.lock()
    while True:
        record = await agent.journal.read(records.one, build.identity)
        assert record is not None
        now = time.time()
        if record.state is not State.waiting or now > deadline:
            return record
        if not ours:
            ours = agent.journal.lock()
        if ours and (record.due_at or 0) <= now:
            with suppress(TimeoutError, JournalFullError):
                async with asyncio.timeout(max(0.1, deadline - now)):
                    await agent.submitter.handle(record)
                continue
        due = (record.due_at or 0) - now
        await asyncio.sleep(min(_POLL, due) if ours and due > 0 else _POLL / 5)


async def _told(agent: Agent, record: Record, *, within: float, wait: bool) -> Done:
    build, answer = record.build, record.answer or {}
    link = agent.backend.link(answer) if answer else None
    document = {"identity": build.identity, "state": str(record.state), "link": link, "answer": record.answer, "reason": record.reason}  # fmt: skip
    done = Done(record.state is State.submitted, link, document)
    done.notes += [f"Missing: {each['part']}: {each['reason']}" for each in answer.get("missing") or ()]
    done.notes += [f"Refused: {part}: {why}" for part, why in _refused(answer)]
    if not done.ok:
        done.notes.append(
            f"Error: {build.identity} is not sent ({record.state}): {record.reason or 'no time was left'}"
        )
    elif wait:
        await _analysed(agent, answer, done, within)
    return done


async def _analysed(agent: Agent, answer: Mapping[str, Any], done: Done, within: float) -> None:
    part = answer.get("build_analysis")
    identity = part.get("analysis_id") if isinstance(part, dict) else None
    if not isinstance(identity, str):
        done.notes.append("the backend gave no id of the whole analysis: it is not waited for")
        return
    deadline = time.time() + within
    while True:
        try:
            status, document = await agent.backend.result(identity)
        except BackendError as error:
            status, document = 0, {"error": str(error)}
        if status == 200:  # noqa: PLR2004 - it is over
            done.document["result"] = document
            state = document.get("state") if isinstance(document, dict) else None
            done.ok = state not in {"failed", "error"}
            return
        if (400 <= status < 500 and status != 429) or time.time() > deadline:  # noqa: PLR2004 - as HTTP has it
            done.ok = False
            done.notes.append(f"Error: {identity} is not analysed: {status or document}")
            return
        await asyncio.sleep(_POLL)


def _refused(answer: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for key, value in answer.items():
        if isinstance(value, dict) and "error" in value:
            yield key, str(value["error"])


def _image(name: str | None, option: str) -> Image | None:
    if name is None:
        return None
    try:
        Reference.parse(name)
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from error
    return Image(name=name, shown=name)
