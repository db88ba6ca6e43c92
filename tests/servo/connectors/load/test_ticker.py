"""Wake-up calls."""

import asyncio
import time

import pytest

from servo.connectors.load.ticker import LoopTicker, TimerfdTicker, best_ticker


@pytest.mark.parametrize("kind", [TimerfdTicker, LoopTicker])
async def test_it_calls_once_at_its_time_and_again_when_armed_again(kind):
    called: list[float] = []
    ticker = kind(lambda: called.append(time.monotonic()))
    wanted = time.monotonic() + 0.05
    ticker.arm(wanted)
    await asyncio.sleep(0.1)
    assert len(called) == 1
    assert called[0] >= wanted - 0.001
    ticker.arm(0.0)  # long past: at once
    await asyncio.sleep(0.05)
    assert len(called) == 2
    ticker.close()


@pytest.mark.parametrize("kind", [TimerfdTicker, LoopTicker])
async def test_a_later_call_replaces_an_earlier_one(kind):
    called: list[int] = []
    ticker = kind(lambda: called.append(1))
    ticker.arm(time.monotonic() + 0.02)
    ticker.arm(time.monotonic() + 60)
    await asyncio.sleep(0.06)
    assert called == []
    ticker.close()


@pytest.mark.parametrize("kind", [TimerfdTicker, LoopTicker])
async def test_a_closed_one_never_calls_and_can_be_closed_twice(kind):
    called: list[int] = []
    ticker = kind(lambda: called.append(1))
    ticker.arm(time.monotonic() + 0.01)
    ticker.close()
    ticker.close()
    await asyncio.sleep(0.05)
    assert called == []


async def test_the_most_precise_one_is_taken_and_a_system_without_it_has_the_other(monkeypatch):
    ticker = best_ticker(lambda: None)
    assert isinstance(ticker, TimerfdTicker)
    ticker.close()

    def missing(*_):
        raise OSError("no timerfd on this system")

    monkeypatch.setattr(TimerfdTicker, "__init__", missing)
    assert isinstance(best_ticker(lambda: None), LoopTicker)
