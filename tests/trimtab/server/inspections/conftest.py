"""A server over a place with inspections in it, and callers with tokens of their own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from trimtab.server.app import create_app
from trimtab.settings import ServerSettings

TOKENS = {name: f"{name}-0123456789abcdef" for name in ("alice", "bob", "watcher", "root", "shop")}
SCOPES = {"alice": "submit", "bob": "submit", "watcher": "read", "root": "admin", "shop": "agent"}


@pytest.fixture
def serve(place, tmp_path) -> Callable[..., Any]:
    """Serves the place; each caller has a client of its own, by its name."""
    file = tmp_path / "tokens"
    file.write_text("".join(f"{name}:{SCOPES[name]}:{token}\n" for name, token in TOKENS.items()))

    @asynccontextmanager
    async def serve_(**settings: Any) -> AsyncIterator[dict[str, httpx2.AsyncClient]]:
        hosts = settings.pop("hosts", frozenset())
        values = {"token_file": file, "worker": False} | settings
        app = create_app(ServerSettings(**values), place=place, hosts=hosts)
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with app.router.lifespan_context(app):
            yield {
                name: httpx2.AsyncClient(
                    transport=transport,
                    base_url="http://localhost",
                    headers={"Authorization": f"Bearer {token}"} if token else {},
                )
                for name, token in {**TOKENS, "nobody": ""}.items()
            }

    return serve_


@pytest.fixture
async def callers(serve) -> AsyncIterator[dict[str, httpx2.AsyncClient]]:
    async with serve() as found:
        yield found


@pytest.fixture
def root(callers) -> httpx2.AsyncClient:
    return callers["root"]
