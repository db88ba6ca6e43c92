"""The connector that the original was recorded with: component web with cpu, mem, replicas and engine."""

import asyncio
from datetime import UTC, datetime

import servo

CONTROL = servo.Control()
METRICS = [
    servo.Metric("throughput", servo.Unit.requests_per_second),
    servo.Metric("latency", servo.Unit.milliseconds),
]
TIMES = (datetime.fromtimestamp(1704067200, UTC), datetime.fromtimestamp(1704067260, UTC))
VALUES = {"throughput": (1.5, 2.0), "latency": (30.0, 31.0)}


def web():
    return servo.Component(
        name="web",
        settings=[
            servo.CPU(min=1.0, max=4.0, step=0.125, value=2.0),
            servo.Memory(min=0.25, max=4, step=0.125, value=1),
            servo.Replicas(min=1, max=5, value=2),
            servo.EnumSetting(name="engine", values=["a", "b"], value="a"),
        ],
    )


@servo.metadata(name=("Fake Connector", "fake"), description="A connector that answers", version="1.0.0")
class FakeConnector(servo.BaseConnector):
    config: servo.BaseConfiguration

    @servo.on_event()
    async def metrics(self) -> list[servo.Metric]:
        return METRICS

    @servo.on_event()
    async def components(self) -> list[servo.Component]:
        return [web()]

    @servo.on_event()
    async def describe(self, control: servo.Control = CONTROL) -> servo.Description:
        return servo.Description(components=[web()], metrics=METRICS)

    @servo.on_event()
    async def measure(
        self, *, metrics: list[str] | None = None, control: servo.Control = CONTROL
    ) -> servo.Measurement:
        self.logger.info("measuring", progress=25.0)
        await asyncio.sleep(control.duration.total_seconds() / 100)
        return servo.Measurement(
            readings=[
                servo.TimeSeries(metric, list(zip(TIMES, VALUES[metric.name], strict=True)))
                for metric in METRICS
            ],
            annotations={"load_profile": "text"},
        )

    @servo.on_event()
    async def adjust(
        self, adjustments: list[servo.Adjustment], control: servo.Control = CONTROL
    ) -> servo.Description:
        values = {float(it.value) for it in adjustments if it.setting_name == "cpu"}
        if 3.0 in values:
            raise servo.AdjustmentRejectedError("no node fits 3 cores", reason="unschedulable")
        if 4.0 in values:
            raise servo.AdjustmentFailedError("could not apply")
        if 3.5 in values:
            raise ZeroDivisionError("a defect of the connector")
        return servo.Description(components=[web()])
