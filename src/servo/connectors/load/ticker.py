"""A wake-up call more precise than the event loop's.

Both asyncio and uvloop round their timers up to a whole millisecond, which would show as half a millisecond of
latency that the application does not have. A Linux timerfd is precise to some 50 µs and is just another file
descriptor to the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import time
from collections.abc import Callable
from typing import Protocol

_CLOCK_MONOTONIC = 1
_NONBLOCKING = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_ABSOLUTE = 1
_NANOSECONDS = 1_000_000_000


class Ticker(Protocol):
    """Calls back once at each time it is armed for."""

    def arm(self, when: float) -> None:
        """Call back at `when` (seconds of `time.monotonic`), at once if that is past; replaces an earlier call."""

    def close(self) -> None:
        """Never call back again."""


class _Spec(ctypes.Structure):
    _fields_ = [
        ("interval_sec", ctypes.c_long),
        ("interval_nsec", ctypes.c_long),
        ("value_sec", ctypes.c_long),
        ("value_nsec", ctypes.c_long),
    ]


class TimerfdTicker:
    """Precise, on Linux.

    Raises:
        OSError: The system has no timerfd.
    """

    def __init__(self, callback: Callable[[], None]) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        try:
            self._fd = self._library.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCKING)
        except AttributeError as error:
            raise OSError("no timerfd on this system") from error
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._callback = callback
        self._spec = _Spec()
        self._pointer = ctypes.byref(self._spec)
        self._set = self._library.timerfd_settime
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._fire)

    def arm(self, when: float) -> None:
        """See `Ticker`."""
        nanoseconds = max(int(when * _NANOSECONDS), 1)  # 0 would disarm
        self._spec.value_sec, self._spec.value_nsec = divmod(nanoseconds, _NANOSECONDS)
        self._set(self._fd, _ABSOLUTE, self._pointer, None)

    def _fire(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._fd, 8)
            self._callback()

    def close(self) -> None:
        """See `Ticker`."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1


class LoopTicker:
    """Precise to the loop's millisecond, anywhere (and in virtual time)."""

    def __init__(self, callback: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._callback = callback
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None

    def arm(self, when: float) -> None:
        """See `Ticker`."""
        self.close()
        self._handle = self._loop.call_later(max(when - self._clock(), 0.0), self._callback)

    def close(self) -> None:
        """See `Ticker`."""
        if self._handle:
            self._handle.cancel()
            self._handle = None


def best_ticker(callback: Callable[[], None]) -> Ticker:
    """The most precise one this system has."""
    try:
        return TimerfdTicker(callback)
    except OSError:
        return LoopTicker(callback)
