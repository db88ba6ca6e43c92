"""The connector that waits, in virtual time."""

import asyncio

import pytest

from servo.connectors.wait import WaitConfiguration, WaitConnector
from servo.types.api import Control, Description

pytestmark = pytest.mark.looptime


def connector(*, enabled: bool) -> WaitConnector:
    return WaitConnector(config=WaitConfiguration(measure_enabled=enabled))


async def measure(found: WaitConnector, **control):
    (result,) = await found.dispatch_event("measure", control=Control(**control))
    return result.value


async def test_it_waits_for_warm_up_duration_and_delay(looptime):
    """Reference 6.4: the delay of a control was ignored."""
    found = await measure(connector(enabled=True), warmup="30s", duration="10m", delay="15s")
    assert found.readings == []
    assert looptime == 645


async def test_it_returns_at_once_when_it_shall_not_measure(looptime):
    assert (await measure(connector(enabled=False), duration="10m")).readings == []
    assert looptime == 0


async def test_a_duration_of_zero_is_over_at_once(looptime):
    await measure(connector(enabled=True), duration=0)
    assert looptime < 1


async def test_progress_is_told_every_minute(looptime, monkeypatch):
    told = []
    monkeypatch.setattr(WaitConnector, "_tell", lambda self, progress: told.append(round(progress.progress)))
    await measure(connector(enabled=True), duration="3m")
    assert told[:2] == [33, 67]


async def test_it_can_be_cancelled(looptime):
    task = asyncio.create_task(measure(connector(enabled=True), duration="1h"))
    await asyncio.sleep(5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert looptime == 5


async def test_it_describes_nothing():
    (result,) = await connector(enabled=True).dispatch_event("describe")
    assert result.value == Description()


def test_whether_to_wait_has_to_be_said():
    assert WaitConfiguration.model_json_schema()["required"] == ["measure_enabled"]
