"""The client, against a server in this process that answers as Prometheus does: retries, limits, what is no Prometheus."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from servo.configuration import CommonConfiguration
from servo.connectors.prometheus import (
    BudgetError,
    Client,
    ConnectionConfiguration,
    PrometheusMetric,
    QueryError,
    RangeQuery,
    UnavailableError,
)
from servo.connectors.prometheus import transport as transport_module

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def parameters(seen) -> dict[str, str]:
    query = seen.body.decode() if seen.method == "POST" else urlsplit(seen.path).query
    return {name: values[0] for name, values in parse_qs(query).items()}


def grid(asked) -> list[float]:
    first, last, step = (float(asked[name]) for name in ("start", "end", "step"))
    return [first + step * index for index in range(int((last - first) / step + 1e-9) + 1)]


@pytest.fixture
def answer(stub, raw_reply):
    """Has the stub answer each range with a value at each of its moments, for each of some series."""

    def install(*series: dict[str, str], warnings=()):
        def reply(seen):
            values = (
                [[time, "1"] for time in grid(parameters(seen))]
                if "start" in seen.path + str(seen.body)
                else []
            )
            result = [{"metric": labels, "values": values} for labels in series]
            data = {"resultType": "matrix", "result": result}
            return raw_reply(
                200, json.dumps({"status": "success", "data": data, "warnings": [*warnings]}).encode()
            )

        stub.answer = reply
        return stub

    return install


def client(stub, **values) -> Client:
    return Client(stub.url + "/", ConnectionConfiguration(**({"retry_time": "5s"} | values)))


async def test_a_range_is_asked_for(answer):
    stub = answer({"pod": "a"}, {"pod": "b"})
    found = await client(stub).query_range("up", START, START + HOUR, "1m")
    assert [(each.id, len(each)) for each in found.results()] == [("{pod=a}", 61), ("{pod=b}", 61)]
    assert urlsplit(stub.seen[0].path).path == "/api/v1/query_range"
    assert parameters(stub.seen[0]) == {
        "query": "up", "start": "1767225600", "end": "1767229200", "step": "60", "timeout": "30", "limit": "501",
    }  # fmt: skip
    assert found.request == RangeQuery(
        query="up", start=START, end=START + HOUR, step="1m", timeout="30s", limit=501
    )


async def test_a_long_range_is_asked_for_in_pieces_and_put_together(answer):
    stub = answer({"pod": "a"}, {"pod": "b"}, warnings=["a part is missing"])
    limits = {"max_series": 2, "max_samples": 20}
    found = await client(stub, limits=limits).query_range("up", START, START + HOUR, "1m")
    assert len(stub.seen) == 7
    assert all(len(grid(parameters(seen))) <= 10 for seen in stub.seen)
    times = [point.time for point in found.results()[1]]
    assert times == [START + timedelta(minutes=index) for index in range(61)]
    assert found.warnings == ["a part is missing"]


async def test_a_metric_brings_its_step_and_unit(answer):
    stub = answer({})
    metric = PrometheusMetric("m", "rps", "x", step="30m", absent="zero")
    (series,) = (await client(stub).query_range(metric, START, START + HOUR)).results()
    assert (series.metric, len(series)) == (metric, 3)
    assert parameters(stub.seen[0])["query"] == "x or on() vector(0)"


async def test_more_series_than_allowed_are_an_error_that_says_what_to_do(answer):
    stub = answer(*({"pod": str(index)} for index in range(4)))
    with pytest.raises(BudgetError, match=r'"up" gives more than 3 series: .*sum'):
        await client(stub, limits={"max_series": 3}).query_range("up", START, START + HOUR)
    assert parameters(stub.seen[0])["limit"] == "4"


async def test_long_queries_are_posted(answer):
    stub = answer({})
    long = "x" + " " * 3000
    await client(stub).query_range(long, START, START + HOUR)
    await client(stub).query_range("up", START, START + HOUR, method="POST")
    assert [seen.method for seen in stub.seen] == ["POST", "POST"]
    assert parameters(stub.seen[0])["query"] == long
    assert stub.seen[0].headers["content-type"] == "application/x-www-form-urlencoded"


async def test_what_is_sent_says_who_we_are_and_wants_nothing_compressed(answer):
    stub = answer({})
    values = {"bearer_token": "t", "headers": {"X-Scope-OrgID": "team"}}
    await client(stub, **values).query_range("up", START, START + HOUR)
    headers = stub.seen[0].headers
    assert (headers["authorization"], headers["x-scope-orgid"]) == ("Bearer t", "team")
    assert headers["accept-encoding"] == "identity"


async def test_connections_are_kept_within_a_context(answer):
    stub = answer({})
    async with client(stub) as kept:
        for _ in range(3):
            await kept.query_range("up", START, START + HOUR)
    assert stub.connections == 1


async def test_not_more_requests_at_once_than_allowed(stub, raw_reply):
    running, most = 0, 0

    async def slow(_):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        return raw_reply(200, b'{"status": "success", "data": {"resultType": "vector", "result": []}}')

    stub.answer = slow
    async with client(stub, limits={"concurrency": 2}) as limited:
        await asyncio.gather(*(limited.query("up") for _ in range(8)))
    assert most == 2


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between tries, which take no time."""
    found = []

    async def no_time(seconds):
        found.append(seconds)

    stand_in = SimpleNamespace(sleep=no_time, get_running_loop=asyncio.get_running_loop)
    monkeypatch.setattr(import_module("servo.api.retry"), "asyncio", stand_in)
    return found


OK = b'{"status": "success", "data": {"resultType": "vector", "result": []}}'


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_what_may_pass_is_tried_again_no_sooner_than_asked(stub, raw_reply, pauses, status):
    answers = [raw_reply(status, b"busy", "Retry-After: 4"), b"", raw_reply(200, OK)]
    stub.answer = lambda seen: answers[len(stub.seen) - 1]
    assert (await client(stub).query("up")).results() == []
    assert len(stub.seen) == 3
    assert 4 <= pauses[0] < 5


async def test_trying_again_has_an_end(stub, raw_reply, pauses):
    stub.answer = lambda seen: raw_reply(503, b"<html>busy</html>", "Retry-After: 600")
    with pytest.raises(UnavailableError, match="answered 503: <html>busy"):
        await client(stub).query("up")
    assert len(stub.seen) == 1


@pytest.mark.parametrize(
    ("status", "kind", "error", "said"),
    [
        (400, "bad_data", QueryError, r"no such function \(bad_data\)"),
        (422, "execution", QueryError, "execution"),
        (503, "timeout", QueryError, r"\(timeout\)"),
        (401, "unauthorized", UnavailableError, "401; check bearer_token"),
        (200, "bad_data", QueryError, "bad_data"),
    ],
)
async def test_what_will_not_pass_is_not_tried_again(stub, raw_reply, pauses, status, kind, error, said):
    """A query that ran out of the server's time would do so again, at its cost."""
    body = json.dumps({"status": "error", "errorType": kind, "error": "no such function"}).encode()
    stub.answer = lambda seen: raw_reply(status, body)
    with pytest.raises(error, match=said):
        await client(stub).query("up")
    assert len(stub.seen) == 1


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>", "no Prometheus"),
        (200, b"[]", "no Prometheus"),
        (200, b"[" * 100_000, "no Prometheus"),
        (200, b'{"status": "fine"}', "cannot read the answer"),
        (
            200,
            b'{"status": "success", "data": {"resultType": "matrix", "result": 3}}',
            "cannot read the answer",
        ),
        (302, b"", "redirects are not followed"),
        (404, b"404 page not found", "404; base_url may need a path"),
        (401, b"\x1b[2Jgo away", "401; check bearer_token.*go away"),
    ],
)
async def test_what_is_no_prometheus(stub, raw_reply, status, body, said):
    stub.answer = lambda seen: raw_reply(status, body)
    with pytest.raises(UnavailableError, match=said) as caught:
        await client(stub).query("up")
    assert "\x1b" not in str(caught.value)


async def test_answers_are_bounded(stub, raw_reply, monkeypatch):
    monkeypatch.setattr(transport_module, "MAX_ANSWER", 1024 * 1024)
    stub.answer = lambda seen: raw_reply(200, b" " * (2 * 1024 * 1024))
    with pytest.raises(UnavailableError, match="larger than 1 MiB"):
        await client(stub).query("up")
    stub.answer = lambda seen: raw_reply(200, b"x", "Content-Encoding: gzip")
    with pytest.raises(UnavailableError, match="compressed"):
        await client(stub).query("up")


async def test_a_server_that_does_not_answer_is_given_up(stub, monkeypatch):
    """And not asked again: whatever it is busy with may be our query."""
    monkeypatch.setattr(transport_module, "GRACE", 0.0)

    async def never(_):
        await asyncio.Event().wait()
        return b""

    stub.answer = never
    with pytest.raises(UnavailableError, match="cannot reach Prometheus"):
        await client(stub, timeout="100ms").query("up")
    assert len(stub.seen) == 1


async def test_nobody_there(free_port):
    found = Client(f"http://127.0.0.1:{free_port}", ConnectionConfiguration(retry_time=0))
    with pytest.raises(
        UnavailableError, match=f"cannot reach Prometheus at http://127.0.0.1:{free_port}/api/v1"
    ):
        await found.query("up")


async def test_the_servos_proxy_is_used(stub, raw_reply):
    stub.answer = lambda seen: raw_reply(200, OK)
    settings = CommonConfiguration(proxies=stub.url)
    await Client("http://prometheus.example:9090", None, settings).query("up")
    assert stub.seen[0].path.startswith("http://prometheus.example:9090/api/v1/query?")


def test_where_the_api_is():
    assert Client("http://h:9090/").url == "http://h:9090/api/v1"
    assert Client(base_url="http://h/prometheus").url == "http://h/prometheus/api/v1"
