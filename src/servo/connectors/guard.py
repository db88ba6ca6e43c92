"""What connectors share to break a measurement off whose objectives are violated by what they measure themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydantic import Field, field_validator

from servo.configuration import AbstractBaseConfiguration
from servo.fast_fail import FastFailConfiguration, FastFailObserver, MetricsGetter
from servo.types.core import Duration
from servo.types.slo import SloInput

_MIN_SECONDS = 0.1


class GuardConfiguration(AbstractBaseConfiguration):
    """How the objectives that come with a measurement are watched while it runs."""

    disabled: bool = Field(default=False, description="Measure to the end whatever happens.")
    period: Duration = Field(default=Duration("1s"), description="Time between two looks.")
    span: Duration = Field(default=Duration("3s"), description="Time before each look that is judged.")
    skip: Duration = Field(default=Duration("2s"), description="Time at the beginning that is not judged.")

    @field_validator("period", "span")
    @classmethod
    def _positive(cls, value: Duration) -> Duration:
        if value.total_seconds() < _MIN_SECONDS:
            raise ValueError("at least 100ms")
        return value


@dataclass(frozen=True, slots=True)
class _Elapsed:
    elapsed: Duration | None


class Guard:
    """Judges objectives on the metrics of one connector; those on metrics that it does not have are left to others.

    Args:
        config: How they are watched.
        slo: The objectives, if there are any.
        interval: Seconds between two calls.
        readings: Returns the connector's metrics of a span of time.
    """

    def __init__(
        self, config: GuardConfiguration, slo: SloInput | None, interval: float, readings: MetricsGetter
    ) -> None:
        self._every = max(math.ceil(config.period.total_seconds() / interval), 1)
        self._count = 0
        self._observer = None if slo is None or config.disabled else _observer(config, slo, readings)

    async def __call__(self, elapsed: float) -> None:
        """Look, if it is time to.

        Args:
            elapsed: For how many seconds has been measured, warm-up left out.

        Raises:
            EventAbortedError: An objective is violated; the reason is ``slo-violation``.
        """
        self._count += 1
        if self._observer and self._count % self._every == 0:
            await self._observer.observe(_Elapsed(Duration(max(elapsed, 0.0))))


def _observer(config: GuardConfiguration, slo: SloInput, readings: MetricsGetter) -> FastFailObserver:
    settings = FastFailConfiguration(period=config.period, span=config.span, skip=config.skip)
    return FastFailObserver(settings, slo, readings)
