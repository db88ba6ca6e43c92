"""What the originals have on every answer: the service's version, and where people look for results."""

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Stamp"]

NAMES = ("X-Amun-Version", "X-Thoth-Version", "X-User-API-Service-Version")
SEARCH_UI = "X-Thoth-Search-UI-URL"
PAGE = "/api/v1/ui"


@dataclass(frozen=True, slots=True)
class Stamp:
    """ASGI middleware that adds `X-Amun-Version`, `X-Thoth-Version`, `X-User-API-Service-Version` and `X-Thoth-Search-UI-URL`.

    Args:
        app: What is behind.
        version: Of the service.
        search_ui_url: Where people look for results; None: on the page of this service, as it was addressed.
    """

    app: ASGIApp
    version: str
    search_ui_url: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back."""

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in NAMES:
                    headers[name] = self.version
                headers[SEARCH_UI] = self.search_ui_url or _page(scope)
            await send(message)

        await self.app(scope, receive, stamped)


def _page(scope: Scope) -> str:
    host = Headers(scope=scope).get("host") if scope["type"] == "http" else None
    return f"{scope['scheme']}://{host}{PAGE}" if host else PAGE
