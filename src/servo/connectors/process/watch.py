"""Breaking a measurement off when objectives are violated by what the application uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from servo.connectors.guard import Guard, GuardConfiguration
from servo.connectors.process.metrics import GROWING, points
from servo.connectors.process.usage import Usage
from servo.types.core import Reading
from servo.types.slo import SloInput, SloKeep


class Watch:
    """Has objectives judged on what has been used so far.

    Args:
        usage: What is used; it grows while this watches.
        interval: Seconds between two samples of it.
        slo: Objectives, if there are any.
        config: How they are watched.
    """

    def __init__(
        self, usage: Usage, interval: float, slo: SloInput | None, config: GuardConfiguration
    ) -> None:
        self._usage = usage
        self._guard = Guard(config, _decidable(slo), interval, self._readings)

    async def __call__(self) -> None:
        """Look, after a sample.

        Raises:
            EventAbortedError: An objective is violated.
        """
        await self._guard(self._usage.seconds)

    async def _readings(self, start: datetime, end: datetime) -> Mapping[str, Sequence[Reading]]:
        figures = self._usage.figures()
        # What only grows is judged from the beginning, a rate by the last span.
        figures["cpu_cores"] = self._usage.last((end - start).total_seconds()).cpu_cores
        return {point.metric.name: [point] for point in points(figures, end)}


def _decidable(slo: SloInput | None) -> SloInput | None:
    """Leave out what cannot be known before the end: whether what grows will have grown enough."""
    conditions = [
        condition
        for condition in (slo.conditions if slo else ())
        if condition.keep is SloKeep.below or condition.metric not in GROWING
    ]
    return SloInput(conditions=conditions) if conditions else None
