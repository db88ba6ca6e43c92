"""What the shop tells Prometheus: requests by status, and the time they took."""

import time
from collections import Counter

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATH = "/metrics"
_UNCOUNTED = frozenset({PATH, "/healthz"})


class Metrics:
    """Counts what one worker answers. Each worker has its own: run one for each pod, and let there be more pods."""

    def __init__(self) -> None:
        self._requests: Counter[int] = Counter()
        self._seconds = 0.0

    def count(self, status: int, seconds: float) -> None:
        """Take note of an answer."""
        self._requests[status] += 1
        self._seconds += seconds

    async def show(self, _: Request) -> Response:
        """All of it, as text that Prometheus reads."""
        lines = ["# TYPE shop_requests_total counter"]
        lines += [
            f'shop_requests_total{{status="{status}"}} {count}'
            for status, count in sorted(self._requests.items())
        ]
        lines += [
            "# TYPE shop_request_seconds_total counter",
            f"shop_request_seconds_total {self._seconds:.6f}",
        ]
        lines += [
            "# TYPE process_cpu_seconds_total counter",
            f"process_cpu_seconds_total {time.process_time():.6f}",
        ]
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


class Counting:
    """The application, with its answers counted."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in _UNCOUNTED:
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            self._metrics.count(status, time.perf_counter() - began)
