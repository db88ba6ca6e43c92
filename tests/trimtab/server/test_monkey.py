"""Dependency Monkey as a service: a run is accepted, made, and told of; real stacks of a local index, real inspections."""

import asyncio
import importlib.util
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from trimtab.catalog import analyses
from trimtab.server.app import create_app
from trimtab.settings import ServerSettings
from trimtab.store import DependencyMonkeyReportsStore, DependencyMonkeyRequestsStore

pytestmark = pytest.mark.timeout(300)

_spec = importlib.util.spec_from_file_location(
    "local_index", Path(__file__).parents[1] / "stacks" / "local_index.py"
)
local_index = importlib.util.module_from_spec(_spec)
sys.modules.setdefault("local_index", local_index)
_spec.loader.exec_module(local_index)

PATH = "/api/v1/dependency-monkey/python"
TOKENS = {name: f"{name}-0123456789abcdef" for name in ("alice", "bob", "watcher")}
PIPFILE = {"packages": {"web": "*", "db": "*"}, "requires": {"python_version": "3.11"}}
CONTEXT = {
    "base": "registry.example/python:3.11",
    "identifier": "zoo",
    "script": "#!/usr/bin/env python3\nimport web, db\nprint(web.__version__)\n",
}
BODY = {"requirements": PIPFILE, "context": CONTEXT}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    server = local_index.Server(local_index.shop(tmp_path_factory.mktemp("shop") / "index"))
    yield server
    server.close()


@pytest.fixture
def serve(place, tmp_path, index, monkeypatch):
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    file = tmp_path / "tokens"
    scopes = {"watcher": "read"}
    file.write_text(
        "".join(f"{name}:{scopes.get(name, 'submit')}:{token}\n" for name, token in TOKENS.items())
    )

    @asynccontextmanager
    async def serve_(**settings):
        values = {"token_file": file, "engine": "process", "allow_process_engine": True} | settings
        app = create_app(ServerSettings(**values), place=place)
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with app.router.lifespan_context(app):
            yield {
                name: httpx2.AsyncClient(
                    transport=transport,
                    base_url="http://localhost",
                    timeout=60,
                    headers={"Authorization": f"Bearer {token}"},
                )
                for name, token in TOKENS.items()
            }

    return serve_


async def until_over(client, path, seconds=200):
    deadline = time.monotonic() + seconds
    while (answer := await client.get(path)).status_code == 202:
        assert time.monotonic() < deadline, answer.text
        await asyncio.sleep(0.1)
    return answer


async def test_each_stack_is_inspected_and_the_report_names_the_inspections(serve, place):
    async with serve() as callers:
        alice = callers["alice"]
        sent = await alice.post(PATH, json=BODY, params={"count": 2, "decision": "random", "seed": 7})
        assert sent.status_code == 202, sent.text
        run = sent.json()["analysis_id"]
        assert run.startswith("dependency-monkey-")
        assert sent.json()["cached"] is False
        assert sent.json()["parameters"]["seed"] == 7
        report = (await until_over(alice, f"{PATH}/{run}/report")).json()
        ids = [each["response"] for each in report["result"]["report"]["responses"]]
        assert len(set(ids)) == 2
        assert all(each.startswith("inspection-zoo-") for each in ids)
        status = (await alice.get(f"{PATH}/{run}/status")).json()["status"]
        assert status["state"] == "succeeded"
        assert status["finished_at"]
        assert "2 stacks" in (await alice.get(f"{PATH}/{run}/log")).json()["log"]
        for each in ids:
            done = await alice.get(f"/api/v1/inspect/{each}/wait", params={"timeout": 60})
            assert done.status_code == 200, done.text
            assert (await alice.get(f"/api/v1/inspect/{each}/report")).json()["report"][
                "state"
            ] == "succeeded"
        assert (await callers["bob"].get(f"{PATH}/{run}/report")).status_code == 404
    where = place.inspections.store, place.deployment
    assert DependencyMonkeyRequestsStore(*where).request_exists(run)
    assert list(DependencyMonkeyReportsStore(*where).iterate_inspection_ids(run)) == ids


async def test_a_dry_run_inspects_nothing(serve):
    async with serve() as callers:
        alice = callers["alice"]
        body = {"requirements": "web\ndb\n", "requirements_format": "requirements"}
        run = (await alice.post(PATH, json=body, params={"count": 3, "dry_run": True})).json()["analysis_id"]
        report = (await until_over(alice, f"{PATH}/{run}/report")).json()["result"]["report"]
        assert len(report["responses"]) == 3
        assert (await alice.get("/api/v1/inspect")).json()["inspections"] == []


async def test_what_cannot_be_satisfied_fails_with_the_reason(serve):
    async with serve() as callers:
        alice = callers["alice"]
        body = {"requirements": {"packages": {"web": "==9"}}, "context": CONTEXT}
        run = (await alice.post(PATH, json=body)).json()["analysis_id"]
        result = (await until_over(alice, f"{PATH}/{run}/report")).json()["result"]
        assert result["error"] is True
        assert "web" in result["report"]["ERROR"]
        assert (await alice.get(f"{PATH}/{run}/status")).json()["status"]["state"] == "failed"


async def test_a_run_that_was_broken_off_inspects_nothing_twice(serve, place, monkeypatch):
    """The server ends after the stacks were submitted, and before the report is there: the next one submits the same once."""
    from trimtab.workflows.monkey import MonkeyRuns

    store = MonkeyRuns._store

    def end(*_):
        raise asyncio.CancelledError

    monkeypatch.setattr(MonkeyRuns, "_store", end)
    async with serve() as callers:
        run = (await callers["alice"].post(PATH, json=BODY, params={"count": 3})).json()["analysis_id"]
        for _ in range(600):
            if len((await callers["alice"].get("/api/v1/inspect")).json()["inspections"]) == 3:
                break
            await asyncio.sleep(0.1)
        before = (await callers["alice"].get("/api/v1/inspect")).json()["inspections"]
        assert len(before) == 3
    monkeypatch.setattr(MonkeyRuns, "_store", store)
    async with serve() as callers:
        report = (await until_over(callers["alice"], f"{PATH}/{run}/report")).json()["result"]["report"]
        after = (await callers["alice"].get("/api/v1/inspect")).json()["inspections"]
        assert sorted(after) == sorted(before)
        assert sorted(each["response"] for each in report["responses"]) == sorted(before)
    with place.database.read() as connection:
        assert analyses.by_id(connection, run)["state"] == "succeeded"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"requirements": PIPFILE}, "context"),
        ({"requirements": PIPFILE, "context": {}}, "base"),
        ({"requirements": {}, "context": CONTEXT}, "empty"),
        ({"requirements": {"packages": 1}, "context": CONTEXT}, "packages"),
        ({**BODY, "predictor": "Oracle"}, "predictor"),
        ({**BODY, "pipeline": {"steps": 1}}, "pipeline"),
        ({**BODY, "requirements": {**PIPFILE, "source": [{"name": "mine", "url": "http://127.0.0.1:1/simple"}]}}, "index"),
        ({**BODY, "requirements": "web @ http://127.0.0.1/web-1-py3-none-any.whl", "requirements_format": "requirements"}, "index"),
    ],
)  # fmt: skip
async def test_what_is_asked_wrongly_is_refused_at_once(serve, body, said):
    async with serve(worker=False) as callers:
        answer = await callers["alice"].post(PATH, json=body)
        assert answer.status_code == 400, answer.text
        assert said in answer.json()["error"]


async def test_what_is_not_there_is_not_found(serve):
    async with serve(worker=False) as callers:
        for name in ("log", "status", "report"):
            answer = await callers["alice"].get(f"{PATH}/dependency-monkey-260101000000-0000/{name}")
            assert answer.status_code == 404
            assert {"error", "parameters"} <= answer.json().keys()
        assert (await callers["watcher"].post(PATH, json=BODY)).status_code == 403
