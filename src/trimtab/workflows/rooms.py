"""How many builds and how many runs a process makes at the same time, all its inspections together."""

import asyncio
import math
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

__all__ = ["Room", "Rooms"]


class Room:
    """A number of places, given to whoever comes first: one who needs many is not passed by those who need few.

    Args:
        places: How many there are.
    """

    def __init__(self, places: float) -> None:
        self._free = self._places = places
        self._door = asyncio.Lock()
        self._left = asyncio.Event()

    @asynccontextmanager
    async def taken(self, places: float = 1.0) -> AsyncIterator[None]:
        """Wait for places, and hold them; who needs more than there are holds all."""
        places = min(places, self._places)
        async with self._door:
            while self._free < places:
                self._left.clear()
                await self._left.wait()
            self._free -= places
        try:
            yield
        finally:
            self._free += places
            self._left.set()


class Rooms:
    """The limits of a process.

    Args:
        builds: Builds at the same time; None: no limit.
        runs: Runs at the same time; None: as many as the cores they ask for are there.
    """

    def __init__(self, builds: int | None = None, runs: int | None = None) -> None:
        self.builds = Room(math.inf if builds is None else builds)
        self._counted = runs is not None
        self._runs = Room(float(runs or os.cpu_count() or 1))

    def run(self, cores: float) -> AbstractAsyncContextManager[None]:
        """Wait for the place of a run, and hold it."""
        return self._runs.taken(1.0 if self._counted else cores)
