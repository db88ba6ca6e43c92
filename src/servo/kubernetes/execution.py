"""Commands in containers, over a WebSocket.

A message's first byte says which stream the rest is of. Up to Kubernetes 1.29 (``v4.channel.k8s.io``) there is no way to end
a command's input: there, ``head`` in the container ends it after as many bytes as there are. From 1.30 on
(``v5.channel.k8s.io``) a message does.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from servo.kubernetes.connection import Connection, Exchange
from servo.kubernetes.discovery import Discovery
from servo.kubernetes.errors import (
    AnswerError,
    CommandTimeoutError,
    ConfigurationError,
    UnreachableError,
    api_error,
)
from servo.kubernetes.resources import PODS

__all__ = ["Execution", "execute"]

MAX_OUTPUT = 16 << 20
"""How many bytes a command may print."""
STDIN, STDOUT, STDERR, ERROR, CLOSE = 0, 1, 2, 3, 255
_CHUNK = 32 << 10
_ENDS_INPUT = (1, 30)
_HEAD = ("sh", "-c", 'head -c "$0" | "$@"')


@dataclass(frozen=True, slots=True)
class Execution:
    """How a command ended.

    Attributes:
        exit_code: Its exit code; 128 and the signal's number if a signal ended it.
        stdout: What it printed.
        stderr: What it printed there.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes


async def execute(
    connection: Connection,
    discovery: Discovery,
    namespace: str,
    name: str,
    command: Sequence[str],
    *,
    container: str | None,
    stdin: bytes | None,
    timeout: float,  # noqa: ASYNC109 - the command's, for which its error is another than that of a request
) -> Execution:
    """Run a command in a container; see ``Client.exec``."""
    import httpcore2  # with the first request, whatever it is, and not before

    ends_input = not stdin or await discovery.version() >= _ENDS_INPUT
    exchange = _exchange(
        namespace, name, _fed(command, stdin, ends_input=ends_input), container, stdin, ends_input
    )
    try:
        async with asyncio.timeout(timeout), connection.upgraded(exchange) as stream:
            socket = _Socket(stream)
            feeding = asyncio.create_task(_feed(socket, stdin or b"", ends_input=ends_input))
            try:
                return await _gather(socket, command)
            finally:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
    except TimeoutError:
        raise CommandTimeoutError(f"{command[0]} in pod {name} did not end within {timeout:g} s") from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
        raise UnreachableError(f"{command[0]} in pod {name}: the connection broke off: {error}") from error


def _exchange(
    namespace: str,
    name: str,
    command: Sequence[str],
    container: str | None,
    stdin: bytes | None,
    ends_input: bool,  # noqa: FBT001 - all of them are parts of the request
) -> Exchange:
    params = [("command", each) for each in command] + [("stdout", "true"), ("stderr", "true")]
    params += [("stdin", "true")] if stdin else []
    params += [("container", container)] if container else []
    protocol = "v5.channel.k8s.io" if stdin and ends_input else "v4.channel.k8s.io"
    headers = (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", base64.b64encode(secrets.token_bytes(16)).decode()),
        ("Sec-WebSocket-Protocol", protocol),
    )
    return Exchange("GET", PODS.path(namespace, name, "exec"), params, accept="*/*", headers=headers)


def _fed(command: Sequence[str], stdin: bytes | None, *, ends_input: bool) -> Sequence[str]:
    return command if ends_input or not stdin else [*_HEAD, str(len(stdin)), *command]


class _Socket:
    """Messages over an upgraded connection."""

    def __init__(self, stream: Any) -> None:
        try:
            from wsproto.connection import Connection as WebSocket
            from wsproto.connection import ConnectionType
        except ImportError:
            raise ConfigurationError(
                "commands in containers need wsproto", remedy="install trimtab[kubernetes]"
            ) from None
        self._stream = stream
        self._frames = WebSocket(ConnectionType.CLIENT)

    async def send(self, channel: int, content: bytes) -> None:
        from wsproto.events import BytesMessage

        await self._stream.write(self._frames.send(BytesMessage(bytes([channel]) + content)))

    async def messages(self) -> AsyncGenerator[tuple[int, bytes], None]:
        """Yield channel and content, until either side closes. Parts of a message come as they are."""
        from wsproto.events import CloseConnection, Message, Ping

        channel: int | None = None
        while True:
            self._frames.receive_data(await self._stream.read(_CHUNK) or None)
            for event in self._frames.events():
                if isinstance(event, CloseConnection):
                    return
                if isinstance(event, Ping):
                    await self._stream.write(self._frames.send(event.response()))
                if isinstance(event, Message):
                    data = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
                    if channel is None and data:
                        channel, data = data[0], data[1:]
                    if channel is not None:
                        yield channel, data
                    if event.message_finished:
                        channel = None


async def _feed(socket: _Socket, stdin: bytes, *, ends_input: bool) -> None:
    for begin in range(0, len(stdin), _CHUNK):
        await socket.send(STDIN, stdin[begin : begin + _CHUNK])
    if stdin and ends_input:
        await socket.send(CLOSE, bytes([STDIN]))


async def _gather(socket: _Socket, command: Sequence[str]) -> Execution:
    printed = {STDOUT: bytearray(), STDERR: bytearray(), ERROR: bytearray()}
    async with aclosing(socket.messages()) as messages:
        async for channel, content in messages:
            if channel in printed:
                printed[channel] += content
            if sum(map(len, printed.values())) > MAX_OUTPUT:
                raise AnswerError(f"{command[0]} printed more than {MAX_OUTPUT} bytes")
    return Execution(_exit_code(bytes(printed[ERROR])), bytes(printed[STDOUT]), bytes(printed[STDERR]))


def _exit_code(told: bytes) -> int:
    """Return what the server says of the command's end."""
    try:
        status = json.loads(told)
        if status["status"] == "Success":
            return 0
        causes = (status.get("details") or {}).get("causes") or ()
        codes = [int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UnreachableError("the connection broke off before the command's end was told") from None
    if not codes:
        code = status.get("code")
        raise api_error(code if isinstance(code, int) else 500, status)
    return codes[0]
