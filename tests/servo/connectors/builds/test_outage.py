"""Hours without a backend, in virtual time."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, Future

import pytest

from servo.connectors.builds.agent import Agent
from servo.connectors.builds.http import ExchangeError
from servo.connectors.builds.journal import journal as journals
from servo.connectors.builds.journal import records
from servo.connectors.builds.patience import jittered


class Inline(Executor):
    """Does at once what is to be done: virtual time waits for no thread."""

    def __init__(self, *_args):
        pass

    def submit(self, function, /, *args, **options):
        future = Future()
        try:
            future.set_result(function(*args, **options))
        except Exception as error:  # noqa: BLE001 - a future's
            future.set_exception(error)
        return future


@pytest.fixture
def _virtual(monkeypatch):
    """What an agent needs in virtual time; nobody beside it writes to its journal, so it need not look each second."""
    monkeypatch.setattr(journals, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr("servo.connectors.builds.submitter._LONGEST_SLEEP", 60.0)


@pytest.fixture
async def hours(_virtual, config, backend, source):
    """An agent in virtual time."""
    loop = asyncio.get_running_loop()
    agent = Agent(
        config(retry={"give_up": "2h"}), sources=[source], transport=backend, clock=lambda: 1e9 + loop.time()
    )
    await agent.start()
    yield agent
    await agent.stop()


@pytest.mark.looptime
async def test_an_hour_without_a_backend_loses_nothing(hours, backend, source, build):
    loop, asked = asyncio.get_running_loop(), []

    def fault(key):
        asked.append(loop.time())
        if loop.time() < 3600:
            raise ExchangeError("connection refused")

    backend.fault = fault
    for number in range(200):
        source.show(build(f"b{number}"))
    await asyncio.sleep(3600)
    assert not backend.taken
    assert len(asked) < 400  # it is not asked again and again
    await asyncio.sleep(900)
    assert len(backend.taken) == 200
    assert await hours.journal.read(records.counts) == {"submitted": 200}


@pytest.mark.looptime
async def test_after_the_time_for_it_a_build_is_a_tombstone_that_says_why(
    hours, backend, source, build, away
):
    backend.fault = away
    source.show(build())
    await asyncio.sleep(3 * 3600)
    record = await hours.journal.read(records.one, "one")
    assert record.state == "tombstone"
    assert record.reason == "given up after 2 h: http://backend.example does not answer: connection refused"


@pytest.mark.looptime
async def test_the_backend_says_how_long_to_wait(hours, backend, source, build, refused):
    loop, times = asyncio.get_running_loop(), []

    def fault(key):
        times.append(loop.time())
        return refused(429, retry_after="100") if len(times) == 1 else None

    backend.fault = fault
    source.show(build())
    await asyncio.sleep(300)
    assert 100 <= times[1] - times[0] < 105


def test_waits_are_random_and_bounded():
    assert jittered(0, 1, 300, lambda: 1.0) == 1
    assert jittered(5, 1, 300, lambda: 1.0) == 32
    assert jittered(10_000, 1, 300, lambda: 1.0) == 300
    assert jittered(5, 1, 300, lambda: 0.0) == 0


@pytest.mark.looptime
@pytest.mark.usefixtures("_virtual")
async def test_without_a_backend_the_queue_is_bounded_and_sources_keep_the_rest(
    config, backend, source, build
):
    """A build each ten seconds, and room for twenty: then nothing is read on, and in the end all is sent once."""
    loop, asked = asyncio.get_running_loop(), []

    def fault(key):
        asked.append(key)
        if loop.time() < 600:
            raise ExchangeError("connection refused")

    backend.fault = fault
    settings = config(queue={"builds": 20}, retry={"give_up": "3d"})
    agent = Agent(settings, sources=[source], transport=backend, clock=lambda: 1e9 + loop.time())
    await agent.start()
    for number in range(60):
        source.show(build(f"b{number}"))
        await asyncio.sleep(10)
    assert not backend.taken
    counts = await agent.journal.read(records.counts)
    assert counts == {"waiting": 20}
    assert len(source.batches) == 60 - 20 - 1  # one is in the watcher's hand
    assert len(asked) < 60  # not once for each build and try
    assert agent.trouble()
    await asyncio.sleep(900)
    assert len(backend.taken) == 60
    assert await agent.journal.read(records.counts) == {"submitted": 60}
    assert agent.trouble() is None
    await agent.stop()
