"""What stands before every route: who may come in, and how much may be brought."""

import asyncio
import base64
import binascii
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trimtab.server.errors import refusal
from trimtab.server.tokens import Tokens

__all__ = ["LOOPBACK_HOSTS", "Gate", "presented"]

OPEN = frozenset(
    {
        "/",
        "/api/v1",
        "/api/v1/openapi.json",
        "/api/v1/ui",
        "/api/v1/version",
        "/healthz",
        "/liveness",
        "/openapi.json",
        "/readiness",
        "/readyz",
    }
)
"""Paths that need no token: they say nothing of applications or inspections."""
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names of this machine for itself."""
BODY_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Gate:
    """ASGI middleware that refuses requests before anything of them is interpreted.

    Args:
        app: What is behind.
        tokens: Those accepted.
        max_body: Bytes of a body.
        hosts: Names by which the server may be addressed; empty for any. A server without a token on loopback names
            them, so that no web page can reach it: neither by a name of its own that resolves to this machine, nor by
            a request that a browser sends for it.
        origins: Of web pages that may.
        body_timeout: Seconds within which a body must have come.
    """

    app: ASGIApp
    tokens: Tokens
    max_body: int
    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    body_timeout: float = BODY_TIMEOUT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        caller = self.tokens.caller(presented(headers))
        if self.hosts and _name(headers.get("host", "")) not in self.hosts:
            await refusal(400, "this server is addressed as localhost only")(scope, receive, send)
        elif self.hosts and self._is_foreign(headers.get("origin")):
            await refusal(403, "a page of this origin may not use this server")(scope, receive, send)
        elif scope["path"] not in OPEN and caller is None:
            needed = "a valid token is needed; send it as `Authorization: Bearer <token>`"
            await refusal(401, needed, headers={"WWW-Authenticate": "Bearer"})(scope, receive, send)
        else:
            scope.setdefault("state", {})["caller"] = caller
            await self._with_body(scope, receive, send)

    def _is_foreign(self, origin: str | None) -> bool:
        """Whether a browser asks for a page of another server."""
        if origin is None or origin in self.origins:
            return False
        return _name(origin.partition("://")[2]) not in self.hosts

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read all of the body first: within bounds of size and time, whatever the route does with it."""
        try:
            body = await asyncio.wait_for(_read(receive, self.max_body), self.body_timeout)
        except TimeoutError:
            await refusal(408, f"the body did not come within {self.body_timeout:g} s")(scope, receive, send)
        except _TooLargeError:
            await refusal(413, f"the body is larger than {self.max_body} bytes")(scope, receive, send)
        except _GoneError:
            return
        else:
            await self.app(scope, _replay(body, receive), send)


class _TooLargeError(Exception):
    """More than may be read."""


class _GoneError(Exception):
    """The client has closed the connection."""


async def _read(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        body += message.get("body", b"")
        if len(body) > limit:
            raise _TooLargeError
        more = message.get("more_body", False)
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


def _name(host: str) -> str:
    """Without the port."""
    return host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]


def presented(headers: Headers) -> str | None:
    """The token, in any of the ways that agents present it; with Basic it is the password, whoever the user."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        return _password(value.strip())
    return headers.get("x-sf-token")


def _password(value: str) -> str | None:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None
