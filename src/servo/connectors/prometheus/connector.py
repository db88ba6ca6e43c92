"""Answers events with what a Prometheus knows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from servo.connector import BaseConnector, metadata
from servo.connectors.prometheus.checks import PrometheusChecks
from servo.connectors.prometheus.client import Client
from servo.connectors.prometheus.configuration import PrometheusConfiguration
from servo.connectors.prometheus.errors import BudgetError, PrometheusError
from servo.connectors.prometheus.metric import AbsentMetricPolicy, PrometheusMetric
from servo.connectors.prometheus.ranges import count_points
from servo.connectors.prometheus.responses import MetricResponse
from servo.connectors.quoting import harmless
from servo.errors import MeasurementFailedError
from servo.events import on_event
from servo.fast_fail import FastFailObserver
from servo.types.api import Control, Description, Measurement
from servo.types.checks import Check, CheckFilter
from servo.types.core import Duration, DurationProgress, ErrorSeverity, License, Maturity, Metric, Reading
from servo.types.slo import SloInput

__all__ = ["PrometheusConnector"]

_EVERY = Duration("60s")
_MOMENT = Duration("20ms")
_SHOWN_WARNINGS = 20


@dataclass(frozen=True, slots=True)
class _Elapsed:
    elapsed: Duration


@metadata(
    description="Measures by asking a Prometheus server, or one that speaks its API",
    version="2.0.0",
    license=License.apache2,
    maturity=Maturity.stable,
)
class PrometheusConnector(BaseConnector):
    """Waits for a measurement to end, and asks for its metrics then; meanwhile it watches the objectives on them."""

    config: PrometheusConfiguration

    @on_event()
    async def metrics(self) -> list[Metric]:
        """What can be measured."""
        return [*self.config.metrics]

    @on_event()
    async def describe(self, control: Control = Control()) -> Description:  # noqa: B008 - the event's signature
        """Metrics; there is nothing to adjust."""
        return Description(metrics=await self.metrics())

    @on_event()
    async def check(
        self, matching: CheckFilter | None, halt_on: ErrorSeverity | None = ErrorSeverity.critical
    ) -> list[Check]:
        """Verify that the server answers, and understands the queries."""
        checks = PrometheusChecks(config=self.config, settings=self._global_config)
        return await checks.run_all(matching, halt_on)

    @on_event()
    async def measure(
        self,
        *,
        metrics: list[str] | None = None,
        control: Control = Control(),  # noqa: B008 - the event's signature
    ) -> Measurement:
        """Wait until the measurement is over, and ask for the metrics in it.

        Names that are not configured here are left to other connectors; if none is, there is nothing to wait for.
        """
        wanted = [metric for metric in self.config.metrics if not metrics or metric.name in metrics]
        if not wanted:
            self.logger.debug("none of the metrics that are wanted is measured here")
            return Measurement()
        start = _now() + control.warmup
        end = start + control.duration
        try:
            self._require_budget(wanted, control.duration)
            async with Client(self.config.base_url, self.config, self._global_config) as client:
                await self._wait(client, control)
                return self._measurement(await self._ask(client, wanted, start, end), wanted)
        except PrometheusError as error:
            reason = error.reason or "prometheus-failed"
            raise MeasurementFailedError(str(error), reason=reason) from error

    def _require_budget(self, wanted: Sequence[PrometheusMetric], duration: Duration) -> None:
        limits, start = self.config.limits, _now()
        counts = [count_points(start, start + duration, _step(metric, duration)) for metric in wanted]
        requests = sum(-(-count // limits.piece) for count in counts)
        if requests > limits.max_queries:
            raise BudgetError(
                f"{duration} of these metrics would take {requests} requests of {limits.piece} points; allowed are "
                f"{limits.max_queries}: make step longer, or raise limits.max_queries",
                reason="too-many-queries",
            )

    async def _wait(self, client: Client, control: Control) -> None:
        """Wait for warm-up, duration and delay, and watch the objectives while the duration lasts."""
        whole = DurationProgress(control.warmup + control.duration + control.delay)
        telling = asyncio.create_task(whole.watch(self._tell, _EVERY))
        try:
            await asyncio.sleep(control.warmup.total_seconds())
            await self._watch(client, control)
            await asyncio.sleep(control.delay.total_seconds())
        finally:
            telling.cancel()

    def _tell(self, progress: DurationProgress) -> None:
        text = progress.annotate("waiting for the measurement to end", False)
        self.logger.info(text, progress=progress.progress)

    async def _watch(self, client: Client, control: Control) -> None:
        progress = DurationProgress(control.duration)
        progress.start()
        observer = self._observer(client, control.userdata.slo if control.userdata else None)
        if observer is None:
            await progress.wait()
            return
        async for _ in progress.every(self.config.fast_fail.period):
            await observer.observe(_Elapsed(progress.elapsed or Duration(0)))

    def _observer(self, client: Client, slo: SloInput | None) -> FastFailObserver | None:
        if slo is None or self.config.fast_fail.disabled:
            return None
        named = {name for each in slo.conditions for name in (each.metric, each.threshold_metric)}
        watched = [metric for metric in self.config.metrics if metric.name in named]

        async def readings(start: datetime, end: datetime) -> Mapping[str, Sequence[Reading]]:
            answers = await self._ask(client, watched, start, end)
            return {metric.name: answer.results() for metric, answer in zip(watched, answers, strict=True)}

        return FastFailObserver(self.config.fast_fail, slo, readings) if watched else None

    async def _ask(
        self, client: Client, wanted: Sequence[PrometheusMetric], start: datetime, end: datetime
    ) -> list[MetricResponse]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(_answer(client, metric, start, end)) for metric in wanted]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    def _measurement(
        self, answers: Sequence[MetricResponse], wanted: Sequence[PrometheusMetric]
    ) -> Measurement:
        readings: list[Reading] = []
        for metric, answer in zip(wanted, answers, strict=True):
            found = answer.results()
            if not found:
                self._report_absent(metric)
            readings += found
        said = dict.fromkeys(harmless(text) for answer in answers for text in answer.warnings)
        for text in list(said)[:_SHOWN_WARNINGS]:
            warning = f"Prometheus warns: {text}"
            self.logger.warning(warning)
        notes = {"prometheus_warnings": json.dumps(list(said)[:_SHOWN_WARNINGS])} if said else {}
        return Measurement(readings=readings, annotations=notes)

    def _report_absent(self, metric: PrometheusMetric) -> None:
        text = f'metric "{metric.name}" is absent: its query gave nothing ({harmless(metric.query)})'
        if metric.absent is AbsentMetricPolicy.fail:
            raise MeasurementFailedError(f"required {text}", reason="metric-absent")
        if metric.absent is AbsentMetricPolicy.warn:
            self.logger.warning(text)


async def _answer(client: Client, metric: PrometheusMetric, start: datetime, end: datetime) -> MetricResponse:
    """The values of a metric in a span of time; if there is none, the one at its beginning."""
    end = max(end, start + _MOMENT)
    return await client.query_range(metric, start, end, _step(metric, Duration(end - start)))


def _step(metric: PrometheusMetric, span: Duration) -> Duration:
    """The metric's step; or the whole span, if that is shorter: else only its beginning would be asked for."""
    if _MOMENT < span < metric.step:
        return Duration(milliseconds=span.total_seconds() * 1000 // 1)
    return metric.step


def _now() -> datetime:
    # Servers count in milliseconds; what is asked for in pieces shall fit together.
    now = datetime.now().astimezone()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
