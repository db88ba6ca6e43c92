"""A line of the log, and a measurement, for each request."""

import time
from dataclasses import dataclass
from typing import Any

from loguru import logger
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trimtab.server.metrics import Metrics

__all__ = ["AccessLog"]

QUIET = frozenset({"/healthz", "/liveness", "/metrics", "/readiness", "/readyz"})


@dataclass(frozen=True, slots=True)
class AccessLog:
    """ASGI middleware that logs method, path, code and time: no query and no header, where a secret may be.

    Args:
        app: What is behind.
        metrics: Where times are counted.
    """

    app: ASGIApp
    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note how it went."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        code = 500
        start = time.perf_counter()

        async def note(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            self._note(scope, code, time.perf_counter() - start)

    def _note(self, scope: Scope, code: int, seconds: float) -> None:
        self.metrics.seconds.labels(_route(scope), str(code)).observe(seconds)
        level = "DEBUG" if scope["path"] in QUIET else "INFO"
        # The path as it was sent: percent-encoded, so that no line break comes out of it.
        path = scope.get("raw_path", b"").decode("ascii", "backslashreplace")[:200]
        logger.log(level, "{} {} {} {:.1f} ms", scope["method"], path, code, seconds * 1000)


def _route(scope: Scope) -> str:
    """The route's pattern: paths themselves are without end."""
    route: Any = scope.get("route")
    return getattr(route, "path", "none")
