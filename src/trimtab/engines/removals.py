"""Directories that nobody needs any more, removed beside what comes next."""

import asyncio
import shutil
from functools import partial
from pathlib import Path

__all__ = ["Removals"]


class Removals:
    """Removes directories in threads: a run's answer need not wait for it.

    A file system that tells its disk what was freed (`discard`) takes milliseconds for each directory. Who is killed
    meanwhile leaves the directory to the engine's `expire`.
    """

    def __init__(self) -> None:
        self._running: set[asyncio.Future[None]] = set()

    def remove(self, directory: Path) -> None:
        """Begin to remove a directory and all below it."""
        work = partial(shutil.rmtree, directory, ignore_errors=True)
        removal = asyncio.get_running_loop().run_in_executor(None, work)
        self._running.add(removal)
        removal.add_done_callback(self._running.discard)

    async def settle(self) -> None:
        """Wait until all are removed."""
        while self._running:
            await asyncio.wait(self._running)
