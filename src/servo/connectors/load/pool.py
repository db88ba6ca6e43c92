"""Connections to the origins of a load, and who gets the next free one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from servo.connectors.load.connection import Connection
from servo.connectors.load.exchange import Exchange
from servo.connectors.load.requests import Origin

MAX_BACKLOG = 100_000
"""Requests that may wait for a connection; more are counted as failed (`overflow`)."""

Answered = Callable[[Exchange, int, int], None]
Failed = Callable[[Exchange, str], None]
Connect = Callable[[Callable[[], Connection]], Coroutine[Any, Any, Any]]


class Pool:
    """Connections to one origin, the most recently used first, so that few are kept busy.

    Args:
        connect: Opens a connection with a protocol factory.
        limit: Most connections.
        timeout: Seconds a connection may take to be opened.
        max_body: Bytes of an answer's body that are accepted.
        answered: Told of each answer: exchange, status, bytes of the body.
        failed: Told of each failure: exchange, kind.

    Attributes:
        opened: Connections opened so far.
        waited: Requests that found every connection busy.
        retried: Requests sent again.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        limit: int,
        timeout: float,
        max_body: int,
        answered: Answered,
        failed: Failed,
    ) -> None:
        self._connect = connect
        self._limit = limit
        self._timeout = timeout
        self._max_body = max_body
        self._answered = answered
        self._failed = failed
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._backlog: deque[Exchange] = deque()
        self._closed = False
        self.opened = 0
        self.waited = 0
        self.retried = 0

    def submit(self, exchange: Exchange) -> None:
        """Send a request as soon as a connection is free."""
        if self._idle:
            self._idle.pop().begin(exchange)
        elif len(self._backlog) >= MAX_BACKLOG:
            self._failed(exchange, "overflow")
        else:
            self._backlog.append(exchange)
            if not self._grow() and len(self._opening) < len(self._backlog):
                self.waited += 1

    def _grow(self) -> bool:
        wanted = len(self._opening) < len(self._backlog)
        if self._closed or not wanted or len(self._all) + len(self._opening) >= self._limit:
            return False
        task = asyncio.get_running_loop().create_task(self._open())
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        return True

    async def _open(self) -> None:
        connection = Connection(self, self._max_body)
        try:
            async with asyncio.timeout(self._timeout):
                await self._connect(lambda: connection)
        except (OSError, TimeoutError) as error:
            self._refused(kind_of(error))
            return
        self.opened += 1
        if not connection.reusable:  # accepted and closed at once
            self._refused("connection-closed")
            return
        self._all.add(connection)
        self._release(connection)

    def _refused(self, kind: str) -> None:
        waiting = self._next()
        if waiting:
            self._failed(waiting, kind)

    def _next(self) -> Exchange | None:
        while self._backlog:
            exchange = self._backlog.popleft()
            if not exchange.done:
                return exchange
        return None

    def _release(self, connection: Connection) -> None:
        if self._closed or not connection.reusable:
            self._drop(connection)
        elif waiting := self._next():
            connection.begin(waiting)
        else:
            self._idle.append(connection)

    def _drop(self, connection: Connection) -> None:
        self._all.discard(connection)
        with contextlib.suppress(ValueError):
            self._idle.remove(connection)
        connection.abort()
        self._grow()

    def answered(self, connection: Connection, status: int, received: int) -> None:
        """See `connection.Owner`."""
        exchange, connection.exchange = connection.exchange, None
        if exchange is not None and not exchange.done:
            exchange.connection = None
            self._answered(exchange, status, received)
        self._release(connection)

    def broken(self, connection: Connection, exchange: Exchange | None, kind: str | None) -> None:
        """See `connection.Owner`."""
        if connection in self._all:
            self._drop(connection)
        if exchange is None or exchange.done or self._closed:
            return
        exchange.connection = None
        if self._may_retry(connection, exchange):
            exchange.retried = True
            self.retried += 1
            self.submit(exchange)
        else:
            self._failed(exchange, kind or "connection-closed")

    @staticmethod
    def _may_retry(connection: Connection, exchange: Exchange) -> bool:
        # The server closed an idle connection just as we used it: any client would simply ask again.
        reused = not connection.fresh and connection.untouched
        return reused and exchange.request.repeatable and not exchange.retried

    def give_up(self, exchange: Exchange) -> None:
        """Stop waiting for an answer; its connection cannot be used for another."""
        connection, exchange.connection = exchange.connection, None
        if connection is not None:
            self._drop(connection)

    def close(self) -> None:
        """Drop all connections."""
        self._closed = True
        for task in list(self._opening):
            task.cancel()
        for connection in list(self._all):
            connection.abort()
        self._all.clear()
        self._idle.clear()
        self._backlog.clear()


def kind_of(error: BaseException) -> str:
    """A short stable name of what went wrong with a connection."""
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, TimeoutError):
        return "connect-timeout"
    if isinstance(error, ConnectionRefusedError):
        return "connection-refused"
    if isinstance(error, ConnectionError):
        return "connection-reset"
    return "connect"


async def connector(origin: Origin, context: ssl.SSLContext | None) -> Connect:
    """A function that opens connections to an origin, whose name is resolved once, now.

    Raises:
        OSError: The name cannot be resolved.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    tls: dict[str, Any] = {"ssl": context, "server_hostname": origin.host} if origin.scheme == "https" else {}

    async def connect(factory: Callable[[], Connection]) -> None:
        # "localhost" may mean two addresses of which one is served: what worked last is tried first.
        errors: list[OSError] = []
        for address in list(addresses):
            try:
                await loop.create_connection(factory, address, origin.port, **tls)
            except OSError as error:
                errors.append(error)
            else:
                addresses.sort(key=lambda other: other != address)
                return
        raise errors[-1]

    return connect
