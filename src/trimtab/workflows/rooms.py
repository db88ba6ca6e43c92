"""How many builds and how many runs a process makes at the same time, all its inspections together."""

import asyncio
import math
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

__all__ = ["Room", "Rooms"]

TOLERANCE = 1e-9


class Room:
    """A number of places, given to whoever comes first: one who needs many is not passed by those who need few.

    Args:
        places: How many there are.
    """

    def __init__(self, places: float) -> None:
        self._places = places
        self._held: list[float] = []
        self._door = asyncio.Lock()
        self._left = asyncio.Event()

    @asynccontextmanager
    async def taken(self, places: float = 1.0) -> AsyncIterator[None]:
        """Wait for places, and hold them; who needs more than there are holds all."""
        places = min(places, self._places)
        async with self._door:
            while not self._fits(places):
                self._left.clear()
                await self._left.wait()
            self._held.append(places)
        try:
            yield
        finally:
            self._held.remove(places)
            self._left.set()

    def _fits(self, places: float) -> bool:
        # Added up anew each time: a running total of fractions would not come back to where it was.
        return not self._held or math.fsum([*self._held, places]) <= self._places * (1 + TOLERANCE)


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
