"""``GET /metrics``, ``/healthz`` and ``/readyz``: as much of a web server as whoever keeps a process running needs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

__all__ = ["Exposition"]

_MAX_HEAD = 16 * 1024
_SECONDS = 10.0
_MAX_CLIENTS = 50


class Exposition:
    """Serves three pages.

    Args:
        metrics: Makes the page of metrics.
        trouble: Says why the process does not work as it should; None if it does.
        unready: Says why it does not do its work yet, or just now; None if it does. Without it, as ``trouble`` says.
    """

    def __init__(
        self,
        metrics: Callable[[], str],
        trouble: Callable[[], str | None],
        unready: Callable[[], str | None] | None = None,
    ) -> None:
        self._metrics = metrics
        self._verdicts = {"/healthz": trouble, "/readyz": unready or trouble}
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None] | None] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port.

        Raises:
            OSError: It cannot be listened there.
        """
        self._server = await asyncio.start_server(self._serve, host, port, limit=_MAX_HEAD)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def aclose(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            for task in list(self._clients):
                if task is not None:
                    task.cancel()
            await asyncio.gather(*filter(None, self._clients), return_exceptions=True)
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._clients.add(task)
        try:
            if len(self._clients) <= _MAX_CLIENTS:
                with suppress(TimeoutError, OSError, EOFError, asyncio.LimitOverrunError, ValueError):
                    async with asyncio.timeout(_SECONDS):
                        head = await reader.readuntil(b"\r\n\r\n")
                        writer.write(self._answer(head))
                        await writer.drain()
        finally:
            self._clients.discard(task)
            writer.close()

    def _answer(self, head: bytes) -> bytes:
        method, target, *_ = [*head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", ""]
        path = target.partition("?")[0]
        if method not in {"GET", "HEAD"}:
            return _page(405, "Method Not Allowed", "only GET\n", method)
        if path == "/metrics":
            return _page(200, "OK", self._metrics(), method, "text/plain; version=0.0.4; charset=utf-8")
        if path in self._verdicts:
            said = self._verdicts[path]()
            if said:
                return _page(503, "Service Unavailable", f"{said}\n", method)
            return _page(200, "OK", "ok\n", method)
        return _page(404, "Not Found", "/metrics, /healthz and /readyz are here\n", method)


def _page(status: int, reason: str, text: str, method: str, kind: str = "text/plain; charset=utf-8") -> bytes:
    body = text.encode("utf-8", "replace")
    head = (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else body)
