"""Answers events with the application that runs under the agent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import PrivateAttr

from servo.connector import BaseConnector, metadata
from servo.connectors.process.application import Application, UnfitError
from servo.connectors.process.checks import ProcessChecks
from servo.connectors.process.configuration import ProcessConfiguration
from servo.connectors.process.metrics import METRICS, points
from servo.connectors.process.settings import SettingError, Value, accept
from servo.connectors.process.usage import Usage
from servo.connectors.process.watch import Watch
from servo.errors import (
    AdjustmentFailedError,
    AdjustmentRejectedError,
    ConnectorError,
    MeasurementFailedError,
)
from servo.events import EventResult, after_event, before_event, on_event
from servo.types.api import Adjustment, Component, Control, Description, Measurement
from servo.types.checks import Check, CheckFilter
from servo.types.core import (
    Duration,
    DurationProgress,
    ErrorSeverity,
    License,
    Maturity,
    Metric,
)
from servo.types.slo import SloInput

_PROGRESS_SECONDS = 10.0
_LEAST_INTERVAL = 0.1


@metadata(
    description="Runs an application as a child process, adjusts its settings and measures what it uses",
    version="0.1.0",
    license=License.apache2,
    maturity=Maturity.experimental,
)
class ProcessConnector(BaseConnector):
    """Runs an application as a child of the agent; nothing of it outlives the agent, however that ends."""

    config: ProcessConfiguration

    _application: Application | None = PrivateAttr(default=None)
    _borrowed: bool = PrivateAttr(default=False)

    @property
    def application(self) -> Application:
        """What runs, or would."""
        if self._application is None:
            self._application = Application(self.config)
        return self._application

    @on_event()
    async def startup(self) -> None:
        """Start the application with its last good settings."""
        try:
            await self.application.start()
        except UnfitError as error:
            raise ConnectorError(str(error), reason=error.reason, connector=self) from error
        self._borrowed = False

    @on_event()
    async def shutdown(self) -> None:
        """End the application."""
        await self.application.stop()

    @on_event()
    async def detach(self, servo_: Any) -> None:
        """End the application if the servo never started or did not come to its shutdown."""
        await self.application.stop()

    @on_event()
    async def metrics(self) -> list[Metric]:
        """What is measured."""
        return list(METRICS)

    @on_event()
    async def components(self) -> list[Component]:
        """What can be adjusted, with its values."""
        values = self.application.values
        settings = [setting.describe(values[setting.name]) for setting in self.config.settings]
        return [Component(name=self.config.component, settings=settings)]

    @on_event()
    async def describe(self, control: Control = Control()) -> Description:  # noqa: B008 - the event's signature
        """Settings and metrics."""
        return Description(components=await self.components(), metrics=list(METRICS))

    @before_event("measure")
    async def ensure_running(
        self,
        *,
        metrics: list[str] | None = None,
        control: Control = Control(),  # noqa: B008 - the event's signature
    ) -> None:
        """Start the application if nobody has, so that others find it when they measure."""
        try:
            await self._borrow()
        except UnfitError as error:
            raise MeasurementFailedError(str(error), reason=error.reason, connector=self) from error

    @on_event()
    async def measure(
        self,
        *,
        metrics: list[str] | None = None,
        control: Control = Control(),  # noqa: B008 - the event's signature
    ) -> Measurement:
        """Measure what all processes of the application use."""
        if control.duration <= Duration(0):
            raise MeasurementFailedError(
                "a measurement takes time: its duration is zero", reason="invalid-duration"
            )
        await asyncio.sleep(control.warmup.total_seconds())
        slo = control.userdata.slo if control.userdata else None
        usage = await self._observe(control.duration, slo)
        await asyncio.sleep(control.delay.total_seconds())
        return _measurement(usage, metrics)

    async def _observe(self, duration: Duration, slo: SloInput | None) -> Usage:
        application, progress = self.application, DurationProgress(duration)
        before = application.restarts
        usage = Usage(samples=[await application.sample()])
        interval = self.config.sample_interval.total_seconds() or _LEAST_INTERVAL
        watch = Watch(usage, interval, slo, self.config.fast_fail)
        telling = asyncio.create_task(progress.watch(self._tell, Duration(_PROGRESS_SECONDS)))
        try:
            async with asyncio.timeout(duration.total_seconds()):
                while True:
                    await asyncio.sleep(interval)
                    usage.samples.append(await application.sample())
                    usage.restarts = application.restarts - before
                    await watch()
        except TimeoutError:
            usage.samples.append(await application.sample())
        finally:
            telling.cancel()
        usage.restarts = application.restarts - before
        return usage

    def _tell(self, progress: DurationProgress) -> None:
        if not progress.finished:
            self.logger.info(
                progress.annotate("measuring the application", False), progress=progress.progress
            )

    @after_event("measure")
    async def end_measured(self, results: list[EventResult]) -> None:
        """End an application that was started for the measurement only."""
        await self._return()

    @on_event()
    async def adjust(
        self,
        adjustments: list[Adjustment],
        control: Control = Control(),  # noqa: B008 - the event's signature
    ) -> Description:
        """Restart the application with other settings, if they are other."""
        wanted = {a.setting_name: a.value for a in adjustments if a.component_name == self.config.component}
        if wanted:
            await self._apply(self._accept(wanted), control.settlement)
        return await self.describe()

    def _accept(self, wanted: dict[str, Any]) -> dict[str, Value]:
        try:
            return accept(self.config.settings, self.application.values, wanted)
        except SettingError as error:
            raise AdjustmentRejectedError(str(error), reason="invalid-setting", connector=self) from error

    async def _apply(self, values: dict[str, Value], settlement: Duration | None) -> None:
        seconds = (self.config.settlement if settlement is None else settlement).total_seconds()
        try:
            await self.application.apply(values, seconds)
        except UnfitError as error:
            raise AdjustmentRejectedError(str(error), reason=error.reason, connector=self) from error
        except RuntimeError as error:
            raise AdjustmentFailedError(str(error), reason="restore-failed", connector=self) from error
        self._borrowed = False

    @before_event("check")
    async def try_running(
        self,
        matching: CheckFilter | None,
        halt_on: ErrorSeverity | None = ErrorSeverity.critical,
    ) -> None:
        """Start the application, so that the checks of other connectors find it; that it fails, ours tell."""
        with contextlib.suppress(UnfitError):
            await self._borrow()

    @on_event()
    async def check(
        self, matching: CheckFilter | None, halt_on: ErrorSeverity | None = ErrorSeverity.critical
    ) -> list[Check]:
        """Verify that the application can be run."""
        return await ProcessChecks(config=self.config, application=self.application).run_all(
            matching=matching, halt_on=halt_on
        )

    @after_event("check")
    async def end_checked(self, results: list[EventResult]) -> None:
        """End an application that was started for the checks only."""
        await self._return()

    async def _borrow(self) -> None:
        if not self.application.started:
            await self.application.start()
            self._borrowed = True

    async def _return(self) -> None:
        if self._borrowed:
            self._borrowed = False
            await self.application.stop()


def _measurement(usage: Usage, wanted: Iterable[str] | None) -> Measurement:
    import json

    now, figures = datetime.now().astimezone(), usage.figures()
    names = set(wanted or figures)
    readings = points({name: figures[name] for name in names & set(figures)}, now)
    spread = {name: error for name, error in usage.spread().items() if name in names}
    return Measurement(
        readings=readings, annotations={"spread.process": json.dumps(spread)} if spread else {}
    )
