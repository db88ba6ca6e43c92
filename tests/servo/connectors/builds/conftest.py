"""A backend in this process, sources that are lists, and an agent between them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from servo.connectors.builds.agent import Agent
from servo.connectors.builds.build import Build, Image, Phase
from servo.connectors.builds.configuration import BuildsConfiguration
from servo.connectors.builds.http import Answer, ExchangeError
from servo.connectors.builds.journal import Journal, records
from servo.connectors.builds.sources import Batch


@dataclass
class StubBackend:
    """Answers as a backend does: the same key gets the same answer.

    Attributes:
        fault: Called with each request before it is taken; what it returns is the answer, what it raises there is none.
        taken: Body of each submission that was accepted, by key.
        requests: Key, target, headers and body of each request, in their order.
    """

    fault: Callable[[str], Answer | None] = lambda key: None
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    async def request(self, method, target, headers, body=b"") -> Answer:
        whole = body if isinstance(body, bytes) else b"".join([piece async for piece in body])
        key = headers.get("Idempotency-Key", "")
        self.requests.append((key, target, dict(headers), whole))
        if (found := self.fault(key)) is not None:
            return found
        if method == "GET":
            return Answer(404, {}, b'{"error": "not found", "parameters": {}}')
        if key not in self.answers:
            self.taken[key] = json.loads(whole)
            self.answers[key] = json.dumps(answer_to(self.taken[key], len(self.taken))).encode()
        return Answer(202, {}, self.answers[key])

    async def aclose(self) -> None:
        pass


def answer_to(body, number):
    """What reference 2.1 says of an answer."""

    def image(key):
        return (
            {"analysis_id": f"package-extract-{key}-{number}", "cached": False, "parameters": {}}
            if body.get(key)
            else None
        )

    log = body.get("build_log")
    return {
        "base_image_analysis": image("base_image"),
        "output_image_analysis": image("output_image"),
        "buildlog_analysis": {"analysis_id": f"buildlog-parser-{number}", "cached": False} if log else None,
        "buildlog_document_id": f"buildlog-{number}" if log else None,
        "build_analysis": {"analysis_id": f"build-analysis-{number}"},
    }


def refusal(status, document=None, **headers):
    return Answer(
        status,
        {key.replace("_", "-"): value for key, value in headers.items()},
        json.dumps(document or {}).encode(),
    )


def unreachable(key):
    raise ExchangeError("connection refused")


@dataclass
class ListSource:
    """Shows builds that a test gives it."""

    name: str = "list"
    engine: str | None = None
    is_volatile: bool = False
    batches: list[Batch] = field(default_factory=list)
    logs: dict[str, Any] = field(default_factory=dict)
    positions: list[str | None] = field(default_factory=list)
    there: list[Batch] = field(default_factory=list)
    given: asyncio.Event = field(default_factory=asyncio.Event)

    def show(self, *builds, position=None) -> None:
        self.batches.append(Batch(builds, position))
        self.given.set()

    async def watch(self, position) -> AsyncIterator[Batch]:
        self.positions.append(position)
        while True:
            while self.batches:
                yield self.batches.pop(0)
            self.given.clear()
            await self.given.wait()

    async def existing(self):
        for batch in self.there:
            yield batch

    async def log(self, build):
        found = self.logs.get(build.identity, b"STEP 1/1: RUN true\n")
        if isinstance(found, Exception):
            raise found
        yield found

    async def aclose(self) -> None:
        """Nothing is open."""

    async def check(self) -> str:
        return "a list"


def a_build(identity="one", **values):
    known = {
        "name": "app",
        "source": "list",
        "phase": Phase.complete,
        "log": "there",
        "base": Image("registry.example/base:1"),
        "output": Image("registry.example/team/app:1"),
    }
    return Build(identity, **{**known, **values})


@pytest.fixture
def build():
    return a_build


@pytest.fixture
def backend():
    return StubBackend()


@pytest.fixture
def source():
    return ListSource()


@pytest.fixture
def config(tmp_path):
    """Makes a configuration whose journal is in a directory of the test."""

    def make(**values):
        return BuildsConfiguration.model_validate(
            {"backend": {"url": "http://backend.example"}, "journal": tmp_path / "journal.sqlite", **values}
        )

    return make


@pytest.fixture
async def agent(config, backend, source):
    """Starts agents, and stops them at the end."""
    started = []

    async def start(configuration=None, **options):
        made = Agent(configuration or config(), sources=[source], transport=backend, **options)
        await made.start()
        started.append(made)
        return made

    yield start
    for each in started:
        with contextlib.suppress(Exception):
            await each.stop()


async def wait_until(condition, seconds=30.0):
    """Wait for something to become true; it may be a coroutine function."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.005)


async def read_state(journal: Journal, identity: str) -> str | None:
    record = await journal.read(records.one, identity)
    return None if record is None else str(record.state)


@pytest.fixture
def until():
    return wait_until


@pytest.fixture
def state_of():
    return read_state


@pytest.fixture
def refused():
    """Makes answers other than 202."""
    return refusal


@pytest.fixture
def away():
    """A fault: nobody answers."""
    return unreachable
