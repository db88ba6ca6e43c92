"""How long to wait before the next try."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from servo.connectors.builds.errors import UnavailableError

__all__ = ["Gate", "jittered"]


def jittered(
    attempt: int, first: float, longest: float, random_: Callable[[], float] = random.random
) -> float:
    """Return a random wait: full jitter, so that what failed together does not come back together.

    Args:
        attempt: How often it failed before.
        first: Longest wait after the first failure, seconds.
        longest: Longest wait at all.
        random_: A number from 0 to 1.
    """
    return random_() * min(longest, first * 2.0 ** min(attempt, 60))


class Gate:
    """Keeps everybody from a backend that is away; one at a time may see whether it is back.

    Args:
        first, longest: As in :func:`jittered`.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest = first, longest
        self._failures = 0
        self._until = 0.0
        self._probe = asyncio.Lock()
        self.trouble: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the last that was heard of the backend was good."""
        return not self._away()

    async def enter(self) -> bool:
        """Wait until the backend may be asked; whether as the only one."""
        if not self._away():
            return False
        await self._probe.acquire()
        try:
            while (wait := self._until - asyncio.get_running_loop().time()) > 0 and self._away():
                await asyncio.sleep(wait)
        except BaseException:
            self._probe.release()
            raise
        if self._away():
            return True
        self._probe.release()
        return False

    def _away(self) -> bool:
        return self._failures > 0

    def leave(self, *, probing: bool, error: UnavailableError | None = None) -> None:
        """Tell how it went.

        Args:
            probing: What :meth:`enter` returned.
            error: That the backend is away; None if it answered.
        """
        if error is None:
            self._failures, self.trouble = 0, None
        elif probing or self.is_open:
            wait = (
                error.after
                if error.after is not None
                else jittered(self._failures, self._first, self._longest)
            )
            self._until = asyncio.get_running_loop().time() + wait
            self._failures, self.trouble = self._failures + 1, str(error)
        if probing:
            self._probe.release()
