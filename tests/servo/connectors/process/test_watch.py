"""Objectives on what an application uses, watched while it is measured."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

import servo
from servo.connectors.guard import GuardConfiguration
from servo.connectors.process import ProcessConnector
from servo.connectors.process.usage import Sample, Usage
from servo.connectors.process.watch import Watch
from servo.errors import EventAbortedError
from servo.types.api import Control, UserData
from servo.types.slo import SloCondition, SloInput

MIB = 1024**2
CONTROL = Control()


def slo(metric: str, threshold: float, keep: str = "below", **more) -> SloInput:
    return SloInput(conditions=[SloCondition(metric=metric, threshold=threshold, keep=keep, **more)])


async def look_at(usage: Usage, objective: SloInput | None, **config) -> None:
    fields = {"period": "1s", "span": "3s", "skip": "0s"} | config
    await Watch(usage, 1.0, objective, GuardConfiguration(**fields))()


def used(*samples: tuple[float, float, int], restarts: int = 0) -> Usage:
    """Of a time, CPU seconds and MiB each."""
    return Usage([Sample(time, cpu, memory * MIB) for time, cpu, memory in samples], restarts)


@pytest.mark.parametrize(
    ("usage", "objective"),
    [
        (used((0, 0, 10), (1, 0, 900), (2, 0, 10)), slo("memory_peak", 500 * MIB)),
        (used((0, 0, 1), (1, 0.5, 1), (2, 3.5, 1)), slo("cpu_seconds", 3)),
        (used((0, 0, 1), (1, 0.1, 1), restarts=1), slo("restarts", 0)),
        (used((0, 0, 1), (100, 0, 1), (101, 2, 1), (102, 4, 1), (103, 6, 1)), slo("cpu_cores", 1)),
        (used((0, 0, 1), (1, 0.1, 1)), slo("cpu_cores", 0.5, "above")),
    ],
    ids=["memory", "cpu", "restarts", "a rate over the last span", "a lower bound of a rate"],
)
async def test_a_violated_objective_breaks_the_measurement_off(usage, objective):
    with pytest.raises(EventAbortedError) as caught:
        await look_at(usage, objective)
    assert caught.value.reason == "slo-violation"


@pytest.mark.parametrize(
    "objective",
    [
        slo("memory_peak", 1000 * MIB),
        slo("cpu_seconds", 60, "above"),
        slo("memory_peak", 1000 * MIB, "above"),
        slo("restarts", 5, "above"),
        slo("latency_p99", 1),
        None,
    ],
    ids=["kept", "time may come", "memory too", "and restarts", "of another connector", "there is none"],
)
async def test_what_is_kept_or_not_yet_known_or_not_ours_lets_it_go_on(objective):
    await look_at(used((0, 0, 10), (1, 0.1, 900)), objective)


@pytest.mark.parametrize("config", [{"skip": "5s"}, {"disabled": True}])
async def test_it_can_be_put_off_and_switched_off(config):
    await look_at(used((0, 0, 10), (4, 0, 900)), slo("memory_peak", MIB), **config)


async def test_as_often_as_the_condition_says():
    usage = used((0, 0, 10), (1, 0, 900))
    objective = slo("memory_peak", MIB, trigger_count=3)
    watch = Watch(usage, 0.5, objective, GuardConfiguration(period="1s", skip="0s"))
    for _ in range(5):
        await watch()
    with pytest.raises(EventAbortedError):
        await watch()


class TestUsageOfTheLast:
    def test_it_begins_with_the_sample_before(self):
        usage = used((0, 0, 1), (1, 1, 1), (2, 2, 1), (3, 5, 1))
        assert usage.last(1).cpu_cores == 3
        assert usage.last(1.5).cpu_cores == 2
        assert usage.last(60).cpu_seconds == 5

    def test_of_nothing_it_is_nothing(self):
        assert Usage().last(1).cpu_cores == 0


class WatchedBesideConnector(servo.BaseConnector):
    """Measures as well, as a load does, and tells when it is cancelled."""

    config: servo.BaseConfiguration

    @servo.on_event()
    async def measure(
        self, *, metrics: list[str] | None = None, control: Control = CONTROL
    ) -> servo.Measurement:
        try:
            await asyncio.sleep(control.duration.total_seconds())
        except asyncio.CancelledError:
            self.telemetry["broken"] = "off"
            raise
        return servo.Measurement()


HUNGRY = """
import http.server, os, sys, threading, time

kept = []

def eat():
    while True:
        time.sleep(0.1)
        kept.append(bytearray(os.urandom(1024)) * 10 * 1024)

threading.Thread(target=eat, daemon=True).start()
time.sleep(600)
"""


@pytest.mark.integration
async def test_an_application_that_grows_beyond_its_objective_is_not_measured_to_the_end(
    make_config, tmp_path, wait_until_gone
):
    """A child that takes 100 MiB a second, and another connector that measures: both are broken off."""
    program = tmp_path / "hungry.py"
    program.write_text(HUNGRY)
    config = make_config(
        command=[sys.executable, str(program)],
        readiness={},
        sample_interval="50ms",
        fast_fail={"period": "100ms", "skip": "0s"},
        settings=[],
    )
    connector, other = ProcessConnector(config=config), WatchedBesideConnector(config={})
    connector.__connectors__ = [connector, other]
    await connector.dispatch_event("startup")
    control = Control(duration="50s", userdata=UserData(slo=slo("memory_peak", 150 * MIB)))
    began = time.monotonic()
    try:
        async with asyncio.timeout(40):
            with pytest.raises(ExceptionGroup) as caught:
                await connector.dispatch_event("measure", metrics=[], control=control)
    finally:
        await connector.dispatch_event("shutdown")
    assert other.telemetry.values["broken"] == "off"
    (error,) = caught.value.exceptions
    assert isinstance(error, EventAbortedError)
    assert error.reason == "slo-violation"
    assert "memory_peak" in str(error)
    assert time.monotonic() - began < 30
    assert wait_until_gone(0) == []
