"""Exchanges with an API server: credentials, limits, patience, and errors that say what happened."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx2

from servo.kubernetes.access import Access
from servo.kubernetes.credentials import Credential
from servo.kubernetes.encryption import tls
from servo.kubernetes.errors import (
    AnswerError,
    ApiError,
    CertificateError,
    ConfigurationError,
    UnauthorizedError,
    UnreachableError,
    api_error,
)
from servo.logging import logger
from servo.release import release

__all__ = ["MAX_BODY", "Connection", "Exchange"]

MAX_BODY = 64 << 20
"""The largest answer that is read, in bytes: a page of 500 of the largest pods has less."""
MAX_ERROR = 64 << 10
MAX_PAUSE = 10.0
"""The longest pause a server may ask for, in seconds."""
# A connection that died without a word is noticed in 45 s: a watch may be silent for minutes, and a log for ever.
_KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 4), 15),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", 5), 10),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", 6), 3),
)
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request.

    Attributes:
        method: Of HTTP.
        path: Below the server's URL.
        params: Of the query; a name may have several values.
        body: What is sent.
        content_type: Of the body.
        accept: What is wanted.
        patience: How many seconds an answer may be silent; the client's timeout if None.
        headers: More of them.
    """

    method: str
    path: str
    params: Sequence[tuple[str, str]] = ()
    body: bytes | None = field(default=None, repr=False)
    content_type: str = JSON
    accept: str = JSON
    patience: float | None = None
    headers: Sequence[tuple[str, str]] = ()

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{self.method} {self.path}"


class Connection:
    """The connections to one server.

    Args:
        access: Where it is, and who asks.
        timeout: How many seconds an answer may take: to its end, or to its beginning where it is a stream. Everything is in
            it: connecting, credentials, and the pauses that the server asks for.
    """

    def __init__(self, access: Access, *, timeout: float) -> None:
        self.access = access
        self.timeout = timeout
        self._client: httpx2.AsyncClient | None = None
        self._shown: tuple[bytes, bytes] | None = None

    async def aclose(self) -> None:
        """Close all connections, streams among them."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def read(self, exchange: Exchange, *, limit: int = MAX_BODY) -> bytes:
        """Return an answer's body.

        Raises:
            ApiError: The server answered with an error.
            UnreachableError: It did not answer in time.
            AnswerError: The answer is larger than ``limit`` bytes.
        """
        deadline = asyncio.get_running_loop().time() + self.timeout
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._send(exchange, deadline)
                try:
                    return await _body(response, limit, exchange)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise self._silent(exchange) from None
        except httpx2.TransportError as error:
            raise self._unreachable(error, exchange) from error

    async def json(self, exchange: Exchange) -> Any:
        """Return an answer's JSON; see ``read``."""
        return decoded(await self.read(exchange), exchange)

    @asynccontextmanager
    async def stream(self, exchange: Exchange) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open an answer that comes piece by piece, and may be endless.

        Raises:
            ApiError: The server answered with an error.
            UnreachableError: It did not begin to answer in time, or the answer broke off.
        """
        response = await self._opened(exchange)
        try:
            yield self._chunks(response, exchange)
        finally:
            await response.aclose()

    @asynccontextmanager
    async def upgraded(self, exchange: Exchange) -> AsyncIterator[Any]:
        """Open a connection that goes on with another protocol, as httpcore's network stream.

        Raises:
            ApiError: The server answered with an error.
            AnswerError: It answered without going over to the other protocol.
            UnreachableError: It did not answer in time.
        """
        response = await self._opened(exchange)
        try:
            if response.status_code != httpx2.codes.SWITCHING_PROTOCOLS:
                raise AnswerError(
                    f"{exchange.title}: the server, or what is in front of it, speaks no WebSocket"
                )
            yield response.extensions["network_stream"]
        finally:
            await response.aclose()

    async def _opened(self, exchange: Exchange) -> httpx2.Response:
        deadline = asyncio.get_running_loop().time() + self.timeout
        try:
            async with asyncio.timeout_at(deadline):
                return await self._send(exchange, deadline)
        except TimeoutError:
            raise self._silent(exchange) from None
        except httpx2.TransportError as error:
            raise self._unreachable(error, exchange) from error

    async def _chunks(self, response: httpx2.Response, exchange: Exchange) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_raw():
                yield chunk
        except (httpx2.TransportError, httpx2.StreamError) as error:
            raise self._unreachable(error, exchange) from error

    async def _send(self, exchange: Exchange, deadline: float) -> httpx2.Response:
        """Return the answer's head. Credentials that are refused are renewed once; the server's pauses are kept."""
        renew = retried = False
        while True:
            try:
                response = await self._attempt(exchange, renew=renew)
            except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
                # The server closed an idle connection just then. Only what changes nothing is sent again.
                if retried or exchange.method != "GET":
                    raise
                retried = True
                continue
            if response.is_success or response.status_code == httpx2.codes.SWITCHING_PROTOCOLS:
                return response
            error = await _error(response)
            if isinstance(error, UnauthorizedError) and not renew:
                renew = True
                continue
            await _pause(error, response, exchange, deadline)

    async def _attempt(self, exchange: Exchange, *, renew: bool) -> httpx2.Response:
        client, headers = await self.ready(renew=renew)
        headers += [("Accept", exchange.accept), *exchange.headers]
        if exchange.body is not None:
            headers.append(("Content-Type", exchange.content_type))
        request = client.build_request(
            exchange.method,
            self.access.server + exchange.path,
            params=list(exchange.params),
            content=exchange.body,
            headers=headers,
            extensions=self.extensions,
            timeout=httpx2.Timeout(self.timeout, read=exchange.patience or self.timeout),
        )
        return await client.send(request, stream=True)

    @property
    def extensions(self) -> dict[str, Any]:
        """What a request needs beside headers: the name that the certificate is for, and an end where it is cancelled."""
        extensions: dict[str, Any] = {"trace": _Opening()}
        if self.access.server_name:
            extensions["sni_hostname"] = self.access.server_name
        return extensions

    async def ready(self, *, renew: bool = False) -> tuple[httpx2.AsyncClient, list[tuple[str, str]]]:
        """Return a client whose certificate is the present one, and the headers that say who asks."""
        credential = await self._credential(renew=renew)
        if self._client is None or credential.certificate != self._shown:
            # A new certificate needs new connections; streams over the old ones break off, and are begun again.
            before, self._client = self._client, self._make(credential)
            self._shown = credential.certificate
            if before is not None:
                await before.aclose()
        headers = list(self.access.headers)
        if credential.authorization:
            headers.append(("Authorization", credential.authorization))
        return self._client, headers

    async def _credential(self, *, renew: bool) -> Credential:
        # Nobody who listens on the way shall have them.
        return await self.access.credentials.get(renew=renew) if self.access.encrypted else Credential()

    def _make(self, credential: Credential) -> httpx2.AsyncClient:
        access = self.access
        if access.insecure:
            _warn(access.server, access.source)
        context: ssl.SSLContext | bool = tls(access, credential.certificate) if access.encrypted else False
        proxy = self._proxy()
        # Not bounded: each watch has a connection of its own, and none may keep the others from asking.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=30.0)
        try:
            transport = httpx2.AsyncHTTPTransport(
                verify=context, proxy=proxy, limits=limits, trust_env=False, socket_options=_KEEPALIVE
            )
        except (ImportError, ValueError) as error:
            raise ConfigurationError(str(error), file=access.source, field="proxy-url") from error
        return httpx2.AsyncClient(
            transport=transport,
            trust_env=False,
            headers={"User-Agent": f"trimtab/{release()}", "Accept-Encoding": "identity"},
        )

    def _proxy(self) -> str | None:
        if self.access.proxy != "environment":
            return self.access.proxy
        from urllib.request import getproxies, proxy_bypass

        url, proxies = httpx2.URL(self.access.server), getproxies()
        if url.host in {"localhost", "127.0.0.1", "::1"} or proxy_bypass(url.host):
            return None
        return proxies.get(url.scheme) or proxies.get("all")

    def _silent(self, exchange: Exchange) -> UnreachableError:
        return UnreachableError(
            f"{self.access.server}: no answer to {exchange.title} within {self.timeout:g} s"
        )

    def _unreachable(self, error: Exception, exchange: Exchange) -> UnreachableError:
        said = str(error) or type(error).__name__
        text = f"{self.access.server}: {exchange.title}: {said}"
        if "CERTIFICATE_VERIFY_FAILED" in said.upper().replace(" ", "_"):
            return CertificateError(
                f"{text}; let certificate-authority in {self.access.source} name who signed the server's certificate"
            )
        return UnreachableError(text)


class _Opening:
    """Closes a connection whose encryption was not agreed on.

    httpcore2 (2.16) does so after errors, and not where the request is cancelled, e.g. as it takes too long: the socket would
    stay open until it is collected. Its tracing, which is public, hands us what it has opened.
    """

    def __init__(self) -> None:
        self._stream: Any = None

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("connect_tcp.complete"):
            self._stream = info["return_value"]
        elif event.endswith("start_tls.failed") and self._stream is not None:
            await self._stream.aclose()


@cache
def _warn(server: str, source: str) -> None:
    """Say it once, however many clients there are."""
    logger.warning("{}: the server's certificate is not verified, as {} says", server, source)


def encoded(body: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """Return a body as JSON."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def decoded(content: bytes, exchange: Exchange) -> Any:
    """Return what JSON says.

    Raises:
        AnswerError: It is none.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise AnswerError(f"the answer to {exchange.title} is no JSON: check the server's address") from None


async def _body(response: httpx2.Response, limit: int, exchange: Exchange) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > limit:
            raise AnswerError(f"the answer to {exchange.title} is larger than {limit} bytes")
    return bytes(content)


async def _error(response: httpx2.Response) -> ApiError:
    """Return what an answer says is wrong, and let go of it."""
    content = bytearray()
    try:
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > MAX_ERROR:
                break
    except (httpx2.TransportError, httpx2.StreamError):
        pass  # the status alone says enough
    finally:
        await response.aclose()
    try:
        body: Any = json.loads(content)
    except (ValueError, RecursionError):
        body = bytes(content[:512]).decode(errors="replace")
    return api_error(response.status_code, body)


async def _pause(error: ApiError, response: httpx2.Response, exchange: Exchange, deadline: float) -> None:
    """Wait as the server asks; raise the error where it does not ask, or for longer than there is time."""
    asked = response.headers.get("Retry-After", "")
    # 429 says that nothing was done; of any other error only what changes nothing may be sent again.
    patient = error.status == httpx2.codes.TOO_MANY_REQUESTS or (error.transient and exchange.method == "GET")
    if not (patient and asked.isdecimal() and len(asked) < 6):  # noqa: PLR2004 - digits
        raise error
    # All that were told to come back after the same second would meet again.
    pause = min(float(asked), MAX_PAUSE) * random.uniform(1.0, 1.25)  # noqa: S311 - no secret depends on it
    if asyncio.get_running_loop().time() + pause >= deadline:
        raise error
    await asyncio.sleep(max(pause, 0.1))
