"""How far something has come, until an event."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from servo.types.duration import Duration
from servo.types.progress import COMPLETE, TICK, BaseProgress, clock, percentage

if TYPE_CHECKING:
    from collections.abc import Callable

    from servo.types.duration import DurationDescriptor

__all__ = ["EventProgress"]

_DEFAULT_INTERVAL = Duration("1m")


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
        self._settling_since = clock()
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
        return self.timed_out or self.progress >= COMPLETE

    @property
    def settling(self) -> bool:
        """Whether the event has occurred and must stand some time yet."""
        return self._settling_since is not None

    @property
    def settlement_remaining(self) -> Duration | None:
        """How long it must stand yet; None if it is not settling."""
        if self._settling_since is None or self.settlement is None:
            return None
        settled = clock() - self._settling_since
        return Duration(max(0.0, self.settlement.total_seconds() - settled))

    @property
    def progress(self) -> float:
        """Percent: of the settlement time while it settles, else of the timeout; 100 when completed."""
        if self.completed:
            return COMPLETE
        if self.settlement_remaining is not None and self.settlement:
            return percentage(self.settlement - self.settlement_remaining, self.settlement)
        if self.timeout is None or self.elapsed is None:
            return 0.0
        return percentage(self.elapsed, self.timeout)

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
            await self._sleep(_DEFAULT_INTERVAL.total_seconds())

    async def watch(self, notify: Callable[[Self], Any], every: DurationDescriptor | None = None) -> None:
        """Start if need be, then call ``notify`` with this object at an interval, and once more at the end.

        Args:
            notify: A function or coroutine function.
            every: The interval; one minute, or the timeout if that is less.

        Raises:
            ValueError: If the interval is not greater than zero.
        """
        if every is None:
            every = min(self.timeout or _DEFAULT_INTERVAL, _DEFAULT_INTERVAL)
        await super().watch(notify, every)

    async def _sleep(self, seconds: float) -> None:
        if self.timeout is not None and self.elapsed is not None:
            seconds = min(seconds, (self.timeout - self.elapsed).total_seconds())
        try:
            async with asyncio.timeout(max(seconds, TICK)):
                await self._completed.wait()
        except TimeoutError:
            pass

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._settling_since = None
