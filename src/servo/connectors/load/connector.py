"""Answers events with a load."""

from __future__ import annotations

import asyncio
from datetime import datetime

from servo.connector import BaseConnector, metadata
from servo.connectors.load import planning, report
from servo.connectors.load.checks import LoadChecks
from servo.connectors.load.configuration import LoadConfiguration
from servo.connectors.load.crew import LoadError, Outcome, generate
from servo.connectors.load.saturation import judge
from servo.connectors.load.tally import Tally, total
from servo.connectors.load.targets import TargetError
from servo.connectors.load.watch import Watch
from servo.errors import MeasurementFailedError
from servo.events import on_event
from servo.types.api import Control, Description, Measurement
from servo.types.checks import Check, CheckFilter
from servo.types.core import Duration, DurationProgress, ErrorSeverity, License, Maturity, Metric

LONGEST = Duration("24h")
"""The longest warm-up, and the longest measurement."""

_TELL_SECONDS = 5.0


@metadata(
    description="Loads an application with HTTP requests and measures how it answers",
    version="0.1.0",
    license=License.apache2,
    maturity=Maturity.experimental,
)
class LoadConnector(BaseConnector):
    """Generates load and measures throughput, latencies and errors. Only configured targets are ever contacted."""

    config: LoadConfiguration

    @on_event()
    async def metrics(self) -> list[Metric]:
        """What is measured."""
        return report.metrics(self.config)

    @on_event()
    async def describe(self, control: Control = Control()) -> Description:  # noqa: B008 - the event's signature
        """Metrics; a load has nothing to adjust."""
        return Description(metrics=await self.metrics())

    @on_event()
    async def measure(
        self,
        *,
        metrics: list[str] | None = None,
        control: Control = Control(),  # noqa: B008 - the event's signature
    ) -> Measurement:
        """Generate the load and report how it was answered.

        The load runs whatever metrics are wanted: others measure the application under it.
        """
        warmup, duration = self._times(control)
        outcome = await self._generate(warmup, duration, control)
        ended = datetime.now().astimezone()
        counted = total(outcome.measured)
        saturation = judge(outcome, counted, self.config.max_lag.total_seconds())
        for warning in saturation.warnings:
            self.logger.warning(warning)
        self._require_meaning(counted, saturation.fatal)
        await asyncio.sleep(control.delay.total_seconds())
        found = report.measurement(self.config, outcome, counted, saturation, wanted=metrics, ended=ended)
        found.annotations["load_profile"] = planning.describe(self.config, warmup, duration)
        return found

    def _times(self, control: Control) -> tuple[float, float]:
        if not Duration(0) < control.duration <= LONGEST or control.warmup > LONGEST:
            raise MeasurementFailedError(
                f"cannot load for {control.duration} after {control.warmup} of warm-up: "
                f"the duration must be more than zero, and both at most {LONGEST}",
                reason="invalid-duration",
            )
        return control.warmup.total_seconds(), control.duration.total_seconds()

    async def _generate(self, warmup: float, duration: float, control: Control) -> Outcome:
        slo = control.userdata.slo if control.userdata else None
        watch = Watch(self.config.interval.total_seconds(), warmup, slo, self.config.fast_fail)
        progress = DurationProgress(Duration(warmup + duration) + control.delay)
        every = min(max((warmup + duration) / 10, 1.0), _TELL_SECONDS)
        telling = asyncio.create_task(progress.watch(lambda p: self._tell(p, watch), Duration(every)))
        try:
            plan = planning.make_plan(self.config, warmup=warmup, duration=duration)
            return await generate(plan, processes=self.config.processes, live=watch)
        except (LoadError, TargetError) as error:
            raise MeasurementFailedError(str(error), reason="load-failed") from error
        finally:
            telling.cancel()

    def _tell(self, progress: DurationProgress, watch: Watch) -> None:
        if progress.finished:
            return
        now = "warming up" if watch.last is None else _brief(watch.last)
        self.logger.info(progress.annotate(f"load: {now}", False), progress=progress.progress)

    def _require_meaning(self, counted: Tally, fatal: str | None) -> None:
        if fatal:
            raise MeasurementFailedError(
                f"the load generator was at its own limits, so nothing is known of the application: {fatal}; "
                "lower the rate, raise `processes`, or let the agent run on another machine",
                reason="load-saturated",
            )
        if not counted.recorded:
            kinds = ", ".join(f"{kind} ({count})" for kind, count in counted.errors.most_common(5))
            raise MeasurementFailedError(
                f"not one of {counted.requests} requests was answered as expected: {kinds or 'none was due'}",
                reason="no-responses",
            )

    @on_event()
    async def check(
        self, matching: CheckFilter | None, halt_on: ErrorSeverity | None = ErrorSeverity.critical
    ) -> list[Check]:
        """Verify that the targets answer."""
        return await LoadChecks.run(self.config, matching=matching, halt_on=halt_on)


def _brief(tally: Tally) -> str:
    latency = f", p99 {tally.percentile(99) * 1000:.1f} ms" if tally.recorded else ""
    return f"{tally.throughput:.1f} requests/s{latency}, {tally.error_rate:.1f} % failed"
