"""Small servers and processes that the tests of connectors talk to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest


@pytest.fixture
def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@dataclass
class Seen:
    """A request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Stub:
    """A tiny HTTP server in this process.

    Attributes:
        answer: Makes the raw answer to a request; an empty one closes the connection without an answer.
        seen: What was asked.
        connections: How often somebody connected.
        stall_until: Time (monotonic) before which nothing is answered.
    """

    answer: Callable[[Seen], bytes | Awaitable[bytes]]
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    stall_until: float = 0.0
    serving: set[asyncio.Task[None] | None] = field(default_factory=set)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def asked(self, times: int = 1) -> None:
        """Wait until that many requests have arrived."""
        while len(self.seen) < times:
            self.arrived.clear()
            await self.arrived.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.serving.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                while await self._exchange(reader, writer):
                    pass
            finally:
                writer.close()
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        seen = Seen(method, path, headers, body, time.monotonic())
        self.seen.append(seen)
        self.arrived.set()
        if (wait := self.stall_until - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        answer = self.answer(seen)
        raw = answer if isinstance(answer, bytes) else await answer
        writer.write(raw)
        await writer.drain()
        return bool(raw) and b"connection: close" not in raw.lower()


def reply(status: int = 200, body: bytes = b"hello", *headers: str) -> bytes:
    """A raw HTTP answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """A server that answers 200 to everything unless told otherwise."""
    server = Stub(lambda seen: reply())
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()
    for task in server.serving:
        task.cancel()
    await asyncio.gather(*server.serving, return_exceptions=True)
    await asyncio.sleep(0)


@pytest.fixture
def raw_reply() -> Callable[..., bytes]:
    """Makes raw HTTP answers."""
    return reply
