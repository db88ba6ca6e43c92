"""The recorded conversation of the original agent, replayed message for message."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import servo

RECORDING = Path(__file__).parents[3] / "shared" / "data" / "servo-protocol" / "conversation.jsonl"
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \| INFO     \| [\w.]+:measure:\d+ - measuring\n\Z")

CONTROL = servo.Control()


class RecordedConnector(servo.BaseConnector):
    """The connector of the recording."""

    config: servo.BaseConfiguration

    @servo.on_event()
    async def describe(self, control: servo.Control = CONTROL) -> servo.Description:
        components = [
            servo.Component(
                "web",
                [
                    servo.CPU(value=2.0, min=1.0, max=4.0, step=0.125),
                    servo.Memory(value=1, min=0.25, max=4, step=0.125),
                    servo.Replicas(value=2, min=1, max=5),
                    servo.EnumSetting(name="engine", values=["a", "b"], value="a"),
                ],
            )
        ]
        metrics = [
            servo.Metric("throughput", servo.Unit.requests_per_second),
            servo.Metric("latency", servo.Unit.milliseconds),
        ]
        return servo.Description(components=components, metrics=metrics)

    @servo.on_event()
    async def measure(
        self, *, metrics: list[str] | None = None, control: servo.Control = CONTROL
    ) -> servo.Measurement:
        servo.logger.info("measuring", progress=25.0)
        await asyncio.sleep(0.1)
        described = {metric.name: metric for metric in (await self.describe()).metrics}
        values = {"throughput": [1.5, 2.0], "latency": [30.0, 31.0]}
        start = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
        return servo.Measurement(
            readings=[
                servo.TimeSeries(
                    described[name],
                    [
                        servo.DataPoint(
                            described[name], datetime.fromtimestamp(start + 60 * index, UTC), value
                        )
                        for index, value in enumerate(series)
                    ],
                )
                for name, series in values.items()
            ],
            annotations={"load_profile": "text"},
        )

    @servo.on_event()
    async def adjust(
        self, adjustments: list[servo.Adjustment], control: servo.Control = CONTROL
    ) -> servo.Description:
        cpu = next(each.value for each in adjustments if each.setting_name == "cpu")
        if cpu == 3.0:
            raise servo.AdjustmentRejectedError("no node fits 3 cores", reason="unschedulable")
        if cpu == 4.0:
            raise servo.AdjustmentFailedError("could not apply")
        return servo.Description(components=(await self.describe()).components)


def recorded():
    if not RECORDING.exists():
        pytest.skip(f"the recording is not here: {RECORDING}")
    return [json.loads(line) for line in RECORDING.read_text().splitlines()]


def normalised(message):
    """Leave out what differs by nature: versions, times, and the ids made of them."""
    text = re.sub(r"servox v[\d.]+", "servox vX", json.dumps(message))
    message = json.loads(text)
    param = message.get("param") or {}
    if "telemetry" in param:
        param["telemetry"]["servox.version"] = "X"
        param["telemetry"]["servox.platform"] = "Y"
    if "runtime" in param:
        assert 0 <= param.pop("runtime") < 1
        assert LINE.match(param.pop("message"))
    for metric in (param.get("metrics") or {}).values():
        for series in metric.get("values", []):
            assert series.pop("id").isdigit()
    return message


@pytest.mark.looptime
async def test_the_recorded_conversation_is_held_message_for_message(scripted, make_servo, running):
    exchanges = recorded()
    expected = [exchange["request"]["body"] for exchange in exchanges]
    commands = [
        exchange["response"]["body"]
        for exchange in exchanges
        if exchange["request"]["body"]["event"] == "WHATS_NEXT"
    ]
    optimizer = scripted(*commands)
    agent = make_servo(optimizer, {"recorded": RecordedConnector})
    async with running(agent) as runner:
        await asyncio.sleep(10)
    assert [normalised(each) for each in optimizer.messages] == [normalised(each) for each in expected]
    assert runner.exit_code == 0


@pytest.mark.looptime
async def test_requests_have_the_recorded_path_and_headers(scripted, make_servo, running):
    exchanges = recorded()
    optimizer = scripted()
    async with running(make_servo(optimizer, {"recorded": RecordedConnector})):
        await optimizer.asleep.wait()
    for request, exchange in zip(optimizer.requests[:2], exchanges[:2], strict=True):
        assert request.method == exchange["request"]["method"]
        assert request.url.path == exchange["request"]["path"]
        for name in ("Accept", "Authorization", "Content-Type"):
            assert request.headers[name] == exchange["request"]["headers"][name]
        agent = exchange["request"]["headers"]["User-Agent"]
        assert re.sub(r"[\d.]+$", "", request.headers["User-Agent"]) == re.sub(r"[\d.]+$", "", agent)
