"""Where the stacks of `trimtab monkey` go."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import tomli_w
import typer
from pydantic import SecretStr

from trimtab.cli.json_text import UNSEEN
from trimtab.stacks.monkey import Product

__all__ = ["Amun", "Directory", "Nowhere", "Printed", "Sink", "SinkError", "SkippedError", "post", "sink_of"]

_TIMEOUT = 60.0
_TRIES = 3
_PAUSE = 1.0
_LONGEST = 16 * 1024 * 1024
_API = "/api/v1"


class SinkError(RuntimeError):
    """Nothing can be handed on; the message is for people."""


class SkippedError(RuntimeError):
    """One stack could not be handed on."""


class Sink(Protocol):
    """Takes stacks."""

    async def take(self, product: Product) -> str:
        """Hand a stack on.

        Returns:
            What the report calls it by.

        Raises:
            SkippedError: It was not taken.
            SinkError: No other would be, either.
        """

    async def __aenter__(self) -> Self:
        """Begin."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""


class _Plain:
    async def __aenter__(self) -> Self:
        """Nothing is to be opened."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is to be closed."""


class Nowhere(_Plain):
    """Stacks are counted alone."""

    async def take(self, product: Product) -> str:
        """Hand it to nobody."""
        return product.stack.digest


class Printed(_Plain):
    """Each stack is a line of JSON on standard output."""

    async def take(self, product: Product) -> str:
        """Print it."""
        text = json.dumps(product.python, ensure_ascii=False)
        typer.echo(UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
        return product.stack.digest


class Directory(_Plain):
    """Each stack is `<directory>/<number>/Pipfile` and its lock.

    Args:
        path: The directory; it is made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def take(self, product: Product) -> str:
        """Write it."""
        folder = self._path / str(product.number)
        try:
            folder.mkdir(parents=True)
            (folder / "Pipfile").write_text(tomli_w.dumps(product.requirements))
            lock = json.dumps(product.requirements_locked, indent=4, sort_keys=True)
            (folder / "Pipfile.lock").write_text(lock + "\n")
        except FileExistsError:
            raise SinkError(f"--stack-output: {folder} is there already; name an empty directory") from None
        except OSError as error:
            raise SinkError(
                f"--stack-output: {folder}: {error.strerror}; name one that can be written"
            ) from None
        return str(folder)


class Amun:
    """Each stack is inspected by a server with the API of Amun.

    Args:
        url: Of the server, with or without `/api/v1`.
        context: A specification without `python`.
        token: For it.
        run: The id of the report: a stack that is sent twice, for the answer was lost, is inspected once.
    """

    def __init__(self, url: str, context: Mapping[str, Any], token: SecretStr | None, run: str) -> None:
        base = url.rstrip("/")
        self._url = (base if base.endswith(_API) else base + _API) + "/inspect"
        self._context = dict(context)
        self._run = run
        self._token = token
        self._client: Any = None

    async def __aenter__(self) -> Self:
        """Open the connection."""
        import httpx2

        token = {"Authorization": f"Bearer {self._token.get_secret_value()}"} if self._token else {}
        self._client = httpx2.AsyncClient(timeout=_TIMEOUT, headers=token)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self._client.aclose()

    async def take(self, product: Product) -> str:
        """Submit it, also where the server is away for a moment."""
        specification = {**self._context, "python": {**product.python, "constraints": []}}
        key = {"Idempotency-Key": f"{self._run}:{product.stack.digest}"[:200]}
        problem = "it does not answer"
        for attempt in range(_TRIES):
            status, body = await self._post(specification, key)
            if status in {200, 201, 202} and isinstance(body.get("inspection_id"), str):
                return str(body["inspection_id"])
            problem = str(body.get("error") or status)[:500]
            if status in {401, 403}:
                raise SinkError(f"the server {self._url} lets nobody in: {problem}; set TRIMTAB_TOKEN")
            if status and status not in {429, 500, 502, 503, 504}:
                raise SkippedError(f"the server refuses it ({status}): {problem}")
            if attempt + 1 < _TRIES:
                await asyncio.sleep(_PAUSE * 2**attempt)
        raise SkippedError(f"the server {self._url} did not take it: {problem}")

    async def _post(
        self, specification: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, Any]]:
        import httpx2

        try:
            answer = await self._client.post(self._url, json=specification, headers=headers)
        except httpx2.InvalidURL as error:
            raise SinkError(f"--stack-output: {self._url!r} is no URL: {error}") from None
        except httpx2.HTTPError as error:
            return 0, {"error": str(error) or type(error).__name__}
        try:
            body = json.loads(answer.content[:_LONGEST])
        except (ValueError, RecursionError):
            body = None
        return answer.status_code, body if isinstance(body, dict) else {}


def sink_of(
    output: str, context: Mapping[str, Any] | None, token: SecretStr | None, run: str, *, dry: bool
) -> Sink:
    """Where stacks go.

    Raises:
        SinkError: A server is named, and no context.
    """
    if dry:
        return Nowhere()
    if output == "-":
        return Printed()
    if not output.startswith(("http://", "https://")):
        return Directory(Path(output))
    if context is None:
        raise SinkError(
            '--context is needed for a server: a specification without python, such as \'{"base": "…", "script": "…"}\''
        )
    return Amun(output, context, token, run)


def post(url: str, text: str) -> None:
    """Send a report.

    Raises:
        SinkError: It was not taken.
    """
    import httpx2

    try:
        answer = httpx2.post(
            url, content=text, headers={"Content-Type": "application/json"}, timeout=_TIMEOUT
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise SinkError(f"--report-output: {url} cannot be reached: {error}") from None
    if answer.is_error:
        raise SinkError(f"--report-output: {url} answers {answer.status_code}")
