"""`/metrics` and `/healthz`: the original's names with labels, and whether the agent does its work."""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path

import pytest

from servo.connectors.builds.build import Image, Phase
from servo.connectors.builds.metrics import GAUGES, HELP, MAX_SERIES, Metrics
from servo.utilities.exposition import Exposition

PAGE = Path(__file__).parents[4] / "docs" / "builds-agent.md"
ORIGINAL = {
    "build_watcher_image_submission_total",
    "build_watcher_image_pushed_registry_total",
    "build_watcher_build_log_submission_total",
    "build_watcher_builds_failed_total",
}
SERIES = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? ([0-9.e+-]+)')


async def exchange(port, raw):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    try:
        async with asyncio.timeout(30):
            return await reader.read()
    finally:
        writer.close()


async def get(port, path, method="GET"):
    """Status, headers and body of a page."""
    answer = await exchange(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head, _, body = answer.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body


def parsed(page):
    """Values by name and labels; each line has to be one that Prometheus understands."""
    found = {}
    for line in page.splitlines():
        if line.startswith("#"):
            continue
        match = SERIES.fullmatch(line)
        assert match, line
        found[match[1], match[2] or ""] = float(match[3])
    return found


@pytest.fixture
async def served(agent, config):
    return await agent(config(metrics={"port": 0}, namespace="team"))


async def test_what_happened_is_counted_by_the_originals_names(served, source, build, until):
    source.show(
        build(), build("two", phase=Phase.failed, output=Image(shown="localhost/app:1")), build("one"),
        build("three", log=None, base=None, output=None, phase=Phase.cancelled),
    )  # fmt: skip
    await until(lambda: served.metrics.total("build_watcher_builds_total", outcome="submitted") == 2)
    await until(lambda: served.metrics.total("build_watcher_builds_total", outcome="tombstone") == 1)
    status, headers, page = await get(served.port, "/metrics?x=1")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    values = parsed(page)
    assert {(name, labels): value for (name, labels), value in values.items() if name in ORIGINAL} == {
        ("build_watcher_image_submission_total", 'namespace="team",kind="base",outcome="accepted"'): 2,
        ("build_watcher_image_submission_total", 'namespace="team",kind="output",outcome="accepted"'): 1,
        ("build_watcher_image_submission_total", 'namespace="team",kind="output",outcome="missing"'): 1,
        ("build_watcher_build_log_submission_total", 'namespace="team",kind="log",outcome="accepted"'): 2,
        ("build_watcher_builds_failed_total", 'namespace="team",kind="failed",outcome="seen"'): 1,
        ("build_watcher_builds_failed_total", 'namespace="team",kind="cancelled",outcome="seen"'): 1,
    }
    assert values["build_watcher_builds_total", 'namespace="team",kind="list",outcome="seen"'] == 3
    assert values["build_watcher_builds_total", 'namespace="team",kind="list",outcome="duplicate"'] == 1
    assert values["build_watcher_source_up", 'kind="list"'] == 1
    assert values["build_watcher_backend_up", ""] == 1


async def test_each_name_has_its_help_its_type_and_its_line_on_the_page_of_the_docs(served):
    _, _, page = await get(served.port, "/metrics")
    assert set(HELP) >= ORIGINAL
    told = PAGE.read_text()
    for kind, names in (("counter", HELP), ("gauge", GAUGES)):
        for name in names:
            assert f"# TYPE {name} {kind}" in page.splitlines()
            assert f"# HELP {name} " in page
            assert f"`{name}`" in told


async def test_who_works_is_healthy(served, source, until):
    await until(lambda: source.positions)
    assert await get(served.port, "/healthz") == (200, {"content-type": "text/plain; charset=utf-8", "content-length": "3", "x-content-type-options": "nosniff", "connection": "close"}, "ok\n")  # fmt: skip


async def test_who_does_not_reach_the_backend_says_so(served, source, backend, build, until, away):
    """The original's probe asked a port that nobody listened on."""
    backend.fault = away
    source.show(build())
    await until(lambda: served.submitter.gate.trouble)
    status, _, body = await get(served.port, "/healthz")
    assert (status, body) == (503, "backend: http://backend.example does not answer: connection refused\n")
    assert parsed((await get(served.port, "/metrics"))[2])["build_watcher_backend_up", ""] == 0


async def test_the_length_of_the_queue_is_told(served, source, backend, build, until, away, monkeypatch):
    monkeypatch.setattr("servo.connectors.builds.agent._REFRESH", 0.01)
    backend.fault = away
    source.show(*(build(f"b{number}") for number in range(7)))
    await until(lambda: served._queue[0] == 7, 20)
    values = parsed((await get(served.port, "/metrics"))[2])
    assert values["build_watcher_queue_builds", ""] == 7
    assert values["build_watcher_queue_oldest_seconds", ""] >= 0


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("GET", "/etc/passwd", 404), ("POST", "/metrics", 405)]
)
async def test_there_is_nothing_else(served, method, path, status):
    assert (await get(served.port, path, method))[0] == status


async def test_head_is_the_same_without_a_body(served):
    status, headers, body = await get(served.port, "/healthz", "HEAD")
    assert (status, headers["content-length"], body) == (200, "3", "")


@pytest.mark.parametrize(
    "raw", [b"\0\xff\r\n\r\n", b"\r\n\r\n", b"GET\r\n\r\n", b"GET " + b"x" * 100_000 + b"\r\n\r\n", b""]
)
async def test_nonsense_harms_nobody(served, raw):
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(raw)
    writer.write_eof()
    with contextlib.suppress(ConnectionError):  # it does not read all of it
        await asyncio.wait_for(reader.read(), 30)
    writer.close()
    assert (await get(served.port, "/healthz"))[0] in {200, 503}


async def test_who_says_nothing_keeps_nobody(monkeypatch):
    monkeypatch.setattr("servo.utilities.exposition._SECONDS", 0.05)
    page = Exposition(lambda: "", lambda: None)
    port = await page.start("127.0.0.1", 0)
    assert await exchange(port, b"GET /metrics HTTP/1.1\r\n") == b""
    await page.aclose()


async def test_at_its_end_it_waits_for_no_client():
    page = Exposition(lambda: "", lambda: None)
    port = await page.start("127.0.0.1", 0)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(5):
        await page.aclose()
    writer.close()


def test_labels_of_strangers_are_escaped_and_their_number_is_bounded():
    metrics = Metrics()
    name = "build_watcher_builds_total"
    metrics.count(name, 'a"b\\c\nd', "seen", namespace='}{"')
    assert rf'{name}{{namespace="}}{{\"",kind="a\"b\\c\nd",outcome="seen"}} 1' in metrics.text().splitlines()
    for number in range(3 * MAX_SERIES):
        metrics.count(name, f"source-{number}", "seen")
    assert len(metrics.counters[name]) <= MAX_SERIES + 1
    assert metrics.total(name, outcome="seen") == 3 * MAX_SERIES + 1
    assert metrics.total(name, kind="other") == 2 * MAX_SERIES + 1
    parsed(metrics.text())
