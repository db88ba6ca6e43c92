"""Speaks with a server that inspects."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2

__all__ = ["Client", "LostError", "RefusedError"]

_SECONDS = 90.0
_WAIT = 30
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_BUSY = {408, 429, 500, 502, 503, 504}
_ERROR = 400


class LostError(RuntimeError):
    """The server does not answer."""


class RefusedError(RuntimeError):
    """The server refuses; the message is what it says."""


class Client:
    """Asks a server.

    Args:
        url: Its URL.
        token: For it.
        transport: Instead of the network.
    """

    def __init__(
        self, url: str, token: str | None = None, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._url = url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx2.AsyncClient(
            base_url=f"{url}/api/v1", headers=headers, timeout=_SECONDS, transport=transport
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def version(self) -> str:
        """The server's version.

        Raises:
            LostError, RefusedError: There is none, or it is no Trimtab.
        """
        return str((await self._ask("GET", "/version")).get("version"))

    async def submit(self, specification: Mapping[str, Any], key: str) -> str:
        """Submit an inspection; twice with one key is once.

        Returns:
            Its id.

        Raises:
            LostError, RefusedError: It was not taken.
        """
        answer = await self._ask("POST", "/inspect", json=specification, headers={"Idempotency-Key": key})
        return str(answer["inspection_id"])

    async def over(self, inspection_id: str) -> dict[str, Any]:
        """The report of an inspection, when it is over.

        Raises:
            LostError, RefusedError: The server is away, or does not know it.
        """
        path = f"/inspect/{inspection_id}"
        while not (await self._ask("GET", f"{path}/wait", params={"timeout": _WAIT})).get("over"):
            pass
        report = (await self._ask("GET", f"{path}/report"))["report"]
        return dict(report)

    async def result(self, inspection_id: str, item: int) -> dict[str, Any]:
        """What a run left.

        Raises:
            LostError, RefusedError: There is none.
        """
        answer = await self._ask("GET", f"/inspect/{inspection_id}/job/{item}/result")
        return dict(answer["result"])

    async def cancel(self, inspection_id: str) -> None:
        """End an inspection early; one that is over is left as it is.

        Raises:
            LostError, RefusedError: It cannot be said to the server.
        """
        await self._ask("POST", f"/inspect/{inspection_id}/cancel")

    async def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Ask, again while the server is away for a moment."""
        problem = ""
        for pause in (*_PAUSES, None):
            try:
                answer = await self._client.request(method, path, **options)
            except httpx2.HTTPError as error:
                problem = str(error) or type(error).__name__
            else:
                body = _body(answer)
                problem = str(body.get("error", answer.status_code))[:500]
                if answer.status_code < _ERROR:
                    return body
                if answer.status_code not in _BUSY:
                    raise RefusedError(problem)
            if pause is not None:
                await asyncio.sleep(pause)
        raise LostError(f"the server {self._url} does not answer: {problem}")


def _body(answer: httpx2.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return body
    raise RefusedError(f"it answers {answer.status_code}, and not as Trimtab does")
