"""When a registry is asked again, and how long is waited before."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from trimtab.images.errors import UnavailableError

__all__ = ["Retries"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and after which waits, what may pass is tried again: 429, 5xx, no answer, a connection that broke off.

    Parameters:
        attempts: Of one request, the first one counted.
        first: Seconds before the second attempt; each later wait is twice the one before.
        longest: Seconds of one wait. A registry that asks for a longer one (`Retry-After`), or took longer to fail, is not waited for.
        pause: What waits.
    """

    attempts: int = 4
    first: float = 0.5
    longest: float = 30.0
    pause: Callable[[float], None] = time.sleep

    def of(self, ask: Callable[[], T]) -> T:
        """What the first successful attempt gives; the error of the last one otherwise."""
        attempt = 1
        while True:
            began = time.monotonic()
            try:
                return ask()
            except UnavailableError as error:
                if time.monotonic() - began > self.longest or not self.wait(error, attempt):
                    raise
            attempt += 1

    def wait(self, error: UnavailableError, attempt: int) -> bool:
        """Wait before the attempt after this one; False, at once, if there shall be none."""
        seconds = self._seconds(error, attempt)
        if not error.transient or attempt >= self.attempts or seconds > self.longest:
            return False
        self.pause(seconds)
        return True

    def _seconds(self, error: UnavailableError, attempt: int) -> float:
        if error.after is not None:
            return error.after
        return min(self.first * 2.0 ** min(attempt - 1, 60), self.longest)
