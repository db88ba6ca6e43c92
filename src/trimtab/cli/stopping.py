"""Work that a signal ends: what runs is ended first."""

import asyncio
import signal
from collections.abc import Awaitable
from typing import cast

__all__ = ["stoppable"]


class _Stop:
    """Cancels a task at the first signal; the clean-up after it is not broken off by a second one."""

    def __init__(self, task: "asyncio.Task[int]") -> None:
        self.code = 0
        self._task = task
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, self._came, each)

    def _came(self, number: signal.Signals) -> None:
        if not self.code:
            self.code = 128 + number
            self._task.cancel()


async def stoppable(work: Awaitable[int]) -> int:
    """Do work until it is done, or SIGINT or SIGTERM comes: it is cancelled then.

    Returns:
        Its exit code; 130 or 143, if a signal ended it.
    """
    import typer

    task = cast("asyncio.Task[int]", asyncio.ensure_future(work))
    stop = _Stop(task)
    try:
        return await task
    except asyncio.CancelledError:
        if not stop.code:
            raise
        typer.echo("Interrupted; what was running is ended.", err=True)
        return stop.code
