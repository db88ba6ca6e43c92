"""Answers events with what the metrics API says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime

from servo.connector import BaseConnector, metadata
from servo.connectors.kube_metrics.checks import KubeMetricsChecks
from servo.connectors.kube_metrics.configuration import KubeMetricsConfiguration
from servo.connectors.kube_metrics.figures import KubeMetric, MetricError
from servo.connectors.kube_metrics.target import Target
from servo.errors import MeasurementFailedError
from servo.events import on_event
from servo.kubernetes import Client, KubernetesError
from servo.types.api import Control, Description, Measurement
from servo.types.checks import Check, CheckFilter
from servo.types.core import (
    DataPoint,
    Duration,
    DurationProgress,
    ErrorSeverity,
    License,
    Maturity,
    Metric,
    TimeSeries,
)

__all__ = ["KubeMetricsConnector"]

_EVERY = Duration("60s")


@metadata(
    description="Measures what pods use, have asked for and are allowed, by the metrics API of Kubernetes",
    version="0.1.0",
    license=License.apache2,
    maturity=Maturity.experimental,
)
class KubeMetricsConnector(BaseConnector):
    """Looks at a workload's pods, and at its tuning pod, as often as configured."""

    config: KubeMetricsConfiguration

    @on_event()
    async def metrics(self) -> list[Metric]:
        """What is measured."""
        return [each.metric for each in self.config.metrics_to_collect]

    @on_event()
    async def describe(self, control: Control = Control()) -> Description:  # noqa: B008 - the event's signature
        """Metrics; there is nothing to adjust here."""
        return Description(metrics=await self.metrics())

    @on_event()
    async def measure(
        self,
        *,
        metrics: list[str] | None = None,
        control: Control = Control(),  # noqa: B008 - the event's signature
    ) -> Measurement:
        """Look at the pods from the end of the warm-up on; one time series for each metric and pod."""
        wanted = [each for each in self.config.metrics_to_collect if metrics is None or each in metrics]
        if not wanted:
            return Measurement()
        progress = DurationProgress(control.warmup + control.duration + control.delay)
        telling = asyncio.create_task(progress.watch(self._tell, _EVERY))
        try:
            await asyncio.sleep(control.warmup.total_seconds())
            readings = await self._collect(wanted, control.duration.total_seconds())
            await asyncio.sleep(control.delay.total_seconds())
        except (KubernetesError, MetricError) as error:
            raise MeasurementFailedError(str(error.args[0]), reason="kube-metrics-failed") from error
        finally:
            telling.cancel()
        return Measurement(readings=readings)

    async def _collect(self, wanted: Sequence[KubeMetric], duration: float) -> list[TimeSeries]:
        """Look until the time is over; a look that fails for what passes is made up by the next."""
        clock = asyncio.get_running_loop().time
        end = clock() + duration
        series: dict[tuple[str, str], list[DataPoint]] = {}
        failure: KubernetesError | None = None
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(Client.open(self.config.kubeconfig, self.config.context))
            target: Target | None = None
            while True:
                try:
                    target = target or await Target.find(self.config, client, wanted)
                    await self._look(target, wanted, series)
                except KubernetesError as error:
                    if not error.transient:
                        raise
                    failure = error
                    self._warn(error)
                left = end - clock()
                if left <= 0:
                    break
                await asyncio.sleep(min(left, self.config.metric_collection_frequency.total_seconds()))
        return self._series(series, failure)

    async def _look(
        self, target: Target, wanted: Sequence[KubeMetric], series: dict[tuple[str, str], list[DataPoint]]
    ) -> None:
        found = await target.sample()
        now = datetime.now().astimezone()
        for pod, name, value in found:
            if name in wanted:
                series.setdefault((name, pod), []).append(DataPoint(KubeMetric(name).metric, now, value))

    def _series(
        self, series: dict[tuple[str, str], list[DataPoint]], failure: KubernetesError | None
    ) -> list[TimeSeries]:
        if not series:
            why = str(failure) if failure else "it has no pods, or the metrics API does not know them yet"
            raise MeasurementFailedError(
                f"nothing was measured of {self.config.kind} {self.config.name}: {why}", reason="no-metrics"
            )
        return [
            TimeSeries(KubeMetric(name).metric, points, id=pod)
            for (name, pod), points in sorted(series.items())
        ]

    def _warn(self, error: KubernetesError) -> None:
        warning = f"the pods of {self.config.name} cannot be measured now: {error}"
        self.logger.warning(warning)

    def _tell(self, progress: DurationProgress) -> None:
        self.logger.info(progress.annotate("measuring pods", False), progress=progress.progress)

    @on_event()
    async def check(
        self, matching: CheckFilter | None, halt_on: ErrorSeverity | None = ErrorSeverity.critical
    ) -> list[Check]:
        """Verify that the workload and the metrics API can be read."""
        return await KubeMetricsChecks.run(self.config, matching=matching, halt_on=halt_on)
