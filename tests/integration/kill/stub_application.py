"""A connector whose application is a file: it outlives the agent, as a deployment in a cluster does.

Each setting is written on its own, so that an agent killed in between leaves half of an adjustment behind.
"""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import servo

BASELINE = {"cpu": 2.0, "workers": 2}
THROUGHPUT = servo.Metric("throughput", servo.Unit.requests_per_second)
LATENCY = servo.Metric("latency", servo.Unit.milliseconds)


class StubConfiguration(servo.BaseConfiguration):
    directory: Path


@servo.metadata(description="An application in a file", version="1.0.0")
class StubConnector(servo.BaseConnector):
    config: StubConfiguration

    @servo.on_event()
    async def describe(self, control: servo.Control | None = None) -> servo.Description:
        now = self.read()
        settings = [
            servo.RangeSetting(name="cpu", min=1.0, max=4.0, step=0.5, value=now["cpu"]),
            servo.RangeSetting(name="workers", min=1, max=8, step=1, value=now["workers"]),
        ]
        return servo.Description(
            components=[servo.Component(name="web", settings=settings)],
            metrics=[THROUGHPUT, LATENCY],
        )

    @servo.on_event()
    async def adjust(
        self, adjustments: list[servo.Adjustment], control: servo.Control | None = None
    ) -> servo.Description:
        for each in adjustments:
            self.write({**self.read(), each.setting_name: each.value})
            await asyncio.sleep(0.02)
        with (self.config.directory / "adjusted.jsonl").open("a") as log:
            log.write(json.dumps(self.read()) + "\n")
        return await self.describe()

    @servo.on_event()
    async def measure(
        self, *, metrics: list[str] | None = None, control: servo.Control | None = None
    ) -> servo.Measurement:
        await asyncio.sleep(0.02)
        now = self.read()
        value = 100 - 5 * (now["cpu"] - 3) ** 2 - (now["workers"] - 5) ** 2
        at = datetime.now(UTC)
        return servo.Measurement(
            readings=[
                servo.DataPoint(THROUGHPUT, at, value),
                servo.DataPoint(LATENCY, at, 20.0 * now["workers"]),
            ]
        )

    def read(self) -> dict:
        file = self.config.directory / "state.json"
        return json.loads(file.read_text()) if file.exists() else dict(BASELINE)

    def write(self, values: dict) -> None:
        new = self.config.directory / "state.new"
        new.write_text(json.dumps(values))
        new.replace(self.config.directory / "state.json")
