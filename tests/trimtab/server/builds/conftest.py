"""A server that analyses, and callers of each scope."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from trimtab.server.app import create_app
from trimtab.settings import ServerSettings

TOKENS = {name: f"{name}-0123456789abcdef" for name in ("alice", "bob", "watcher", "root", "ci")}
SCOPES = {"alice": "submit", "bob": "submit", "watcher": "read", "root": "admin", "ci": "agent"}
LOG = "STEP 1/2: FROM registry.example/python\nCollecting six==1.16.0\nSuccessfully installed six-1.16.0\n"


@pytest.fixture
def serve(place, tmp_path) -> Callable[..., Any]:
    """Serves the place, and analyses; each caller has a client of its own, by its name."""
    file = tmp_path / "tokens"
    file.write_text("".join(f"{name}:{SCOPES[name]}:{token}\n" for name, token in TOKENS.items()))

    @asynccontextmanager
    async def serve_(**settings: Any) -> AsyncIterator[dict[str, httpx2.AsyncClient]]:
        values = {"token_file": file, "engine": "docker"} | settings
        app = create_app(ServerSettings(**values), place=place)
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with app.router.lifespan_context(app):
            yield {
                name: httpx2.AsyncClient(
                    transport=transport,
                    base_url="http://localhost",
                    headers={"Authorization": f"Bearer {token}"} if token else {},
                    timeout=60,
                )
                for name, token in {**TOKENS, "nobody": ""}.items()
            }

    return serve_


@pytest.fixture
async def callers(serve) -> AsyncIterator[dict[str, httpx2.AsyncClient]]:
    """Those of a server that analyses."""
    async with serve() as found:
        yield found


@pytest.fixture
async def accepting(serve) -> AsyncIterator[dict[str, httpx2.AsyncClient]]:
    """Those of a server that accepts, and leaves the work to others."""
    async with serve(worker=False) as found:
        yield found


@pytest.fixture
def root(callers) -> httpx2.AsyncClient:
    return callers["root"]


async def until_over(client: httpx2.AsyncClient, path: str, seconds: float = 300) -> httpx2.Response:
    """The first answer that is not 202."""
    deadline = time.monotonic() + seconds
    while (response := await client.get(path)).status_code == 202:
        assert time.monotonic() < deadline, response.text
        await asyncio.sleep(0.1)
    return response


@pytest.fixture
def over() -> Callable[..., Any]:
    return until_over


@pytest.fixture
def log_text() -> str:
    return LOG
