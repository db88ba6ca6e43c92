"""The application, and a client that needs no network."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from trimtab.server.app import create_app
from trimtab.settings import ServerSettings


@pytest.fixture
def make_app(sessions) -> Callable[..., Any]:
    def make(**settings: Any) -> Any:
        hosts = settings.pop("hosts", frozenset())
        return create_app(ServerSettings(**settings), sessions, hosts=hosts)

    return make


@pytest.fixture
def app(make_app) -> Any:
    return make_app()


class Client:
    """Sends requests to an application, and waits for the answer.

    Args:
        app: The application.
        headers: Of every request.
    """

    def __init__(self, app: Any, **headers: str) -> None:
        self.app = app
        self.headers = headers

    def __call__(self, method: str, path: str, **options: Any) -> httpx2.Response:
        async def ask() -> httpx2.Response:
            transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx2.AsyncClient(
                transport=transport, base_url="http://localhost", headers=self.headers
            ) as client:
                return await client.request(method, path, **options)

        # A loop of its own, which is not made the current one: that is pytest's.
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(ask())


@pytest.fixture
def make_client() -> Callable[..., Client]:
    return Client


@pytest.fixture
def client(app) -> Client:
    return Client(app)
