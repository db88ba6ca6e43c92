"""How far something has come, with time.

Time is that of the running event loop, where there is one, so that a test may run it in virtual time.
"""

from __future__ import annotations

import abc
import asyncio
import inspect
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from servo.types.duration import Duration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from servo.types.duration import DurationDescriptor

__all__ = ["COMPLETE", "TICK", "BaseProgress", "DurationProgress", "clock", "percentage"]

COMPLETE = 100.0
_DEFAULT_INTERVAL = Duration("5s")

# A timer may fire early by the clock's resolution; sleeping a tick more keeps a loop on it from spinning.
TICK = 0.001


class BaseProgress(abc.ABC):
    """Progress from 0.0 to 100.0 percent since it was started.

    Entering it as an asynchronous context starts it, leaving stops what runs in its background.
    """

    def __init__(self) -> None:
        self.started_at: datetime | None = None
        self._started: float | None = None

    @property
    @abc.abstractmethod
    def progress(self) -> float:
        """Percent done, from 0.0 to 100.0."""

    @abc.abstractmethod
    async def wait(self) -> None:
        """Wait until it is finished; start it if need be."""

    def start(self) -> None:
        """Start the clock.

        Raises:
            RuntimeError: If it runs.
        """
        if self.started:
            raise RuntimeError("cannot start a progress object that has already been started")
        self._restart()

    @abc.abstractmethod
    def reset(self) -> None:
        """Take back what was reached."""

    @property
    def started(self) -> bool:
        """Whether the clock runs."""
        return self._started is not None

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do or to wait for."""
        return self.progress >= COMPLETE

    @property
    def elapsed(self) -> Duration | None:
        """The time since the start; None before it."""
        return None if self._started is None else Duration(max(0.0, clock() - self._started))

    async def watch(
        self, notify: Callable[[Self], Any], every: DurationDescriptor = _DEFAULT_INTERVAL
    ) -> None:
        """Start if need be, then call ``notify`` with this object at an interval, and once more at the end.

        Args:
            notify: A function or coroutine function.
            every: The interval.

        Raises:
            ValueError: If the interval is not greater than zero.
        """
        async for _ in self.every(every):
            called = notify(self)
            if inspect.isawaitable(called):
                await called

    async def every(self, duration: DurationDescriptor) -> AsyncIterator[Self]:
        """Start if need be, then yield this object at an interval, and once more at the end.

        Raises:
            ValueError: If the interval is not greater than zero.
        """
        interval = Duration(duration).total_seconds()
        if interval <= 0:
            raise ValueError(f"the interval of progress must be greater than zero, not {Duration(duration)}")
        if not self.started:
            self.start()
        while not self.finished:
            await self._sleep(interval)
            yield self

    def annotate(self, text: str, prefix: bool = True) -> str:  # noqa: FBT001, FBT002  interface
        """Return ``text`` with the progress before it, or in parentheses behind it.

        Args:
            text: What is in progress.
            prefix: Whether the progress comes first: ``"12.34% complete, 5s elapsed - text"``.
        """
        status = f"{self.progress:.2f}% complete, {_rounded(self.elapsed)} elapsed"
        return f"{status} - {text}" if prefix else f"{text} ({status})"

    @abc.abstractmethod
    async def _sleep(self, seconds: float) -> None:
        """Sleep so long, or until it is finished."""

    def _restart(self) -> None:
        self.started_at = datetime.now().astimezone()
        self._started = clock()

    def _stop(self) -> None:  # noqa: B027  most have nothing in the background
        """Stop what runs in the background."""

    def __float__(self) -> float:
        return self.progress

    def __int__(self) -> int:
        return int(self.progress)

    async def __aenter__(self) -> Self:
        if not self.started:
            self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop()


class DurationProgress(BaseProgress):
    """Progress with time: half the duration is 50 percent. A duration of zero is done as soon as it is started.

    Args:
        duration: How long it takes.
    """

    def __init__(self, duration: DurationDescriptor = 0) -> None:
        super().__init__()
        self.duration = duration

    @property
    def duration(self) -> Duration:
        """How long it takes; assignable as anything a ``Duration`` is made of."""
        return self._duration

    @duration.setter
    def duration(self, duration: DurationDescriptor) -> None:
        self._duration = Duration(duration)

    @property
    def progress(self) -> float:
        """Percent of the duration that has elapsed."""
        if self.elapsed is None:
            return 0.0
        return percentage(self.elapsed, self.duration)

    @property
    def remaining(self) -> Duration:
        """The time left; the whole duration before the start."""
        return Duration(max(0.0, (self.duration - (self.elapsed or Duration(0))).total_seconds()))

    def reset(self) -> None:
        """Start anew."""
        self._restart()

    async def wait(self) -> None:
        """Wait until the duration has elapsed; start it if need be."""
        if not self.started:
            self.start()
        while not self.finished:
            await self._sleep(self.remaining.total_seconds())

    async def _sleep(self, seconds: float) -> None:
        await _sleep_at_least_a_tick(min(seconds, self.remaining.total_seconds()))


async def _sleep_at_least_a_tick(seconds: float) -> None:
    """Sleep so long, but at least a millisecond."""
    await asyncio.sleep(max(seconds, TICK))


def clock() -> float:
    """Return the time of the running event loop, else the system's monotonic one, in seconds."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


def percentage(part: timedelta, whole: timedelta) -> float:
    """Return what part of a time has passed, at most 100; all of it if that is zero."""
    if not whole:
        return COMPLETE
    return min(COMPLETE, 100.0 * part.total_seconds() / whole.total_seconds())


def _rounded(elapsed: Duration | None) -> Duration:
    seconds = 0.0 if elapsed is None else elapsed.total_seconds()
    return Duration(round(seconds) if seconds >= 1 else round(seconds, 3))
