"""What containers print."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

from servo.kubernetes.connection import Connection, Exchange
from servo.kubernetes.resources import PODS

__all__ = ["follow_log", "read_log"]

PLAIN = "*/*"
_SLACK = 4096
_SILENT = 365 * 86400.0
"""A container may be silent for as long as it likes; a dead connection is noticed by TCP."""


async def read_log(
    connection: Connection,
    namespace: str,
    name: str,
    *,
    container: str | None,
    previous: bool,
    tail: int | None,
    limit: int,
    timestamps: bool,
) -> bytes:
    """Return the beginning of a container's log, or of its last lines; see ``Client.log``."""
    params = _params(
        container=container, previous=previous, tailLines=tail, limitBytes=limit, timestamps=timestamps
    )
    exchange = Exchange("GET", PODS.path(namespace, name, "log"), params, accept=PLAIN)
    return (await connection.read(exchange, limit=limit + _SLACK))[:limit]


async def follow_log(
    connection: Connection,
    namespace: str,
    name: str,
    *,
    container: str | None,
    since: datetime | None,
    timestamps: bool,
) -> AsyncGenerator[bytes, None]:
    """Yield a container's log as it grows; see ``Client.follow_log``."""
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if since else None
    params = _params(follow=True, container=container, sinceTime=moment, timestamps=timestamps)
    exchange = Exchange("GET", PODS.path(namespace, name, "log"), params, accept=PLAIN, patience=_SILENT)
    async with connection.stream(exchange) as chunks:
        async for chunk in chunks:
            yield chunk


def _params(**named: Any) -> list[tuple[str, str]]:
    return [
        (name, "true" if value is True else str(value))
        for name, value in named.items()
        if value is not None and value is not False
    ]
