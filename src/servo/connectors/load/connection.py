"""One HTTP/1.1 connection, with one request under way at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import httptools

if TYPE_CHECKING:
    from servo.connectors.load.exchange import Exchange

MAX_HEAD = 64 * 1024
"""Bytes of a response's head beyond which it is refused."""

_FINAL = 200
_SWITCHING = 101


class Owner(Protocol):
    """Who is told how an exchange ended."""

    def answered(self, connection: Connection, status: int, received: int) -> None:
        """The whole answer is there; the connection may be used again if it is `reusable`."""

    def broken(self, connection: Connection, exchange: Exchange | None, kind: str | None) -> None:
        """The connection is gone, with what was under way on it; `kind` is None if nothing was at fault."""


class Connection(asyncio.Protocol):
    """Writes prepared requests and reads answers without keeping them.

    Attributes:
        exchange: What is under way.
        reusable: Whether another request can be sent after the last answer.
        fresh: Whether no answer has arrived on it yet.
    """

    __slots__ = (
        "_body",
        "_complete",
        "_head",
        "_headers_done",
        "_max_body",
        "_owner",
        "_parser",
        "_status",
        "_transport",
        "exchange",
        "fresh",
        "reusable",
    )

    def __init__(self, owner: Owner, max_body: int) -> None:
        self._owner = owner
        self._max_body = max_body
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self.exchange: Exchange | None = None
        self.reusable = True
        self.fresh = True
        self._reset()

    def _reset(self) -> None:
        self._status = 0
        self._body = 0
        self._head = b""
        self._headers_done = False
        self._complete = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the connection is up."""
        self._transport = transport  # type: ignore[assignment] # a stream's transport, by construction

    def begin(self, exchange: Exchange) -> None:
        """Send a request."""
        self.exchange = exchange
        exchange.connection = self
        self._transport.write(exchange.request.payload)  # type: ignore[union-attr] # called once it is up

    def abort(self) -> None:
        """Close at once, telling nobody."""
        self.exchange = None
        self.reusable = False
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Asyncio: a part of an answer."""
        if self.exchange is None:
            self._fail(None)  # an answer nobody asked for: whatever follows would be taken for another's
            return
        if not self._headers_done:
            self._head += data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("unexpected-upgrade")
        except httptools.HttpParserError:
            self._finish() if self._complete else self._fail("bad-response")
        else:
            self._judge()

    def _judge(self) -> None:
        if self._complete:
            self._finish()
        elif self._body > self._max_body:
            self._fail("body-too-large")
        elif not self._headers_done and len(self._head) > MAX_HEAD:
            self._fail("head-too-large")

    def on_headers_complete(self) -> None:
        """Httptools: the head is there."""
        status = self._parser.get_status_code()
        if self._complete:
            self.reusable = False  # a second answer: it cannot be told to whom it belongs
        elif status >= _FINAL or status == _SWITCHING:
            self._status = status
            self._headers_done = True
            if self.exchange is not None and self.exchange.request.head:
                self._complete = True

    def on_body(self, body: bytes) -> None:
        """Httptools: a part of the body."""
        self._body += len(body)

    def on_message_complete(self) -> None:
        """Httptools: an answer is complete; an interim one (1xx) is not the answer."""
        if self._headers_done:
            self._complete = True
            self.reusable = self.reusable and self._parser.should_keep_alive()  # known only here

    def _finish(self) -> None:
        status, received = self._status, self._body
        head = self.exchange is not None and self.exchange.request.head
        if head:
            self.reusable = self.reusable and b"connection: close" not in self._head.lower()
            self._parser = httptools.HttpResponseParser(
                self
            )  # the old one waits for the body that never comes
        self.fresh = False
        self._reset()
        self._owner.answered(self, status, received)

    def _fail(self, kind: str | None) -> None:
        exchange = self.exchange
        self.abort()
        self._owner.broken(self, exchange, kind)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the connection is gone."""
        exchange = self.exchange
        if exchange is not None and self._ends_with_connection() and exc is None:
            self.reusable = False
            self._finish()
            return
        self.exchange = None
        self.reusable = False
        self._owner.broken(self, exchange, "connection-closed" if exc is None else "connection-reset")

    @property
    def untouched(self) -> bool:
        """Whether nothing of the answer under way has arrived."""
        return not self._head and not self._headers_done

    def _ends_with_connection(self) -> bool:
        # An answer without a length ends where the connection does; any other one is cut short.
        if not self._headers_done:
            return False
        head = self._head.partition(b"\r\n\r\n")[0].lower()
        return b"\ncontent-length:" not in head and b"\ntransfer-encoding:" not in head
