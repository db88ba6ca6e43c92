"""HTTP clients that many servos share.

A client per servo would cost a TLS context and a connection pool each: megabytes, where a servo shall cost kilobytes.
Servos that talk to the same origin in the same way (proxies, verification, timeouts) use one client. Its pool searches
its waiting requests one by one, so a gate in front of it keeps the pool from ever having any.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from servo.configuration.settings import CommonConfiguration, Timeouts

__all__ = ["Connections", "SharedClient", "proxy_options"]

MAX_CONNECTIONS = 32
KEEPALIVE = 30.0
DEFAULT_TIMEOUTS: Mapping[str, float] = {"connect": 10.0, "read": 60.0, "write": 30.0, "pool": 60.0}


@dataclass(slots=True, eq=False)
class SharedClient:
    """An HTTP client, the gate to it, and how many seconds an exchange may take as a whole."""

    http: httpx2.AsyncClient
    deadline: float
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_CONNECTIONS))


class Connections:
    """The clients of one assembly, made when first needed.

    Args:
        transport: Replaces the network, for tests and for an optimizer in the same process.
    """

    def __init__(self, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._clients: dict[Any, SharedClient] = {}
        self._contexts: dict[Any, ssl.SSLContext | bool] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def client(self, url: str, settings: CommonConfiguration) -> SharedClient:
        """Return the client for an address; a closed one is replaced."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # Connections belong to the loop they were made in: those of an ended one are gone with it.
            self._clients, self._loop = {}, loop
        key = self._key(url, settings)
        client = self._clients.get(key)
        if client is None or client.http.is_closed:
            client = self._clients[key] = self._make(settings)
        return client

    async def aclose(self) -> None:
        """Close all connections; the next request opens new ones."""
        clients, self._clients = self._clients, {}
        if self._loop is asyncio.get_running_loop():
            for client in clients.values():
                await client.http.aclose()

    @staticmethod
    def _key(url: str, settings: CommonConfiguration) -> Any:
        scheme, _, rest = url.partition("://")
        proxies = settings.proxies
        return (
            scheme,
            rest.partition("/")[0],
            tuple(sorted(proxies.items())) if isinstance(proxies, dict) else proxies,
            settings.ssl_verify,
            tuple(timeouts(settings.timeouts).values()),
        )

    def _make(self, settings: CommonConfiguration) -> SharedClient:
        limits = timeouts(settings.timeouts)
        http = httpx2.AsyncClient(
            verify=self._verification(settings.ssl_verify),
            timeout=httpx2.Timeout(**limits),
            limits=_limits(),
            transport=self._transport,
            trust_env=self._transport is None and settings.proxies is None,
            **self._proxied(settings),
        )
        return SharedClient(http, deadline=sum(limits.values()))

    def _verification(self, verify: Any) -> ssl.SSLContext | bool:
        if self._transport is not None or verify is False:
            return verify is not False
        if verify not in self._contexts:
            bundle = str(verify) if isinstance(verify, Path) else None
            context = httpx2.create_ssl_context() if bundle is None else _trusting(Path(bundle))
            self._contexts[verify] = context
        return self._contexts[verify]

    def _proxied(self, settings: CommonConfiguration) -> dict[str, Any]:
        if self._transport is not None:
            return {}
        return proxy_options(settings, verify=self._verification(settings.ssl_verify))


def proxy_options(settings: CommonConfiguration, *, verify: ssl.SSLContext | bool) -> dict[str, Any]:
    """Return what makes an HTTP client use the configured proxies; nothing if none are.

    Args:
        settings: The proxies.
        verify: How certificates are verified.
    """
    proxies = settings.proxies
    if proxies is None:
        return {}
    if isinstance(proxies, str):
        return {"proxy": proxies}
    return {
        "mounts": {
            prefix: httpx2.AsyncHTTPTransport(proxy=url, verify=verify, limits=_limits()) if url else None
            for prefix, url in proxies.items()
        }
    }


def timeouts(configured: Timeouts | None) -> dict[str, float]:
    """Return the seconds of each step of an exchange: what is configured, else the finite default."""
    return {
        name: default if (value := getattr(configured, name, None)) is None else value.total_seconds()
        for name, default in DEFAULT_TIMEOUTS.items()
    }


def _limits() -> httpx2.Limits:
    return httpx2.Limits(
        max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS, keepalive_expiry=KEEPALIVE
    )


def _trusting(bundle: Path) -> ssl.SSLContext:
    if bundle.is_dir():
        return ssl.create_default_context(capath=str(bundle))
    return ssl.create_default_context(cafile=str(bundle))
