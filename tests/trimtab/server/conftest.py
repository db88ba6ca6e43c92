"""The application, and a client that needs no network."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from trimtab.catalog import accept, advance, record
from trimtab.catalog.rebuild import documents_of
from trimtab.server.app import create_app
from trimtab.settings import ServerSettings
from trimtab.store import Inspections, Store
from trimtab.workflows import Place

SPECIFICATION = {
    "base": "registry.example/python:3.11",
    "identifier": "matmul",
    "batch_size": 3,
    "script": "#!/bin/sh\necho hello\n",
}
HWINFO = {
    "cpu_info": {"brand_raw": "Intel(R) Xeon(R) Gold 6140", "family": 6, "model": 85},
    "cpu_type": {"ncpus": 36},
}
BUILD = {"reference": "trimtab/x", "digest": "sha256:1", "cached": False, "seconds": 1.5, "left_out": []}
FIRST = "inspection-matmul-260101000000-0000000000000001"


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


@pytest.fixture
def place(tmp_path, database) -> Place:
    return Place(database, Inspections(Store.open(str(tmp_path / "store")), "test"), tmp_path / "home")


def result(elapsed: float = 1.0, **more: Any) -> dict[str, Any]:
    """What a run leaves."""
    times = {"start_datetime": "2026-01-01T00:00:01", "end_datetime": "2026-01-01T00:00:02"}
    printed = {"name": "PiMatmul", "@result": {"elapsed": elapsed}}
    return {"exit_code": 0, **times, "stdout": printed, "stderr": "", "hwinfo": HWINFO, **more}


@pytest.fixture
def queue(place) -> Callable[..., str]:
    """Accepts an inspection, as the catalog has it then."""

    def queue_(inspection_id: str = FIRST, owner: str = "", state: str = "queued", **changes: Any) -> str:
        document = SPECIFICATION | {"@created": "2026-01-01T00:00:00.000000"} | changes
        with place.database.write() as connection:
            accept(connection, inspection_id, document, created_at=1.0, owner=owner)
            advance(connection, inspection_id, state)
        return inspection_id

    return queue_


@pytest.fixture
def conclude(place, queue) -> Callable[..., str]:
    """Leaves an inspection that is over, with its documents."""

    def conclude_(
        inspection_id: str = FIRST,
        owner: str = "",
        state: str = "succeeded",
        results: tuple[dict[str, Any] | None, ...] = (result(), result(1.1)),
        **changes: Any,
    ) -> str:
        queue(inspection_id, owner, **changes)
        stored = place.inspections[inspection_id]
        stored.build.store_build(b"building\n", "FROM registry.example/python:3.11\n")
        runs = []
        for item, each in enumerate(results):
            if each is not None:
                stored.results.store_run(item, each, hwinfo=HWINFO, log=b"beside\n")
            runs.append(
                {"item": item, "attempt": 1, "state": "succeeded" if each else "lost", "failure": None}
            )
        report = {
            "inspection_id": inspection_id,
            "state": state,
            "owner": owner,
            "created": "2026-01-01T00:00:00+00:00",
            "build": BUILD,
            "runs": runs,
        }
        stored.conclude(SPECIFICATION | changes, report)
        with place.database.write() as connection:
            record(connection, documents_of(stored))
        return inspection_id

    return conclude_
