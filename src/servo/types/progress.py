"""How far something has come: with time, or until an event.

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

__all__ = ["BaseProgress", "DurationProgress", "EventProgress"]

_COMPLETE = 100.0
_DEFAULT_INTERVAL = Duration("5s")
_DEFAULT_EVENT_INTERVAL = Duration("1m")


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

    def reset(self) -> None:
        """Go back to before the start."""
        self.started_at = None
        self._started = None

    @property
    def started(self) -> bool:
        """Whether the clock runs."""
        return self._started is not None

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do or to wait for."""
        return self.progress >= _COMPLETE

    @property
    def elapsed(self) -> Duration | None:
        """The time since the start; None before it."""
        return None if self._started is None else Duration(max(0.0, _clock() - self._started))

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
        self._started = _clock()

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
        return _percentage(self.elapsed, self.duration)

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


class EventProgress(BaseProgress):
    """Progress until an event, at the latest until a timeout.

    Args:
        timeout: After what time to give up; None: never.
        settlement: How long the event must stand, once triggered, before that counts as completed; None: no time.
    """

    def __init__(
        self, timeout: DurationDescriptor | None = None, settlement: DurationDescriptor | None = None
    ) -> None:
        super().__init__()
        self.timeout = timeout
        self.settlement = settlement
        self._completed = asyncio.Event()
        self._settling_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def timeout(self) -> Duration | None:
        """After what time to give up; assignable as anything a ``Duration`` is made of."""
        return self._timeout

    @timeout.setter
    def timeout(self, timeout: DurationDescriptor | None) -> None:
        self._timeout = None if timeout is None else Duration(timeout)

    @property
    def settlement(self) -> Duration | None:
        """How long the event must stand; assignable as anything a ``Duration`` is made of."""
        return self._settlement

    @settlement.setter
    def settlement(self, settlement: DurationDescriptor | None) -> None:
        self._settlement = None if settlement is None else Duration(settlement)

    def trigger(self) -> None:
        """Tell that the event has occurred: it is completed, or begins to settle if there is a settlement time.

        A second trigger while it settles changes nothing.
        """
        if self.completed or self.settling:
            return
        if not self.settlement:
            self.complete()
            return
        self._settling_since = _clock()
        self._timer = asyncio.get_running_loop().call_later(self.settlement.total_seconds(), self.complete)

    def complete(self) -> None:
        """Tell that the event is completed, settled or not."""
        self._stop()
        self._completed.set()

    def reset(self) -> None:
        """Take the event back, e.g. because what was ready is no longer; the timeout's clock goes on."""
        self._stop()
        self._completed.clear()

    @property
    def completed(self) -> bool:
        """Whether the event has occurred, and settled."""
        return self._completed.is_set()

    @property
    def timed_out(self) -> bool:
        """Whether the timeout passed before it was completed; one of zero has at once."""
        if self.completed or self.timeout is None:
            return False
        return not self.timeout or (self.elapsed is not None and self.elapsed >= self.timeout)

    @property
    def finished(self) -> bool:
        """Whether it is completed or timed out."""
        return self.timed_out or self.progress >= _COMPLETE

    @property
    def settling(self) -> bool:
        """Whether the event has occurred and must stand some time yet."""
        return self._settling_since is not None

    @property
    def settlement_remaining(self) -> Duration | None:
        """How long it must stand yet; None if it is not settling."""
        if self._settling_since is None or self.settlement is None:
            return None
        settled = _clock() - self._settling_since
        return Duration(max(0.0, self.settlement.total_seconds() - settled))

    @property
    def progress(self) -> float:
        """Percent: of the settlement time while it settles, else of the timeout; 100 when completed."""
        if self.completed:
            return _COMPLETE
        if self.settlement_remaining is not None and self.settlement:
            return _percentage(self.settlement - self.settlement_remaining, self.settlement)
        if self.timeout is None or self.elapsed is None:
            return 0.0
        return _percentage(self.elapsed, self.timeout)

    async def wait(self) -> None:
        """Wait until it is completed; start it if need be.

        Raises:
            TimeoutError: If the timeout passes before.
        """
        if not self.started:
            self.start()
        while not self.completed:
            if self.timed_out:
                raise TimeoutError(f"timed out after {self.timeout}")
            await self._sleep(_DEFAULT_EVENT_INTERVAL.total_seconds())

    async def watch(self, notify: Callable[[Self], Any], every: DurationDescriptor | None = None) -> None:
        """Start if need be, then call ``notify`` with this object at an interval, and once more at the end.

        Args:
            notify: A function or coroutine function.
            every: The interval; one minute, or the timeout if that is less.

        Raises:
            ValueError: If the interval is not greater than zero.
        """
        if every is None:
            every = min(self.timeout or _DEFAULT_EVENT_INTERVAL, _DEFAULT_EVENT_INTERVAL)
        await super().watch(notify, every)

    async def _sleep(self, seconds: float) -> None:
        if self.timeout is not None and self.elapsed is not None:
            seconds = min(seconds, (self.timeout - self.elapsed).total_seconds())
        try:
            async with asyncio.timeout(max(seconds, _TICK)):
                await self._completed.wait()
        except TimeoutError:
            pass

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._settling_since = None


# A timer may fire early by the clock's resolution; sleeping a tick more keeps a loop on it from spinning.
_TICK = 0.001


async def _sleep_at_least_a_tick(seconds: float) -> None:
    await asyncio.sleep(max(seconds, _TICK))


def _clock() -> float:
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


def _percentage(part: timedelta, whole: timedelta) -> float:
    if not whole:
        return _COMPLETE
    return min(_COMPLETE, 100.0 * part.total_seconds() / whole.total_seconds())


def _rounded(elapsed: Duration | None) -> Duration:
    seconds = 0.0 if elapsed is None else elapsed.total_seconds()
    return Duration(round(seconds) if seconds >= 1 else round(seconds, 3))
