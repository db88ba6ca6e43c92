"""A server, as commands speak with it."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import SecretStr

if TYPE_CHECKING:
    from trimtab.settings import ClientSettings

__all__ = ["Connection", "LostError", "SourceError", "connect", "here_or_there"]

T = TypeVar("T")
TIMEOUT = 30.0
SILENCE = 60.0  # seconds without a sign of life from a stream; the server sends one every 15
MAX_RESPONSE = 256 << 20
MAX_LINE = 1 << 20


class SourceError(RuntimeError):
    """What was asked for could not be done; the message is for people."""


class LostError(SourceError):
    """The server went away, or does not answer: trying again may help."""


@contextmanager
def connect(server: str, token: SecretStr | None) -> Iterator["Connection"]:
    """A connection to a server.

    Args:
        server: Its URL.
        token: For it.

    Raises:
        SourceError: That is no URL, or the server cannot be reached.
    """
    import httpx2

    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    if not server.startswith(("http://", "https://")):
        raise SourceError(f"the server {server!r} is no URL; write it as http://host:port")
    try:
        with httpx2.Client(base_url=server, headers=headers, timeout=TIMEOUT) as client:
            yield Connection(client, server)
    except httpx2.InvalidURL as error:
        raise SourceError(f"the server {server!r} is no URL: {error}") from error


@contextmanager
def here_or_there(
    settings: "ClientSettings",
    here: "Callable[[ClientSettings], AbstractContextManager[T]]",
    there: "Callable[[Connection], T]",
) -> "Iterator[T]":
    """What commands ask: this machine's own state, or the server that is named.

    Args:
        settings: Name it, or do not.
        here: Opens this machine's.
        there: Asks over a connection.

    Raises:
        SourceError: The server cannot be reached.
    """
    if settings.server:
        with connect(settings.server, settings.token) as connection:
            yield there(connection)
    else:
        with here(settings) as found:
            yield found


class Connection:
    """Asks a server.

    Args:
        client: An `httpx2.Client` with its address and the token.
        server: Its URL, for errors.
    """

    def __init__(self, client: Any, server: str) -> None:
        self._client = client
        self._server = server

    def ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Ask, and read the answer.

        Raises:
            LostError: The server cannot be reached, or cannot reach what it needs.
            SourceError: It refused, or is no Trimtab.
        """
        with self._answer(method, path, **options) as response:
            body = self._read(response)
            self._check(response, body)
        return body  # type: ignore[no-any-return] # it is of JSON

    def document(self, path: str) -> dict[str, Any]:
        """Read a document, as it is stored.

        Raises:
            LostError: The server cannot be reached, or cannot reach what it needs.
            SourceError: It refused, or is no Trimtab.
        """
        with self._answer("GET", path) as response:
            body = self._read(response)
            self._check(response, body, known="metadata")
        return body  # type: ignore[no-any-return] # it is of JSON

    def events(self, path: str) -> Iterator[dict[str, Any]]:
        """The data of server-sent events, as they come.

        Raises:
            LostError: The stream was broken off before its end.
            SourceError: The server refused.
        """
        with self._answer("GET", path, timeout=SILENCE) as response:
            if not response.is_success:
                self._check(response, self._read(response))
            for line in response.iter_lines():
                if line.startswith("data:") and len(line) <= MAX_LINE:
                    yield json.loads(line[5:])

    @contextmanager
    def _answer(self, method: str, path: str, **options: Any) -> Iterator[Any]:
        import httpx2

        try:
            with self._client.stream(method, path, **options) as response:
                yield response
        except httpx2.HTTPError as error:
            problem = error or type(error).__name__
            raise LostError(f"the server {self._server} cannot be reached: {problem}") from error

    def _check(self, response: Any, body: Any, known: str = "parameters") -> None:
        if not isinstance(body, dict) or (response.is_success and known not in body):
            raise SourceError(f"{self._server} answers {response.status_code}, and not as Trimtab does")
        if response.is_success:
            return
        problem = body.get("error", response.status_code)
        match response.status_code:
            case 401:
                raise SourceError(f"{problem}; set TRIMTAB_TOKEN")
            case 503:
                raise LostError(f"{problem}")
            case _:
                raise SourceError(f"{problem}")

    def _read(self, response: Any) -> Any:
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > MAX_RESPONSE:
                raise SourceError(f"the server's answer is larger than {MAX_RESPONSE >> 20} MiB")
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            return None
