"""The service's version on every answer, as the originals have it."""

from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Stamp"]

NAMES = ("X-Amun-Version", "X-Thoth-Version", "X-User-API-Service-Version")


@dataclass(frozen=True, slots=True)
class Stamp:
    """ASGI middleware that adds `X-Amun-Version`, `X-Thoth-Version` and `X-User-API-Service-Version`.

    Args:
        app: What is behind.
        version: Of the service.
    """

    app: ASGIApp
    version: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back."""

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in NAMES:
                    headers[name] = self.version
            await send(message)

        await self.app(scope, receive, stamped)
