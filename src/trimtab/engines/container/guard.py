"""What watches over a container while it runs: its time, and the disk it fills."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trimtab.engines.container.client import Client
from trimtab.engines.errors import EngineUnavailableError
from trimtab.engines.leavings import size_of

__all__ = ["Guard", "guarded"]

_LOOK = 1.0
_LATE = 60.0
_PATIENCE = 3
_ENDED = -9


@dataclass(slots=True)
class Guard:
    """Ends a container that takes too long or too much.

    Attributes:
        client: The engine.
        name: Of the container.
        allowed: Seconds it may take; None: for ever.
        grace: Seconds between the request to end and the kill.
        disk: Bytes it may write.
        places: Returns the directories of this machine that it writes to.
        monitor: Returns the file with the process id of podman's monitor of the container, once there is one.
        timed_out: Whether its time was up.
        over_disk: Whether it wrote too much.
        abandoned: Whether its monitor was killed: then podman waits for ever, also when the container has ended.
    """

    client: Client
    name: str
    allowed: float | None
    grace: float
    disk: int
    places: Callable[[], list[Path]]
    monitor: Callable[[], Path | None] = lambda: None
    timed_out: bool = field(default=False, init=False)
    over_disk: bool = field(default=False, init=False)
    abandoned: bool = field(default=False, init=False)

    async def watch(self) -> None:
        """Look now and then, until cancelled."""
        deadline = None if self.allowed is None else time.monotonic() + self.allowed
        alone = 0
        while True:
            left = _LOOK if deadline is None else min(_LOOK, deadline - time.monotonic())
            if left > 0:
                await asyncio.sleep(left)
            alone = alone + 1 if self._is_alone() else 0
            if deadline is not None and time.monotonic() >= deadline:
                self.timed_out = True
                await self.stop()
            elif alone >= _PATIENCE:
                self.abandoned = True
                await self.kill()
            elif await asyncio.to_thread(self._written) > self.disk:
                self.over_disk = True
                await self.stop()
            else:
                continue
            return

    async def stop(self) -> None:
        """Ask it to end, and kill it after a time of grace."""
        try:
            await self.client.ask(
                "stop", "--time", str(max(1, round(self.grace))), self.name, seconds=self.grace + 60
            )
        except EngineUnavailableError:
            return  # then the engine has lost it, and the end of its command tells so

    async def kill(self) -> None:
        """Kill it now."""
        try:
            await self.client.ask("kill", self.name)
        except EngineUnavailableError:
            return

    def _is_alone(self) -> bool:
        path = self.monitor()
        if path is None:
            return False
        try:
            return not Path(f"/proc/{int(path.read_text())}").exists()
        except (OSError, ValueError):
            return False  # not started yet, or ended in order

    def _written(self) -> int:
        total = 0
        for place in self.places():
            total += size_of(place, self.disk - total)
        return total


async def guarded(command: Coroutine[Any, Any, int], guard: Guard) -> int:
    """Let the engine's command run to its end while a guard watches.

    Returns:
        Its exit code; negative, if it had to be ended itself.
    """
    running, watching = asyncio.create_task(command), asyncio.create_task(guard.watch())
    try:
        await asyncio.wait({running, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            await watching  # a defect in it is to be seen
            await asyncio.wait({running}, timeout=0 if guard.abandoned else _LATE)
    except asyncio.CancelledError:
        await asyncio.shield(
            guard.kill()
        )  # first the container: its command, ended first, would ask kindly and wait
        raise
    finally:
        watching.cancel()
        running.cancel()
        await asyncio.wait({running, watching})
    return _ENDED if running.cancelled() else running.result()
