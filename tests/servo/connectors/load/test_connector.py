"""The connector with real generator processes, against a server in this process."""

from __future__ import annotations

import asyncio
import json
import os
import time

import psutil
import pytest

from servo.connectors.load import LoadConfiguration, LoadConnector
from servo.connectors.load import crew as crew_module
from servo.errors import EventAbortedError, MeasurementFailedError
from servo.types.api import Control, UserData
from servo.types.slo import SloCondition, SloInput

pytestmark = pytest.mark.integration


def connector(stub, **values) -> LoadConnector:
    loop = {} if {"steps", "concurrency"} & values.keys() else {"rate": 100}
    # On a machine that is busy with other tests the generator may be late; that is not what is tested here.
    fields = {"url": stub.url, "check_duration": "300ms", "max_lag": "5m"} | loop | values
    return LoadConnector(config=LoadConfiguration(**fields))


async def measure(found: LoadConnector, **control):
    (result,) = await found.dispatch_event("measure", control=Control(**({"duration": "1s"} | control)))
    return result.value


def figures(measurement) -> dict[str, float]:
    return {reading.metric.name: reading.value for reading in measurement.readings}


def generators() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "servo.connectors.load.worker" in " ".join(child.cmdline())]


async def test_a_load_is_measured_after_its_warm_up(stub):
    found = await measure(connector(stub), warmup="500ms")
    values = figures(found)
    assert values["throughput"] == pytest.approx(100, rel=0.1)
    assert values["error_rate"] == 0
    assert 0 < values["latency_p50"] <= values["latency_p99"] <= values["latency_max"]
    assert len(stub.seen) == 150
    assert json.loads(found.annotations["load"])["requests"] == 100
    assert found.annotations["load_profile"] == "open loop of 100 requests/s for 1s after 0.5s of warm-up"


async def test_a_standstill_shows_in_the_percentiles(stub):
    """No coordinated omission, across the process boundary too: 300 ms of 1 s is 30 % of the requests."""
    asyncio.get_running_loop().call_later(0.9, lambda: setattr(stub, "stall_until", time.monotonic() + 0.3))
    values = figures(await measure(connector(stub), duration="2s"))
    assert values["throughput"] == pytest.approx(100, rel=0.1)
    assert values["latency_p90"] > 30
    assert values["latency_p99"] > 200
    assert values["latency_max"] == pytest.approx(300, abs=80)


async def test_several_processes_share_the_load(stub):
    values = figures(await measure(connector(stub, processes=2)))
    assert values["throughput"] == pytest.approx(100, rel=0.1)
    assert len(stub.seen) == 100


async def test_steps_are_reported_each_for_itself(stub):
    found = await measure(connector(stub, steps=[50, 100]))
    reported = json.loads(found.annotations["steps"])
    assert [step["rate"] for step in reported] == [50, 100]
    assert [step["throughput"] for step in reported] == pytest.approx([50, 100], rel=0.2)


async def test_a_closed_loop_finds_what_an_application_can_do(stub, raw_reply):
    async def slow(_):
        await asyncio.sleep(0.02)
        return raw_reply()

    stub.answer = slow
    values = figures(await measure(connector(stub, concurrency=4)))
    assert values["throughput"] == pytest.approx(190, rel=0.2)


async def test_the_delay_is_waited_for_after_the_load(stub):
    """Reference 6.4: the delay of a control was ignored."""
    begun = time.monotonic()
    await measure(connector(stub), duration="300ms", delay="1s")
    assert time.monotonic() - begun > 1.3


async def test_a_violated_objective_ends_the_load_at_once(stub, raw_reply):
    async def slow(_):
        await asyncio.sleep(0.1)
        return raw_reply()

    stub.answer = slow
    slo = SloInput(conditions=[SloCondition(metric="latency_p99", threshold=50)])
    found = connector(stub, fast_fail={"skip": "1s"}, interval="500ms")
    begun = time.monotonic()
    with pytest.raises(ExceptionGroup) as caught:
        await measure(found, duration="60s", userdata=UserData(slo=slo))
    (error,) = caught.value.exceptions
    assert isinstance(error, EventAbortedError)
    assert error.reason == "slo-violation"
    assert time.monotonic() - begun < 15
    assert generators() == []


@pytest.mark.parametrize("duration", ["0s", "25h"])
async def test_a_duration_that_makes_no_sense_is_an_error(stub, duration):
    with pytest.raises(ExceptionGroup) as caught:
        await measure(connector(stub), duration=duration)
    (error,) = caught.value.exceptions
    assert isinstance(error, MeasurementFailedError)
    assert error.reason == "invalid-duration"


async def test_no_answer_at_all_is_a_failed_measurement(stub, free_port):
    with pytest.raises(ExceptionGroup) as caught:
        await measure(connector(stub, url=f"http://127.0.0.1:{free_port}/"), duration="300ms")
    (error,) = caught.value.exceptions
    assert error.reason == "no-responses"
    assert "connection-refused (30)" in str(error)


async def test_an_unknown_host_is_a_failed_measurement(stub):
    with pytest.raises(ExceptionGroup) as caught:
        await measure(connector(stub, url="http://no-such-host.invalid/"), duration="300ms")
    (error,) = caught.value.exceptions
    assert error.reason == "load-failed"


async def test_a_late_generator_fails_the_measurement_instead_of_blaming_the_application(stub, monkeypatch):
    """Its own saturation is never shown as the application's: here the generator is stopped for 300 ms."""
    task = asyncio.create_task(measure(connector(stub, max_lag="50ms", rate=200)))
    await stub.asked(20)
    (generator,) = generators()
    generator.suspend()
    await asyncio.sleep(0.3)
    generator.resume()
    with pytest.raises(ExceptionGroup) as caught:
        await task
    (error,) = caught.value.exceptions
    assert error.reason == "load-saturated"
    assert "lower the rate" in str(error)


async def test_a_generator_that_is_killed_fails_the_measurement(stub):
    task = asyncio.create_task(measure(connector(stub), duration="30s"))
    await stub.asked()
    generators()[0].kill()
    with pytest.raises(ExceptionGroup) as caught:
        await task
    assert caught.value.exceptions[0].reason == "load-failed"


async def test_a_cancelled_measurement_leaves_no_generator(stub):
    task = asyncio.create_task(measure(connector(stub, processes=2), duration="30s"))
    await stub.asked()
    assert len(generators()) == 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert generators() == []
    seen = len(stub.seen)
    await asyncio.sleep(0.3)
    assert len(stub.seen) <= seen + 5


async def test_a_generator_whose_agent_is_gone_ends(stub):
    """The agent's death closes its input."""
    plan = crew_module.json.dumps(_plan(stub))
    process = await crew_module._spawn()
    process.stdin.write(plan.encode() + b"\n")
    assert b"ready" in await process.stdout.readline()
    process.stdin.write(f"{time.monotonic()}\n".encode())
    await stub.asked()
    process.stdin.close()
    async with asyncio.timeout(10):
        await process.communicate()
    assert process.returncode == 0


def _plan(stub) -> dict:
    from servo.connectors.load.planning import make_plan

    return make_plan(connector(stub).config, warmup=0, duration=60).dump()


async def test_the_checks_pass_where_the_application_answers(stub):
    (result,) = await connector(stub).dispatch_event("check", None)
    assert [(check.id, check.success) for check in result.value] == [
        ("check_targets", True),
        ("check_connections_item_0", True),
        ("check_request", True),
        ("check_error_rate", True),
        ("check_generator", True),
    ]
    assert result.value[1].name == f"Connect to {stub.url}"


async def test_the_checks_say_what_is_wrong(stub, raw_reply, free_port):
    stub.answer = lambda seen: raw_reply(503)
    (result,) = await connector(stub).dispatch_event("check", None)
    failed = next(check for check in result.value if not check.success)
    assert (failed.id, failed.message) == ("check_request", "status-503 (1)")
    (result,) = await connector(stub, url=f"http://127.0.0.1:{free_port}/").dispatch_event("check", None)
    assert not result.value[-1].success
    assert result.value[-1].hint == "start the application, or correct the target"


async def test_no_proxy_of_the_environment_is_used(stub, monkeypatch, free_port):
    """Only the configured targets are ever contacted."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setitem(os.environ, name, f"http://127.0.0.1:{free_port}")
    assert figures(await measure(connector(stub), duration="300ms"))["error_rate"] == 0


async def test_metrics_and_description(stub):
    (result,) = await connector(stub).dispatch_event("metrics")
    assert {metric.name: str(metric.unit) for metric in result.value} == {
        "throughput": "rps",
        "error_rate": "%",
        "latency_mean": "ms",
        "latency_p50": "ms",
        "latency_p90": "ms",
        "latency_p95": "ms",
        "latency_p99": "ms",
        "latency_max": "ms",
    }
    (result,) = await connector(stub, steps=[1]).dispatch_event("describe")
    assert result.value.get_metric("throughput_sustained") is not None
    assert result.value.components == []
