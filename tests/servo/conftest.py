"""Optimizers for tests: one that is called directly, one behind a real socket."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

import servo
from servo.assembly import Assembly
from servo.runner import AssemblyRunner

OPTIMIZER = {"id": "example.com/app", "token": "00000000-0000-0000-0000-000000000000"}
SLEEP = {"cmd": "SLEEP", "param": {"duration": 60, "data": {"reason": "nothing to do"}}}
OK = {"status": "ok"}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    """Keep the variables of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith(("SERVO_", "OPSANI_", "APPD_")):
            monkeypatch.delenv(name)


class ScriptedOptimizer(httpx2.AsyncBaseTransport):
    """Hands out commands in order, then SLEEP; keeps what was posted.

    ``replies`` maps an event to what it is answered: a body, a response, or a function of the message.
    """

    def __init__(self, *commands: Any) -> None:
        self.commands = list(commands)
        self.messages: list[dict[str, Any]] = []
        self.requests: list[httpx2.Request] = []
        self.times: list[float] = []
        self.replies: dict[str, Any] = {}
        self.asleep = asyncio.Event()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        message = json.loads(await request.aread())
        self.requests.append(request)
        self.messages.append(message)
        self.times.append(asyncio.get_running_loop().time())
        reply = self.replies.get(message["event"], self._next(message))
        reply = reply(message) if callable(reply) else reply
        reply = await reply if isinstance(reply, Awaitable) else reply
        return reply if isinstance(reply, httpx2.Response) else httpx2.Response(200, json=reply)

    def _next(self, message: dict[str, Any]) -> Any:
        if message["event"] != "WHATS_NEXT":
            return OK
        if self.commands:
            return self.commands.pop(0)
        self.asleep.set()
        return SLEEP

    def events(self) -> list[str]:
        return [message["event"] for message in self.messages]

    def results(self, event: str) -> list[dict[str, Any]]:
        """Return the results posted for an event, progress left out."""
        return [
            message["param"]
            for message in self.messages
            if message["event"] == event and "progress" not in message["param"]
        ]

    def progress(self, event: str) -> list[dict[str, Any]]:
        return [
            message["param"]
            for message in self.messages
            if message["event"] == event and "progress" in message["param"]
        ]


@pytest.fixture
def scripted() -> Callable[..., ScriptedOptimizer]:
    return ScriptedOptimizer


def describe_command(uid: str = "d") -> dict[str, Any]:
    return {"cmd": "DESCRIBE", "cmd_uid": uid, "param": {"control": {}}}


def measure_command(uid: str = "m", **control: Any) -> dict[str, Any]:
    return {"cmd": "MEASURE", "cmd_uid": uid, "param": {"metrics": ["throughput"], "control": control}}


def adjust_command(uid: str = "a", value: Any = 1.5) -> dict[str, Any]:
    components = {"web": {"settings": {"cpu": {"value": value}}}}
    return {"cmd": "ADJUST", "cmd_uid": uid, "param": {"state": {"application": {"components": components}}}}


@pytest.fixture
def commands() -> Any:
    """Makers of commands."""

    class Commands:
        describe = staticmethod(describe_command)
        measure = staticmethod(measure_command)
        adjust = staticmethod(adjust_command)

    return Commands


@pytest.fixture
def make_servo() -> Callable[..., Any]:
    """Return a maker of a servo with connectors, by name, of given classes."""

    def make(transport: Any, connectors: Any = None, **config: Any) -> servo.Servo:
        classes = connectors or {}
        document = {
            "optimizer": OPTIMIZER,
            "connectors": {name: kind.__name__ for name, kind in classes.items()},
            **{name: {} for name in classes},
            **config,
        }
        assembly = Assembly(connections=servo.api.Connections(transport))
        return assembly.build(servo.configuration.Document.of(document), {})

    return make


@pytest.fixture
def running() -> Callable[..., Any]:
    """Return a context manager that runs servos in the background and stops them in an orderly way."""

    @asynccontextmanager
    async def run(*servos: servo.Servo, reason: str = "SIGTERM") -> Any:
        assembly = Assembly(servos=servos, connections=servos[0].client._connections if servos else None)
        runner = AssemblyRunner(assembly)
        task = asyncio.ensure_future(runner.run_async())
        await asyncio.sleep(0)
        try:
            yield runner
        finally:
            await runner.shutdown(reason=reason)
            runner.exit_code = await task  # type: ignore[attr-defined] # for the test to read

    return run


class RawServer:
    """A real HTTP server that does with each connection what it is told, however rude.

    ``behaviour`` is called with the request's head, body and the stream to answer on.
    """

    def __init__(self, behaviour: Callable[..., Awaitable[None]]) -> None:
        self.behaviour = behaviour
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.open = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while head := await self._head(reader):
                length = next(
                    (
                        int(line[15:])
                        for line in head.lower().splitlines()
                        if line.startswith("content-length:")
                    ),
                    0,
                )
                body = await reader.readexactly(length)
                self.requests.append(
                    (head, json.loads(body) if body.startswith(b"{") else {"form": body.decode()})
                )
                await self.behaviour(self.requests[-1], writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()

    @staticmethod
    async def _head(reader: asyncio.StreamReader) -> str:
        try:
            return (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return ""


def http(status: int, body: bytes | Any, *headers: str) -> bytes:
    """Return the bytes of a response."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Length: {len(content)}",
        "Content-Type: application/json",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@pytest.fixture
async def raw_server() -> Any:
    """Return a starter of raw servers on free ports; they stop with the test."""
    started: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(behaviour: Callable[..., Awaitable[None]]) -> RawServer:
        server = RawServer(behaviour)

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.current_task())  # type: ignore[arg-type]  # a callback of streams is a task
            await server.serve(reader, writer)

        listener = await asyncio.start_server(accept, "127.0.0.1", 0)
        started.append(listener)
        server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        return server

    yield start
    for listener in started:
        listener.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def http_response() -> Callable[..., bytes]:
    return http
