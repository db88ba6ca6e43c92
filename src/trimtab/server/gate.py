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

OPEN = frozenset({"/healthz", "/readyz", "/openapi.json"})
"""Paths that need no token: they say nothing of applications."""
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
            them, so that no web page can reach it by a name of its own that resolves to this machine.
        body_timeout: Seconds within which a body must have come.
    """

    app: ASGIApp
    tokens: Tokens
    max_body: int
    hosts: frozenset[str] = frozenset()
    body_timeout: float = BODY_TIMEOUT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self.hosts and _host(headers) not in self.hosts:
            await refusal(400, "this server is addressed as localhost only")(scope, receive, send)
        elif scope["path"] not in OPEN and not self.tokens.accepts(presented(headers)):
            needed = "a valid token is needed; send it as `Authorization: Bearer <token>`"
            await refusal(401, needed, headers={"WWW-Authenticate": "Bearer"})(scope, receive, send)
        else:
            await self._with_body(scope, receive, send)

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


def _host(headers: Headers) -> str:
    host = headers.get("host", "")
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
