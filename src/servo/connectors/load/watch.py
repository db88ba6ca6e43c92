"""What is done while a load runs: telling how far it is, and breaking it off when objectives are violated."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from servo.connectors.load.configuration import LoadFastFailConfiguration
from servo.connectors.load.report import points
from servo.connectors.load.tally import Tally, total
from servo.fast_fail import FastFailConfiguration, FastFailObserver
from servo.types.core import Duration, Reading
from servo.types.slo import SloInput

_KEPT = 3600


@dataclass(frozen=True, slots=True)
class Elapsed:
    """How long a load has been measured, for who watches it."""

    elapsed: Duration | None


class Watch:
    """Keeps the last live reports of a load and has objectives judged on them.

    Args:
        interval: Seconds between two reports.
        warmup: Seconds before the first.
        slo: Objectives, if there are any.
        config: How they are watched.
    """

    def __init__(
        self, interval: float, warmup: float, slo: SloInput | None, config: LoadFastFailConfiguration
    ) -> None:
        self._warmup = warmup
        self._windows: deque[tuple[datetime, Tally]] = deque(maxlen=_KEPT)
        self._every = max(math.ceil(config.period.total_seconds() / interval), 1)
        self._count = 0
        self._observer = None if slo is None or config.disabled else _observer(slo, config, self._readings)

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
        self._count += 1
        if self._observer and self._count % self._every == 0:
            await self._observer.observe(Elapsed(Duration(max(tally.end - self._warmup, 0.0))))

    async def _readings(self, start: datetime, end: datetime) -> Mapping[str, Sequence[Reading]]:
        # A window counts as soon as it ends within the span: the one that has just been reported always does.
        windows = [tally for time, tally in self._windows if start < time <= end]
        return points(total(windows), end) if windows else {}


def _observer(
    slo: SloInput, config: LoadFastFailConfiguration, getter: Callable[..., object]
) -> FastFailObserver:
    settings = FastFailConfiguration(period=config.period, span=config.span, skip=config.skip)
    return FastFailObserver(settings, slo, getter)  # type: ignore[arg-type] # a bound method of the right form
