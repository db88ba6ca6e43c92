"""Objectives watched while a load runs."""

import pytest

from servo.connectors.guard import GuardConfiguration
from servo.connectors.load.tally import Tally
from servo.connectors.load.watch import Watch
from servo.errors import EventAbortedError
from servo.types.slo import SloCondition, SloInput


def window(start: float, latency: float | None, *, errors: int = 0) -> Tally:
    tally = Tally(start, start + 1)
    tally.errors["timeout"] += errors
    if latency is not None:
        tally.succeeded = tally.completed = 1
        tally.latency(latency)
    return tally


def watch(slo: SloInput | None = None, **config) -> Watch:
    fields = {"period": "1s", "span": "3s", "skip": "0s"} | config
    return Watch(1.0, 10.0, slo, GuardConfiguration(**fields))


LIMIT = SloInput(conditions=[SloCondition(metric="latency_p99", threshold=200)])


async def test_a_violated_objective_breaks_the_load_off():
    watched = watch(LIMIT)
    await watched(window(10, 0.1))
    with pytest.raises(EventAbortedError) as caught:
        await watched(window(11, 0.3))
    assert caught.value.reason == "slo-violation"


async def test_nothing_is_judged_at_the_beginning():
    watched = watch(LIMIT, skip="5s")
    for start in range(10, 14):
        await watched(window(start, 0.3))
    with pytest.raises(EventAbortedError):
        await watched(window(14, 0.3))


async def test_a_period_of_several_reports():
    watched = watch(LIMIT, period="3s")
    await watched(window(10, 0.3))
    await watched(window(11, 0.3))
    with pytest.raises(EventAbortedError):
        await watched(window(12, 0.3))


async def test_the_error_rate_is_an_objective_too():
    watched = watch(SloInput(conditions=[SloCondition(metric="error_rate", threshold=1)]))
    await watched(window(10, 0.1))
    with pytest.raises(EventAbortedError):
        await watched(window(11, None, errors=5))


async def test_what_this_connector_does_not_measure_is_left_to_others():
    watched = watch(SloInput(conditions=[SloCondition(metric="cpu_cores", threshold=1)]))
    await watched(window(10, 9.0))


async def test_watching_can_be_switched_off():
    await watch(LIMIT, disabled=True)(window(10, 9.0))
    await watch(None)(window(10, 9.0))


async def test_the_latest_report_is_there_to_be_told():
    watched = watch()
    assert watched.last is None
    await watched(window(10, 0.1))
    assert watched.last.start == 10
