"""Keeps a house warm: a connector written for ServoX's interface, in a package of its own.

The "house" is a file that holds what the thermostat was set to, so that a test can see what was done.
"""

import datetime as dt
import json
import pathlib

import typer
from pydantic import Field

import servo
import servo.cli

CONTROL = servo.Control()
METRICS = [servo.Metric("comfort", servo.Unit.percentage), servo.Metric("energy", servo.Unit.float)]


class ThermostatConfiguration(servo.BaseConfiguration):
    """Where the house is."""

    house: pathlib.Path = Field(description="The file that stands for the house")
    insulation: float = Field(default=0.8, ge=0, le=1, description="How much of the warmth stays inside")
    pin: str | None = Field(default=None, description="The code that unlocks the thermostat")

    @classmethod
    def generate(cls, **kwargs) -> "ThermostatConfiguration":
        return cls(**{"house": "house.json", "description": "Name the file of your house", **kwargs})


class ThermostatChecks(servo.BaseChecks):
    """Whether the house can be kept warm."""

    config: ThermostatConfiguration

    @servo.require("House is there")
    def check_house(self) -> None:
        assert self.config.house.parent.is_dir(), f"there is no {self.config.house.parent}"

    @servo.warn("Well insulated", tags=["comfort"])
    def check_insulation(self) -> tuple[bool, str]:
        return self.config.insulation >= 0.5, f"{self.config.insulation:.0%} of the warmth stays"


@servo.metadata(
    name=("Thermostat", "thermostat"),
    description="Keeps a house warm",
    version="1.2.0",
    homepage="https://thermostat.example/",
    license=servo.License.mit,
    maturity=servo.Maturity.stable,
)
class ThermostatConnector(servo.BaseConnector):
    """Adjusts the target temperature and measures comfort."""

    config: ThermostatConfiguration

    @servo.on_event()
    def metrics(self) -> list[servo.Metric]:
        return METRICS

    @servo.on_event()
    def components(self) -> list[servo.Component]:
        return [self._house()]

    @servo.on_event()
    def describe(self, control: servo.Control = CONTROL) -> servo.Description:
        return servo.Description(components=[self._house()], metrics=METRICS)

    @servo.on_event()
    async def check(
        self,
        matching: servo.CheckFilter | None = None,
        halt_on: servo.ErrorSeverity | None = servo.ErrorSeverity.critical,
    ) -> list[servo.Check]:
        return await ThermostatChecks.run(self.config, matching=matching, halt_on=halt_on)

    @servo.before_event("measure")
    def warm_up(self, **kwargs) -> None:
        self.logger.info("warming up")

    @servo.on_event()
    async def measure(
        self, *, metrics: list[str] | None = None, control: servo.Control = CONTROL
    ) -> servo.Measurement:
        progress = servo.DurationProgress(control.duration)
        await progress.watch(
            lambda it: self.logger.info("measuring", progress=it.progress), servo.Duration("100ms")
        )
        state = self._state()
        comfort = 100 - 10 * abs(state["target"] - 21)
        energy = (state["target"] - 10) * (1.5 - self.config.insulation)
        now = dt.datetime.now().astimezone()
        values = {"comfort": comfort, "energy": energy}
        return servo.Measurement(
            readings=[servo.DataPoint(metric, now, values[metric.name]) for metric in METRICS],
            annotations={"mode": state["mode"]},
        )

    @servo.on_event()
    async def adjust(
        self, adjustments: list[servo.Adjustment], control: servo.Control = CONTROL
    ) -> servo.Description:
        state = self._state()
        for adjustment in adjustments:
            if adjustment.setting_name == "target" and float(adjustment.value) > 25:
                raise servo.AdjustmentRejectedError("nobody needs it that warm", reason="too-hot")
            state[adjustment.setting_name] = (
                float(adjustment.value) if adjustment.setting_name == "target" else adjustment.value
            )
        self.config.house.write_text(json.dumps(state))
        return servo.Description(components=[self._house()])

    @servo.after_event("adjust")
    def tell(self, results: list[servo.EventResult]) -> None:
        self.logger.success(f"the house is set by {len(results)} connector")

    def _state(self) -> dict:
        if self.config.house.exists():
            return json.loads(self.config.house.read_text())
        return {"target": 19.0, "mode": "eco"}

    def _house(self) -> servo.Component:
        state = self._state()
        return servo.Component(
            name="house",
            settings=[
                servo.RangeSetting(
                    name="target", min=15.0, max=25.0, step=0.5, value=state["target"], unit="°C"
                ),
                servo.EnumSetting(name="mode", values=["eco", "boost"], value=state["mode"]),
            ],
        )


cli = servo.cli.ConnectorCLI(ThermostatConnector, help="Talk to the thermostat")


@cli.command()
def status(context: servo.cli.Context) -> None:
    """Display what the thermostat is set to."""
    state = context.connector._state()
    servo.cli.print_table(
        [[context.connector.name, state["target"], state["mode"]]], ["NAME", "TARGET", "MODE"]
    )


@cli.command()
def measure(context: servo.cli.Context, duration: str = typer.Option("0", help="How long")) -> None:
    """Measure once."""
    control = servo.Control(duration=duration)
    measurement = servo.cli.run_async(context.connector.measure(control=control))
    for reading in measurement.readings:
        typer.echo(str(reading.value))
