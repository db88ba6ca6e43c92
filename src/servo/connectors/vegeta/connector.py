"""Answers events with an attack."""

from __future__ import annotations

import asyncio

from servo.connector import BaseConnector, metadata
from servo.connectors.vegeta.attack import VegetaError, attack
from servo.connectors.vegeta.checks import VegetaChecks
from servo.connectors.vegeta.configuration import VegetaConfiguration
from servo.connectors.vegeta.report import METRICS, VegetaReport, series
from servo.errors import MeasurementFailedError
from servo.events import on_event
from servo.types.api import Control, Description, Measurement
from servo.types.checks import Check, CheckFilter
from servo.types.core import Duration, DurationProgress, ErrorSeverity, License, Maturity, Metric

__all__ = ["VegetaConnector"]

LONGEST = Duration("24h")
"""The longest warm-up, and the longest attack."""


@metadata(
    description="Loads an application with vegeta, and measures by its reports",
    version="1.0.0",
    license=License.apache2,
    maturity=Maturity.stable,
)
class VegetaConnector(BaseConnector):
    """Attacks the configured targets while a measurement lasts."""

    config: VegetaConfiguration

    @on_event()
    async def metrics(self) -> list[Metric]:
        """What is measured."""
        return [*METRICS]

    @on_event()
    async def describe(self, control: Control = Control()) -> Description:  # noqa: B008 - the event's signature
        """Metrics; a load has nothing to adjust."""
        return Description(metrics=await self.metrics())

    @on_event()
    async def check(
        self, matching: CheckFilter | None, halt_on: ErrorSeverity | None = ErrorSeverity.critical
    ) -> list[Check]:
        """Verify that vegeta runs, and the targets answer."""
        return await VegetaChecks.run(self.config, matching=matching, halt_on=halt_on)

    @on_event()
    async def measure(
        self,
        *,
        metrics: list[str] | None = None,
        control: Control = Control(),  # noqa: B008 - the event's signature
    ) -> Measurement:
        """Attack, and report what vegeta reports.

        The load runs whatever metrics are wanted: others measure the application under it.
        """
        self._require_times(control)
        progress = DurationProgress(control.warmup + control.duration + control.delay)
        progress.start()
        reports: list[VegetaReport] = []

        def take(report: VegetaReport) -> None:
            reports.append(report)
            self.logger.info(
                progress.annotate(f"vegeta: {_brief(report)}", False), progress=progress.progress
            )

        try:
            # An attack of its own: the reports of an attack add up from its beginning.
            if control.warmup:
                await attack(self.config, control.warmup)
            await attack(self.config, control.duration, on_report=take)
        except VegetaError as error:
            raise MeasurementFailedError(str(error), reason="vegeta-failed") from error
        if not reports:
            raise MeasurementFailedError("vegeta reported not a single request", reason="vegeta-failed")
        await asyncio.sleep(control.delay.total_seconds())
        return Measurement(
            readings=series(reports, metrics), annotations={"load_profile": _profile(self.config, control)}
        )

    def _require_times(self, control: Control) -> None:
        if not Duration(0) < control.duration <= LONGEST or control.warmup > LONGEST:
            raise MeasurementFailedError(
                f"cannot attack for {control.duration} after {control.warmup} of warm-up: "
                f"the duration must be more than zero, and both at most {LONGEST}",
                reason="invalid-duration",
            )


def _brief(report: VegetaReport) -> str:
    return f"{report.throughput:.1f} requests/s, {report.error_rate:.1f} % of {report.requests} failed"


def _profile(config: VegetaConfiguration, control: Control) -> str:
    warmup = f" after {control.warmup} of warm-up" if control.warmup else ""
    rate = f"{config.hits} requests per {config.interval}" if config.hits else "as many requests as it can"
    return f"vegeta: {rate} for {control.duration}{warmup}"
