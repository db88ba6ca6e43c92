"""The loop that sends what is due, against real sockets in this process."""

import asyncio
import time
from dataclasses import replace

import pytest

from servo.connectors.load import pool as pool_module
from servo.connectors.load.arrivals import Phase
from servo.connectors.load.generator import Generator, Tools
from servo.connectors.load.plan import Plan
from servo.connectors.load.requests import prepare
from servo.connectors.load.tally import Tally, total
from servo.connectors.load.targets import Target, parse
from servo.connectors.load.ticker import LoopTicker


def plan_for(url: str, *phases: Phase, targets: list[Target] | None = None, **fields) -> Plan:
    origins, requests = prepare(targets or [Target("GET", url)], keepalive=fields.get("keepalive", True))
    return Plan(phases=phases, origins=tuple(origins), requests=tuple(requests), **fields)


async def run(plan: Plan, tools: Tools | None = None) -> tuple[Tally, Generator]:
    generator = Generator(plan, tools)
    await generator.prepare()
    await generator.run(time.monotonic() + 0.01)
    return total([batch for batch in generator.recorder.batches if batch.measured]), generator


async def test_the_rate_is_kept_and_everything_is_answered(stub):
    found, generator = await run(plan_for(stub.url, Phase(200, 0.5)))
    assert (found.requests, found.succeeded, found.failed) == (100, 100, 0)
    assert found.throughput == pytest.approx(200, rel=0.1)
    assert found.received == 500
    assert generator.totals()[0] < 50  # connections are used again


async def test_the_warm_up_is_sent_and_not_measured(stub):
    found, _ = await run(plan_for(stub.url, Phase(100, 0.3, measured=False), Phase(100, 0.2)))
    assert found.requests == 20
    assert len(stub.seen) == 50


async def test_a_stall_shows_in_all_requests_that_were_due_in_it(stub):
    """No coordinated omission: 200 ms of standstill at 500/s are 100 requests that waited, not one."""
    asyncio.get_running_loop().call_later(0.21, lambda: setattr(stub, "stall_until", time.monotonic() + 0.2))
    found, _ = await run(plan_for(stub.url, Phase(500, 1.0)))
    assert found.requests == found.succeeded == 500
    late = sum(found.latencies.get_count_at_index(i) for i in _indices_above(found, 0.05))
    assert late == pytest.approx(75, abs=25)  # those due in the first 150 of the 200 ms
    assert found.latency_max == pytest.approx(0.2, abs=0.05)
    assert found.percentile(99) > 0.15
    assert found.percentile(50) < 0.05


def _indices_above(tally: Tally, seconds: float):
    histogram = tally.latencies
    return [i for i in range(histogram.counts_len) if histogram.get_value_from_index(i) > seconds * 1e6]


async def test_requests_go_out_on_time_though_the_application_does_not_answer(stub):
    async def never(_):
        await asyncio.sleep(0.5)
        return b""

    stub.answer = never
    plan = plan_for(stub.url, Phase(200, 0.3), timeout=0.2, connections=100)
    found, generator = await run(plan)
    assert len(stub.seen) == 60
    assert found.errors == {"timeout": 60}
    assert found.percentile(1) >= 0.19  # giving up does not improve the latencies
    assert generator.now() < 1.0


async def test_without_free_connections_the_wait_is_counted(stub, raw_reply):
    async def slow(_):
        await asyncio.sleep(0.05)
        return raw_reply()

    stub.answer = slow
    found, generator = await run(plan_for(stub.url, Phase(100, 0.3), connections=1))
    assert stub.connections == 1
    assert found.succeeded == 30
    assert generator.totals()[1] > 20
    assert found.latency_max > 0.5  # 30 requests of 50 ms one after the other


@pytest.mark.parametrize("status", [404, 500])
async def test_an_unexpected_status_is_an_error_and_no_latency(stub, raw_reply, status):
    stub.answer = lambda seen: raw_reply(status)
    found, _ = await run(plan_for(stub.url, Phase(100, 0.1)))
    assert found.errors == {f"status-{status}": 10}
    assert found.recorded == 0
    assert found.error_rate == 100


async def test_what_counts_as_success_is_configured(stub, raw_reply):
    stub.answer = lambda seen: raw_reply(404)
    found, _ = await run(plan_for(stub.url, Phase(100, 0.1), expect=frozenset({404})))
    assert found.succeeded == 10


async def test_a_redirect_is_not_followed(stub, raw_reply):
    """Only configured targets are ever contacted."""
    stub.answer = lambda seen: raw_reply(302, b"", "Location: http://127.0.0.1:1/")
    found, _ = await run(plan_for(stub.url, Phase(100, 0.05)))
    assert found.errors == {"status-302": 5}


async def test_nobody_listening_is_counted_as_refused(free_port):
    found, _ = await run(plan_for(f"http://127.0.0.1:{free_port}/", Phase(100, 0.1)))
    assert found.errors == {"connection-refused": 10}


async def test_a_server_that_closes_at_once_is_counted_and_not_hammered(stub):
    stub.answer = lambda seen: b""
    found, generator = await run(plan_for(stub.url, Phase(100, 0.1)))
    assert found.errors == {"connection-closed": 10}
    assert stub.connections <= 25
    assert generator.totals()[2] == 0


async def test_a_closed_idle_connection_costs_a_retry_and_no_error(stub, raw_reply):
    """A server may close a kept connection just as it is used again; any client asks once more."""
    counts: dict[int, int] = {}

    def answer(seen):
        number = len(stub.seen)
        counts[number] = stub.connections
        return b"" if number == 5 else raw_reply()

    stub.answer = answer
    found, generator = await run(plan_for(stub.url, Phase(50, 0.2)))
    assert found.succeeded == 10
    assert generator.totals()[2] == 1


async def test_a_post_is_not_sent_twice(stub, raw_reply):
    stub.answer = lambda seen: b"" if len(stub.seen) == 5 else raw_reply()
    targets = [Target("POST", stub.url + "/", body=b"x")]
    found, generator = await run(plan_for("", Phase(50, 0.2), targets=targets))
    assert found.errors == {"connection-closed": 1}
    assert generator.totals()[2] == 0


async def test_without_keepalive_each_request_has_its_connection(stub, raw_reply):
    stub.answer = lambda seen: raw_reply(200, b"x", "Connection: close")
    found, _ = await run(plan_for(stub.url, Phase(100, 0.1), keepalive=False))
    assert found.succeeded == 10
    assert stub.connections == 10
    assert stub.seen[0].headers["connection"] == "close"


async def test_methods_headers_and_bodies_arrive(stub):
    text = '{"method": "PUT", "url": "/a?b=c", "header": {"X-Y": ["z"]}, "text": "body"}'
    targets = [*parse(text, form="jsonl", base=stub.url), Target("GET", stub.url + "/d")]
    await run(plan_for("", Phase(100, 0.02), targets=targets))
    first, second = sorted(stub.seen, key=lambda seen: seen.path)
    assert (first.method, first.path, first.headers["x-y"], first.body) == ("PUT", "/a?b=c", "z", b"body")
    assert (second.method, second.path) == ("GET", "/d")


async def test_a_closed_loop_asks_again_as_soon_as_it_is_answered(stub, raw_reply):
    async def slow(_):
        await asyncio.sleep(0.02)
        return raw_reply()

    stub.answer = slow
    found, _ = await run(plan_for(stub.url, Phase(0, 0.5), concurrency=4, connections=4))
    assert stub.connections == 4
    assert found.throughput == pytest.approx(200, rel=0.3)
    assert found.latency_mean == pytest.approx(0.02, abs=0.01)


async def test_a_closed_loop_does_not_spin_on_errors(free_port):
    found, _ = await run(plan_for(f"http://127.0.0.1:{free_port}/", Phase(0, 0.3), concurrency=2))
    assert 2 <= found.requests <= 16


async def test_more_waiting_requests_than_memory_allows_are_failed(stub, monkeypatch):
    monkeypatch.setattr(pool_module, "MAX_BACKLOG", 5)
    stub.stall_until = time.monotonic() + 0.3
    found, _ = await run(plan_for(stub.url, Phase(100, 0.2), connections=1))
    assert found.errors["overflow"] == 20 - 5 - 1
    assert found.succeeded == 6


async def test_it_works_without_a_precise_timer(stub):
    found, _ = await run(plan_for(stub.url, Phase(100, 0.2)), Tools(ticker=LoopTicker))
    assert found.succeeded == 20


async def test_the_precise_timer_is_never_early_and_mostly_prompt(stub):
    """The loop's own timers are 500 µs late on average; a busy machine may spoil one attempt, not all."""
    lags = []
    for _ in range(5):
        found, generator = await run(plan_for(stub.url, Phase(100, 0.3)))
        assert found.succeeded == 30
        lags.append(generator.recorder.lag.get_value_at_percentile(50))
        if lags[-1] < 450:  # µs
            return
    pytest.fail(f"the median lag of five attempts was {lags} µs")


async def test_an_unknown_host_is_an_os_error():
    generator = Generator(plan_for("http://no-such-host.invalid/", Phase(1, 1)))
    with pytest.raises(OSError, match=r"\[Errno"):
        await generator.prepare()


async def test_a_host_with_two_addresses_is_served_by_the_one_that_answers(stub):
    """`localhost` may mean ::1 first, and the application listens on 127.0.0.1."""
    found, _ = await run(plan_for(f"http://localhost:{stub.port}/", Phase(100, 0.1)))
    assert found.succeeded == 10


def test_shards_divide_rate_connections_and_users():
    plan = plan_for("http://h/", Phase(10, 1), connections=5, concurrency=5)
    parts = plan.split(2)
    assert [(p.shard, p.shards, p.connections, p.concurrency) for p in parts] == [(0, 2, 3, 3), (1, 2, 2, 2)]


def test_a_plan_survives_being_sent():
    plan = plan_for("http://h/", Phase(10, 1, measured=False), Phase(5, 2), concurrency=3, ca_file="x")
    assert Plan.load(plan.dump()) == plan
    assert plan.warmup == 1
    assert plan.duration == 3
    assert replace(plan, seed=1) != plan
