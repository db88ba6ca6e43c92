"""Whether an application is up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from servo.connectors.process.child import Child, Ending
from servo.connectors.process.configuration import ReadinessConfiguration

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

_CONNECT_SECONDS = 1.0
_FAILING = 400


class EndedError(RuntimeError):
    """The application ended while something was awaited of it.

    Args:
        ending: How.
    """

    def __init__(self, ending: Ending) -> None:
        super().__init__("the application ended")
        self.ending = ending


class NotReadyError(RuntimeError):
    """The application did not become ready in time; the message says what was seen last."""


async def unless_ended(child: Child, awaited: Coroutine[Any, Any, T]) -> T:
    """The result of what is awaited.

    Raises:
        EndedError: The application ended first.
    """
    task = asyncio.ensure_future(awaited)
    futures: set[asyncio.Future[Any]] = {task, child.ended}
    try:
        await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        if child.ended.done():
            raise EndedError(child.ended.result())
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_ready(readiness: ReadinessConfiguration, child: Child, port: int | None) -> None:
    """Wait until an application is up.

    Raises:
        EndedError: It ended first.
        NotReadyError: It took too long.
    """
    seen = ["nothing"]
    try:
        async with asyncio.timeout(readiness.timeout.total_seconds()):
            await unless_ended(child, _looking(readiness, child, port, seen))
    except TimeoutError:
        raise NotReadyError(f"it was not ready within {readiness.timeout}: {seen[0]}") from None


async def _looking(
    readiness: ReadinessConfiguration, child: Child, port: int | None, seen: list[str]
) -> None:
    if readiness.log is not None:
        seen[0] = f"no line of its output matched {readiness.log!r}"
        await _matched(readiness, child)
        return
    while (trouble := await probe(readiness, port)) is not None:
        seen[0] = trouble
        await asyncio.sleep(readiness.interval.total_seconds())


async def _matched(readiness: ReadinessConfiguration, child: Child) -> None:
    while not child.matched.is_set():
        if child.slow:
            raise NotReadyError(f"the search for {readiness.log!r} took too long on a line; simplify it")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.matched.wait(), readiness.interval.total_seconds())


async def still_ready(readiness: ReadinessConfiguration, port: int | None) -> None:
    """Look once more.

    Raises:
        NotReadyError: The application is no longer up.
    """
    if trouble := await probe(readiness, port):
        raise NotReadyError(f"it was ready and is no longer: {trouble}")


async def probe(readiness: ReadinessConfiguration, port: int | None) -> str | None:
    """Look once; None if the application is up as far as can be seen from outside, else what is wrong."""
    if readiness.http is not None:
        return await _probe_http(readiness.http.replace("${port}", str(port)))
    address = readiness.address(port)
    if address is None or await accepts(*address):
        return None
    return f"{address[0]}:{address[1]} accepts no connections"


async def _probe_http(url: str) -> str | None:
    import httpx2

    try:
        async with _client(url) as client, client.stream("GET", url) as response:
            status = response.status_code  # the head is enough: a body may be endless
    except httpx2.HTTPError as error:
        return f"{url}: {error or type(error).__name__}"
    return None if status < _FAILING else f"{url} answered with status {status}"


def _client(url: str) -> httpx2.AsyncClient:
    import httpx2

    # Without TLS there is nothing to verify, and reading the certificates takes longer than the request.
    return httpx2.AsyncClient(
        timeout=5.0, trust_env=False, follow_redirects=False, verify=url.startswith("https:")
    )


async def accepts(host: str, port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
