"""The connector's answers to events, with a real application."""

from __future__ import annotations

import asyncio
import json
import urllib.request

import psutil
import pytest

from servo.connectors.process import ProcessConnector
from servo.connectors.process.usage import Sample, Usage
from servo.errors import AdjustmentRejectedError, ConnectorError, MeasurementFailedError
from servo.types.api import Adjustment, Control

pytestmark = pytest.mark.integration


@pytest.fixture
async def connector(make_config, wait_until_gone):
    """A connector whose application runs; at the end nothing of it is left."""
    found = ProcessConnector(config=make_config(component="web", sample_interval="50ms"))
    await found.dispatch_event("startup")
    yield found
    await found.dispatch_event("shutdown")
    assert wait_until_gone(0) == []


def to(**values) -> list[Adjustment]:
    return [
        Adjustment(component_name="web", setting_name=name, value=value) for name, value in values.items()
    ]


async def only(dispatched):
    """The one result, or the one error."""
    try:
        (result,) = await dispatched
    except ExceptionGroup as group:
        (error,) = group.exceptions
        raise error from None
    return result.value


async def test_settings_are_described_with_their_values(connector):
    found = await only(connector.dispatch_event("describe", Control()))
    assert found.get_setting("web.mode").value == "plain"
    assert found.get_setting("web.size").__opsani_repr__() == {
        "size": {"type": "range", "pinned": False, "value": 2, "min": 1, "max": 9, "step": 1}
    }
    assert [metric.name for metric in found.metrics] == [
        "cpu_seconds",
        "cpu_cores",
        "memory_peak",
        "restarts",
    ]
    assert (await only(connector.dispatch_event("components")))[0].name == "web"
    assert len(await only(connector.dispatch_event("metrics"))) == 4


async def test_an_adjustment_is_applied_and_described(connector):
    found = await only(connector.dispatch_event("adjust", to(mode="other", size=4.0), Control()))
    assert found.get_setting("web.size").value == 4
    assert found.get_setting("web.mode").value == "other"


async def test_what_does_not_come_up_is_rejected(connector):
    with pytest.raises(AdjustmentRejectedError, match="cannot work like this") as caught:
        await only(connector.dispatch_event("adjust", to(mode="broken"), Control()))
    assert caught.value.reason == "start-failed"
    found = await only(connector.dispatch_event("describe", Control()))
    assert found.get_setting("web.mode").value == "plain"


async def test_what_does_not_stay_up_for_the_settlement_that_is_asked_for_is_unstable(connector):
    with pytest.raises(AdjustmentRejectedError) as caught:
        await only(connector.dispatch_event("adjust", to(mode="brief"), Control(settlement="5s")))
    assert caught.value.reason == "unstable"


async def test_a_value_that_cannot_be_is_refused_before_anything_is_touched(connector):
    before = connector.application.child.pid
    with pytest.raises(AdjustmentRejectedError, match="size=99 is not between 1 and 9") as caught:
        await only(connector.dispatch_event("adjust", to(size=99, mode="other"), Control()))
    assert caught.value.reason == "invalid-setting"
    assert connector.application.child.pid == before


async def test_adjustments_of_other_components_are_others(connector):
    before = connector.application.child.pid
    other = Adjustment(component_name="db", setting_name="size", value=3)
    await only(connector.dispatch_event("adjust", [other], Control()))
    assert connector.application.child.pid == before


async def test_the_delay_is_waited_for_after_the_measurement(connector):
    """Reference 6.4: the delay of a control was ignored."""
    begun = asyncio.get_running_loop().time()
    await only(connector.dispatch_event("measure", control=Control(duration="200ms", delay="500ms")))
    assert asyncio.get_running_loop().time() - begun >= 0.7


async def test_what_the_application_uses_is_measured(connector):
    url = f"http://127.0.0.1:{connector.config.port}/"

    done = asyncio.Event()

    async def work():
        # To the end of the measurement: a number of requests may be over before its warm-up is.
        while not done.is_set():
            await asyncio.to_thread(lambda: urllib.request.urlopen(url).close())

    working = asyncio.create_task(work())
    found = await only(connector.dispatch_event("measure", control=Control(duration="1s", warmup="100ms")))
    done.set()
    await working
    values = {reading.metric.name: reading.value for reading in found.readings}
    assert 0 < values["cpu_seconds"] < 2
    assert values["cpu_cores"] == pytest.approx(values["cpu_seconds"], rel=0.3)
    resident = psutil.Process(connector.application.child.pid).memory_info().rss
    assert values["memory_peak"] == pytest.approx(resident, rel=0.2)
    assert values["restarts"] == 0
    assert set(json.loads(found.annotations["spread.process"])) == {"cpu_seconds", "cpu_cores"}


async def test_only_wanted_metrics_are_reported(connector):
    found = await only(
        connector.dispatch_event("measure", metrics=["memory_peak"], control=Control(duration="200ms"))
    )
    assert [reading.metric.name for reading in found.readings] == ["memory_peak"]


async def test_an_adjustment_during_a_measurement_does_both(connector):
    measuring = asyncio.create_task(only(connector.dispatch_event("measure", control=Control(duration="1s"))))
    await asyncio.sleep(0.2)
    await only(connector.dispatch_event("adjust", to(size=5), Control()))
    found = await measuring
    assert all(reading.value >= 0 for reading in found.readings)
    assert connector.application.values["size"] == 5


async def test_a_measurement_without_duration_is_an_error(connector):
    with pytest.raises(MeasurementFailedError) as caught:
        await only(connector.dispatch_event("measure", control=Control(duration=0)))
    assert caught.value.reason == "invalid-duration"


async def test_without_a_startup_the_application_runs_for_the_measurement_only(make_config, alive):
    """As from the command line: before any connector measures, the application is up; afterwards it is gone."""
    found = ProcessConnector(config=make_config())
    measuring = asyncio.create_task(only(found.dispatch_event("measure", control=Control(duration="500ms"))))
    await measuring
    assert alive() == []


async def test_a_failing_start_is_told_at_startup_and_measurement(make_config):
    found = ProcessConnector(config=make_config(command=["/no/such/program"]))
    with pytest.raises(ConnectorError, match="No such file or directory: /no/such/program"):
        await only(found.dispatch_event("startup"))
    with pytest.raises(MeasurementFailedError) as caught:
        await only(found.dispatch_event("measure", control=Control(duration="1s")))
    assert caught.value.reason == "start-failed"


async def test_the_checks_pass_and_leave_nothing_running(make_config, alive):
    found = ProcessConnector(config=make_config())
    checks = await only(found.dispatch_event("check", None))
    assert [(check.id, check.success) for check in checks] == [
        ("check_directory", True),
        ("check_command", True),
        ("check_template", True),
        ("check_readiness", True),
    ]
    assert alive() == []


@pytest.mark.parametrize(
    ("values", "failing", "message"),
    [
        ({"directory": "/no/such"}, "check_directory", "/no/such is no directory"),
        ({"command": ["no-such-program"]}, "check_command", "no-such-program is not to be found"),
        ({"template": {"source": "none", "target": "x"}}, "check_template", "cannot read the template"),
        (
            {
                "settings": [
                    {
                        "name": "mode",
                        "type": "enum",
                        "values": ["broken"],
                        "default": "broken",
                        "environment": "MODE",
                    }
                ]
            },
            "check_readiness",
            "ended with exit code 3",
        ),
    ],
)
async def test_the_checks_say_what_is_wrong(make_config, values, failing, message):
    found = ProcessConnector(config=make_config(**values))
    (check,) = [check for check in await only(found.dispatch_event("check", None)) if not check.success]
    assert check.id == failing
    assert message in check.message
    assert check.hint


async def test_detaching_ends_the_application(make_config, alive):
    found = ProcessConnector(config=make_config())
    await found.dispatch_event("startup")
    await found.dispatch_event("detach", None)
    assert alive() == []


def test_usage_is_the_difference_of_samples():
    usage = Usage([Sample(10.0, 1.0, 5), Sample(11.0, 1.5, 9), Sample(12.0, 3.0, 7)], restarts=1)
    assert usage.figures() == {"cpu_seconds": 2.0, "cpu_cores": 1.0, "memory_peak": 9.0, "restarts": 1.0}
    assert usage.spread() == {}
    assert Usage().figures()["cpu_cores"] == 0


def test_the_spread_of_steady_use_is_small():
    usage = Usage([Sample(float(i), i * 0.5, 1) for i in range(11)])
    assert usage.spread() == {"cpu_cores": 0.0, "cpu_seconds": 0.0}
