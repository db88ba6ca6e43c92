"""What is done while a load runs: telling how far it is, and breaking it off when objectives are violated."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime

from servo.connectors.guard import Guard, GuardConfiguration
from servo.connectors.load.report import points
from servo.connectors.load.tally import Tally, total
from servo.types.core import Reading
from servo.types.slo import SloInput

_KEPT = 3600


class Watch:
    """Keeps the last live reports of a load and has objectives judged on them.

    Args:
        interval: Seconds between two reports.
        warmup: Seconds before the first.
        slo: Objectives, if there are any.
        config: How they are watched.
    """

    def __init__(
        self, interval: float, warmup: float, slo: SloInput | None, config: GuardConfiguration
    ) -> None:
        self._warmup = warmup
        self._windows: deque[tuple[datetime, Tally]] = deque(maxlen=_KEPT)
        self._guard = Guard(config, slo, interval, self._readings)

    @property
    def last(self) -> Tally | None:
        """The latest report."""
        return self._windows[-1][1] if self._windows else None

    async def __call__(self, tally: Tally) -> None:
        """Take in a report.

        Raises:
            EventAbortedError: An objective is violated.
        """
        self._windows.append((datetime.now().astimezone(), tally))
        await self._guard(tally.end - self._warmup)

    async def _readings(self, start: datetime, end: datetime) -> Mapping[str, Sequence[Reading]]:
        # A window counts as soon as it ends within the span: the one that has just been reported always does.
        windows = [tally for time, tally in self._windows if start < time <= end]
        return points(total(windows), end) if windows else {}
