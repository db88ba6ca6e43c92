"""Waits while something else measures."""

from __future__ import annotations

import asyncio

from pydantic import Field

from servo.configuration import BaseConfiguration
from servo.connector import BaseConnector, metadata
from servo.events import on_event
from servo.types.api import Control, Description, Measurement
from servo.types.core import Duration, DurationProgress, License, Maturity

__all__ = ["WaitConfiguration", "WaitConnector"]

_EVERY = Duration("60s")


class WaitConfiguration(BaseConfiguration):
    """Whether to wait."""

    measure_enabled: bool = Field(description="Wait for as long as a measurement takes; else return at once.")


@metadata(
    description="Waits for as long as a measurement takes, when an external system measures",
    version="0.1.0",
    license=License.apache2,
    maturity=Maturity.stable,
)
class WaitConnector(BaseConnector):
    """Takes the time of a measurement and measures nothing."""

    config: WaitConfiguration

    @on_event()
    async def describe(self, control: Control = Control()) -> Description:  # noqa: B008 - the event's signature
        """Nothing to adjust, nothing to measure."""
        return Description()

    @on_event()
    async def measure(
        self,
        *,
        metrics: list[str] | None = None,
        control: Control = Control(),  # noqa: B008 - the event's signature
    ) -> Measurement:
        """Wait for the warm-up, the duration and the delay."""
        if self.config.measure_enabled:
            progress = DurationProgress(control.warmup + control.duration + control.delay)
            telling = asyncio.create_task(progress.watch(self._tell, _EVERY))
            try:
                await progress.wait()
            finally:
                telling.cancel()
        return Measurement()

    def _tell(self, progress: DurationProgress) -> None:
        self.logger.info(progress.annotate("waiting for a measurement", False), progress=progress.progress)
