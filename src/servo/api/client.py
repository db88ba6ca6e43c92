"""The client of an optimizer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx2

from servo.api.authorization import ClientCredentials, needs_client_credentials, token_headers
from servo.api.connections import Connections
from servo.api.messages import CommandResponse, Status, parse_command
from servo.api.retry import is_fatal_status_code, retry
from servo.api.statuses import Events
from servo.configuration.optimizers import AppdynamicsOptimizer, OptimizerTypes
from servo.configuration.settings import CommonConfiguration
from servo.errors import ConfigurationError, ServoError
from servo.logging import logger
from servo.release import release

__all__ = ["InvalidResponseError", "OptimizerClient", "is_unexpected_servo", "user_agent"]

MAX_RESPONSE = 4 * 1024 * 1024
MAX_DETAIL = 512
UNEXPECTED_SERVO = "unexpected servo_uid"


class InvalidResponseError(ServoError):
    """What the optimizer answered cannot be read: no JSON object, too large, or compressed against our wish."""


def user_agent() -> str:
    """Return how the agent introduces itself; the prefix is the one optimizers know."""
    return f"github.com/opsani/servox v{release()}"


def is_unexpected_servo(error: BaseException) -> bool:
    """Return whether an optimizer says that another servo serves it now."""
    if not isinstance(error, httpx2.HTTPStatusError) or error.response.status_code != httpx2.codes.GONE:
        return False
    try:
        body = error.response.json()
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("detail") == UNEXPECTED_SERVO


class OptimizerClient:
    """Posts a servo's messages to its optimizer.

    Transport errors, timeouts, server errors and 404 are retried within ``settings.backoff``; other errors are raised
    at once. No exchange takes longer than the sum of its timeouts, no response is larger than 4 MiB.

    Args:
        optimizer: Its address and credentials.
        settings: Timeouts, proxies, verification and retry limits.
        servo_uid: Sent with each message.
        connections: The HTTP clients to share; own ones if None.
        transport: Replaces the network where ``connections`` is None.
    """

    __slots__ = (
        "_connections",
        "_credentials",
        "_headers",
        "_owns_connections",
        "_seen",
        "_url",
        "optimizer",
        "servo_uid",
        "settings",
    )

    def __init__(
        self,
        optimizer: OptimizerTypes,
        settings: CommonConfiguration | None = None,
        *,
        servo_uid: str | None = None,
        connections: Connections | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.optimizer = optimizer
        self.settings = settings or CommonConfiguration.model_validate({})
        self.servo_uid = servo_uid
        self._owns_connections = connections is None
        self._connections = connections or Connections(transport)
        self._credentials: ClientCredentials | None = None
        self._headers: dict[str, str] | None = None
        self._url = ""
        self._seen: tuple[int, int, int] | None = None
        self.refresh()
        self.reload()

    def reload(self) -> None:
        """Take over the optimizer's present address and credentials."""
        optimizer = self.optimizer
        self._url = f"{str(optimizer.url).rstrip('/')}/servo"
        self._headers, self._credentials = None, None
        if needs_client_credentials(optimizer):
            assert isinstance(optimizer, AppdynamicsOptimizer)
            self._credentials = ClientCredentials(optimizer, self._form)
        elif optimizer.token is not None:
            self._headers = token_headers(optimizer.token.get_secret_value())

    def refresh(self) -> None:
        """Take over a connection file that has changed; one that cannot be read just now is tried again later."""
        optimizer = self.optimizer
        if not isinstance(optimizer, AppdynamicsOptimizer) or optimizer.connection_file is None:
            return
        try:
            stat = optimizer.connection_file.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if self._seen in {None, seen}:
                self._seen = seen
                return
            optimizer.load_connection_file()
        except (OSError, ConfigurationError) as error:
            logger.debug("the connection file cannot be read: {}", error)
            return
        self._seen = seen
        self.reload()
        logger.info("the connection file has changed: address and token are those it names now")

    @property
    def url(self) -> str:
        """Where messages are posted."""
        return self._url

    async def hello(self, param: Mapping[str, Any] | None, *, once: bool = False) -> Status:
        """Introduce the servo. Everything is retried, a wrong token too: it may be mounted late.

        Args:
            param: Agent and telemetry; None to see only whether the optimizer answers.
            once: Whether to try only once.

        Raises:
            httpx2.HTTPStatusError: Another servo has taken over (410), or the time for retries is over.
        """
        if once:
            return read_status(await self.post(Events.hello, param, once=True))

        async def greet() -> Status:
            return read_status(await self.post(Events.hello, param, once=True))

        return await retry(
            greet,
            self.settings.backoff,
            fatal=is_unexpected_servo,
            errors=(httpx2.HTTPError, InvalidResponseError),
            on_retry=_log_retry,
        )

    async def whats_next(self) -> CommandResponse:
        """Ask what to do.

        Raises:
            MalformedCommandError: The answer is no command, or one whose parameter makes no sense.
        """
        return parse_command(await self.post(Events.whats_next, None))

    async def post_event(
        self, event: Events | str, param: Mapping[str, Any] | None = None
    ) -> CommandResponse | Status:
        """Post an event and return the answer: a command to WHATS_NEXT, a status to all others."""
        body = await self.post(event, param)
        return parse_command(body) if event == Events.whats_next else read_status(body)

    async def post(
        self, event: Events | str, param: Mapping[str, Any] | None, *, once: bool = False
    ) -> dict[str, Any]:
        """Post an event and return the JSON object that comes back.

        Raises:
            httpx2.HTTPStatusError: The optimizer answered with an error; its text names status and detail.
            httpx2.TransportError: It could not be reached, or did not answer in time.
            InvalidResponseError: Its answer is no JSON object.
            ValueError: ``param`` cannot be written as JSON.
        """
        content = encode({"event": str(event), "param": param, "servo_uid": self.servo_uid})
        if once:
            return await self._authorized(content)
        return await retry(
            lambda: self._authorized(content),
            self.settings.backoff,
            fatal=is_fatal_status_code,
            on_retry=_log_retry,
        )

    async def aclose(self) -> None:
        """Close the connections, unless they are shared."""
        if self._owns_connections:
            await self._connections.aclose()

    async def _authorized(self, content: bytes) -> dict[str, Any]:
        self.refresh()
        if self._credentials is None:
            return await self._exchange(self._url, content=content, headers=self._headers or {})
        try:
            headers = await self._credentials.headers()
            return await self._exchange(self._url, content=content, headers=headers)
        except httpx2.HTTPStatusError as error:
            if error.response.status_code != httpx2.codes.UNAUTHORIZED or str(error.request.url) != self._url:
                raise
        # The token was withdrawn before its time: one more try with a new one.
        self._credentials.invalidate()
        headers = await self._credentials.headers()
        return await self._exchange(self._url, content=content, headers=headers)

    async def _form(self, url: str, *, auth: httpx2.Auth, data: dict[str, str]) -> dict[str, Any]:
        return await self._exchange(url, auth=auth, data=data, headers={})

    async def _exchange(self, url: str, *, headers: dict[str, str], **request: Any) -> dict[str, Any]:
        client = self._connections.client(url, self.settings)
        if "content" in request:
            headers = {**headers, "Content-Type": "application/json"}
        # Compressed answers could unfold without bound; ours are small.
        headers = {"User-Agent": user_agent(), "Accept-Encoding": "identity", **headers}
        async with client.gate:
            try:
                async with (
                    asyncio.timeout(client.deadline),
                    client.http.stream("POST", url, headers=headers, **request) as response,
                ):
                    body = await _read(response)
            except TimeoutError:
                raise httpx2.ReadTimeout(
                    f"{_place(url)}: no complete answer within {client.deadline:g} s"
                ) from None
            except httpx2.TransportError as error:
                # Its text does not say who could not be reached.
                said = str(error) or type(error).__name__
                raise type(error)(f"{_place(url)}: {said}") from error
        return _decoded(response, body)


def encode(message: Mapping[str, Any]) -> bytes:
    """Return a message as JSON.

    Raises:
        ValueError: It holds a value that JSON does not know, such as NaN.
    """
    return json.dumps(message, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()


def read_status(body: Mapping[str, Any]) -> Status:
    """Read the answer to an event.

    Raises:
        InvalidResponseError: It has no status.
    """
    try:
        return Status.model_validate(body)
    except ValueError:
        raise InvalidResponseError("the optimizer's answer has no status") from None


async def _read(response: httpx2.Response) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() not in {"", "identity"}:
        raise InvalidResponseError("the optimizer's answer is compressed though that was not asked for")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_RESPONSE:
            raise InvalidResponseError(
                f"the optimizer's answer is larger than {MAX_RESPONSE // 1024 // 1024} MiB"
            )
    return bytes(body)


def _decoded(response: httpx2.Response, body: bytes) -> dict[str, Any]:
    if not response.is_success:
        raise _status_error(response, body)
    try:
        value = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidResponseError(
            "the optimizer's answer is no JSON object: check that its address is right"
        )
    return value


def _status_error(response: httpx2.Response, body: bytes) -> httpx2.HTTPStatusError:
    status = response.status_code
    detail = body[:MAX_DETAIL].decode(errors="replace").strip()
    hint = _HINTS.get(status, "")
    # A response of its own, with the body read, so that handlers may look into it.
    read = httpx2.Response(status, headers=response.headers, content=body, request=response.request)
    text = f"{response.request.url.host} answered {status} {response.reason_phrase}{hint}"
    return httpx2.HTTPStatusError(
        f"{text}: {detail}" if detail else text, request=response.request, response=read
    )


def _place(url: str) -> str:
    """Return host and port, without what else an address may hold."""
    parsed = httpx2.URL(url)
    return parsed.host if parsed.port is None else f"{parsed.host}:{parsed.port}"


_HINTS: Mapping[int, str] = {
    401: " (check the token)",
    403: " (check the token and the optimizer's id)",
    404: " (check the optimizer's id and address)",
    410: " (another servo may have taken over)",
}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _log_retry(error: Exception, delay: float) -> None:
    logger.warning("request failed, trying again in {:.1f} s: {}: {}", delay, type(error).__name__, error)
