"""A server over a place with inspections in it, and callers with tokens of their own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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
TOKENS = {name: f"{name}-0123456789abcdef" for name in ("alice", "bob", "watcher", "root", "shop")}
SCOPES = {"alice": "submit", "bob": "submit", "watcher": "read", "root": "admin", "shop": "agent"}
FIRST = "inspection-matmul-260101000000-0000000000000001"


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


@pytest.fixture
def serve(place, tmp_path) -> Callable[..., Any]:
    """Serves the place; each caller has a client of its own, by its name."""
    file = tmp_path / "tokens"
    file.write_text("".join(f"{name}:{SCOPES[name]}:{token}\n" for name, token in TOKENS.items()))

    @asynccontextmanager
    async def serve_(maker: Any = None, **settings: Any) -> AsyncIterator[dict[str, httpx2.AsyncClient]]:
        hosts = settings.pop("hosts", frozenset())
        values = {"token_file": file, "worker": False} | settings
        app = create_app(ServerSettings(**values), place=place, maker=maker or StandIn(place), hosts=hosts)
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


class StandIn:
    """Until workers are there."""

    def __init__(self, place):
        self.place = place
        self.engine = "auto"

    async def submit(self, submission, *, idempotency=None):
        with self.place.database.write() as connection:
            return accept(
                connection,
                submission.id,
                submission.specification,
                created_at=submission.created,
                owner=submission.owner,
                idempotency=idempotency,
            )

    async def cancel(self, inspection_id):
        with self.place.database.write() as connection:
            return advance(connection, inspection_id, "cancelled")

    async def retry(self, inspection_id, owner=None):
        from trimtab.catalog import inspections
        from trimtab.inspection import Specification
        from trimtab.workflows import Submission

        with self.place.database.read() as connection:
            document = inspections.specification(connection, inspection_id)
        made = Submission.of(Specification.load(document), "auto", deployment="test", owner=owner)
        await self.submit(made)
        return made

    async def follow(self, inspection_id):
        from trimtab.workflows import Event

        yield Event(inspection_id, "accepted")
