"""A small HTTP/1.1 client: posts to one server over connections that are kept.

Why not httpx2, which the agent uses elsewhere: a request of 2 KB costs it 0.50 ms of a core, this one 0.024 (measured against a
server of another process); an agent that catches up after an outage posts thousands a second. Where a proxy is to be used, httpx2 it is, see :class:`ProxiedTransport`.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import httptools

__all__ = ["Answer", "DirectTransport", "ExchangeError", "ProxiedTransport", "Transport"]

MAX_ANSWER = 1024 * 1024  # with its head
KEPT = 30.0


class ExchangeError(Exception):
    """There was no answer: no connection, it broke off, it took too long, or it was no HTTP."""


@dataclass(slots=True)
class Answer:
    """What a server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON; None if it is none."""
        try:
            return json.loads(self.body.decode())
        except ValueError:
            return None


class Transport(Protocol):
    """Sends requests to one server."""

    async def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterator[bytes] = b"",
    ) -> Answer:
        """Send a request, and return the answer.

        Args:
            method: Such as ``POST``.
            target: Path and query.
            headers: Beside those of the connection.
            body: As a whole, or in pieces.

        Raises:
            ExchangeError: There is none.
        """

    async def aclose(self) -> None:
        """Close the connections."""


class DirectTransport:
    """Connects to the server itself.

    Args:
        url: Its scheme, host and port.
        context: How its certificate is verified.
        timeout: Seconds until it has to be connected, and until each answer has to be there.
    """

    def __init__(self, url: str, context: ssl.SSLContext | None = None, *, timeout: float = 60.0) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._tls = (context or ssl.create_default_context()) if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._timeout = timeout
        host = f"[{self._host}]" if ":" in self._host else self._host
        authority = host if parts.port is None else f"{host}:{parts.port}"
        self._common = f"Host: {authority}\r\nAccept: application/json"
        self._idle: list[tuple[float, _Connection]] = []

    async def request(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | AsyncIterator[bytes] = b""
    ) -> Answer:
        """Send a request, see :meth:`Transport.request`."""
        framing = f"Content-Length: {len(body)}" if isinstance(body, bytes) else "Transfer-Encoding: chunked"
        lines = [f"{method} {target} HTTP/1.1", self._common, framing]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if any("\n" in line or "\r" in line for line in (lines[0], *lines[3:])):
            raise ExchangeError("a line break in a header")
        head = "\r\n".join([*lines, "", ""])
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(head.encode("latin-1", "replace"), body)
        except TimeoutError:
            raise ExchangeError(f"no answer within {self._timeout:g} s") from None
        except (OSError, EOFError, httptools.HttpParserError, ssl.SSLError) as error:
            raise ExchangeError(f"{type(error).__name__}: {error}"[:300]) from error

    async def aclose(self) -> None:
        """Close the connections."""
        idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    async def _exchange(self, head: bytes, body: bytes | AsyncIterator[bytes]) -> Answer:
        connection = self._kept() or await self._connect()
        try:
            answer = await connection.exchange(head, body)
        except BaseException:
            connection.close()
            raise
        if connection.reusable:
            self._idle.append((asyncio.get_running_loop().time(), connection))
        else:
            connection.close()
        return answer

    def _kept(self) -> _Connection | None:
        deadline = asyncio.get_running_loop().time() - KEPT
        while self._idle:
            since, connection = self._idle.pop()
            if since > deadline and connection.usable:
                return connection
            connection.close()
        return None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        name = self._host if self._tls else None
        _, protocol = await loop.create_connection(
            _Connection, self._host, self._port, ssl=self._tls, server_hostname=name
        )
        return protocol


@dataclass(slots=True, eq=False)
class _Connection(asyncio.Protocol):
    """One exchange after the other over one connection."""

    transport: asyncio.Transport | None = None
    parser: Any = None
    waiter: asyncio.Future[None] | None = None
    writable: asyncio.Future[None] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False
    reusable: bool = False
    until_end: bool = False
    received: int = 0

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return not self.ended and self.transport is not None and not self.transport.is_closing()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    async def exchange(self, head: bytes, body: bytes | AsyncIterator[bytes]) -> Answer:
        assert self.transport is not None
        self.parser, self.reusable = httptools.HttpResponseParser(self), False
        self.headers, self.body, self.received = {}, bytearray(), 0
        self.waiter = asyncio.get_running_loop().create_future()
        if isinstance(body, bytes):
            self.transport.write(head + body)
        else:
            await self._stream(head, body)
        await self.waiter
        return Answer(self.parser.get_status_code(), self.headers, bytes(self.body))

    async def _stream(self, head: bytes, body: AsyncIterator[bytes]) -> None:
        assert self.transport is not None
        assert self.waiter is not None
        self.transport.write(head)
        async for piece in body:
            # A server that has refused already need not hear the rest.
            if self.waiter.done():
                self.reusable = False
                return
            if piece:
                self.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            if self.writable is not None:
                await self.writable
        self.transport.write(b"0\r\n\r\n")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are none by their class

    def pause_writing(self) -> None:
        self.writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self.writable is not None and not self.writable.done():
            self.writable.set_result(None)
        self.writable = None

    def data_received(self, data: bytes) -> None:
        if self.waiter is None or self.waiter.done():
            self.ended = True  # nobody asked
            return
        self.received += len(data)
        if self.received > MAX_ANSWER:
            self._fail(EOFError(f"an answer of more than {MAX_ANSWER} bytes"))
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(error)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        if exc is None and self.until_end:
            self._complete()
        self._fail(exc or EOFError("the connection was closed"))
        self.resume_writing()

    def on_message_begin(self) -> None:
        self.headers, self.until_end = {}, False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        # Nothing says how long it is: it ends with the connection.
        self.until_end = self.headers.keys().isdisjoint(("content-length", "transfer-encoding"))

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        # An interim answer (100 Continue) is not the one that is waited for.
        if self.parser.get_status_code() < 200:  # noqa: PLR2004 - the first that is final
            return
        self.reusable = self.parser.should_keep_alive()
        self._complete()

    def _complete(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def _fail(self, error: Exception) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_exception(error)


class ProxiedTransport:
    """Goes through a proxy, or whatever else httpx2 can do.

    Args:
        url: Scheme, host and port of the server.
        context: How its certificate is verified.
        proxy: The proxy's URL; that of the environment if None.
        timeout: Seconds of each exchange.
    """

    def __init__(
        self,
        url: str,
        context: ssl.SSLContext | None = None,
        *,
        proxy: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        import httpx2

        self._base = url.rstrip("/")
        self._timeout = timeout
        self._client = httpx2.AsyncClient(verify=context or True, proxy=proxy, timeout=timeout)

    async def request(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | AsyncIterator[bytes] = b""
    ) -> Answer:
        """Send a request, see :meth:`Transport.request`."""
        import httpx2

        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(method, self._base + target, headers, body)
        except TimeoutError:
            raise ExchangeError(f"no answer within {self._timeout:g} s") from None
        except httpx2.HTTPError as error:
            raise ExchangeError(f"{type(error).__name__}: {error}"[:300]) from error

    async def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> Answer:
        async with self._client.stream(method, url, headers=dict(headers), content=body) as response:
            found = bytearray()
            async for piece in response.aiter_bytes():
                found += piece
                if len(found) > MAX_ANSWER:
                    raise ExchangeError(f"an answer of more than {MAX_ANSWER} bytes")
            return Answer(
                response.status_code, {k.lower(): v for k, v in response.headers.items()}, bytes(found)
            )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
