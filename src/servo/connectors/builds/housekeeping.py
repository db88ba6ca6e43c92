"""What is done now and then: copies that are past their time, lines that are too old, runs whose process is gone."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from servo.connectors.builds.build import Phase
from servo.connectors.builds.configuration import BuildsConfiguration
from servo.connectors.builds.errors import BuildsError, PartError
from servo.connectors.builds.journal import Journal, records
from servo.connectors.builds.metrics import Metrics
from servo.connectors.builds.parts import Parts
from servo.connectors.builds.spool import RUNNING, Spool
from servo.logging import logger

__all__ = ["Housekeeping", "hold"]

EVERY = 60.0
AGAIN = 86_400.0  # of a registry that deletes nothing one need not hear every minute
_AT_ONCE = 200


class Housekeeping:
    """Tidies up behind an agent.

    Args:
        config: How long what is kept.
        journal: Where it is kept.
        spool: Logs that wait.
        parts: Who reaches registries.
        metrics: What counts.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        config: BuildsConfiguration,
        journal: Journal,
        spool: Spool,
        *,
        parts: Parts,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config, self._journal, self._spool = config, journal, spool
        self._parts, self._metrics, self._clock = parts, metrics, clock

    async def run(self, wake: Callable[[], None]) -> None:
        """Do all of it again and again, until cancelled."""
        while True:
            for work in (self.adopt, self.expire, self.forget):
                try:
                    if await work() and work == self.adopt:
                        wake()
                except (BuildsError, OSError) as error:
                    logger.warning(f"builds: {error}")
            await asyncio.sleep(EVERY)

    async def adopt(self) -> int:
        """Take over builds whose `servo builds run` was killed; return how many."""
        adopted = 0
        for build in await self._journal.read(records.running):
            path = held(self._spool, build.identity)
            if (descriptor := hold(path)) is None:
                continue
            over = replace(build, phase=Phase.error, finished_at=build.finished_at or self._clock())
            adopted += await self._journal.write(records.ended, over, self._clock())
            os.close(descriptor)
            path.unlink(missing_ok=True)
        return adopted

    async def expire(self) -> int:
        """Delete copies that are past their time; return how many."""
        done, kept = 0, []
        _, push = self._parts.registries()
        for copy in await self._journal.read(records.expired, self._clock(), _AT_ONCE):
            # Deleting a tag deletes what it points to, also for other tags.
            if not await self._journal.read(records.shared, copy, self._clock()):
                try:
                    await self._parts.skopeo.delete(f"{copy.target.rpartition(':')[0]}@{copy.digest}", push)
                except PartError as error:
                    kept.append(f"{copy.target}: {error}")
                    await self._journal.write(records.copied, replace(copy, expires_at=self._clock() + AGAIN))
                    continue
            await self._journal.write(records.uncopied, copy)
            self._metrics.count(
                "build_watcher_image_pushed_registry_total", copy.part.value.partition("_")[0], "expired"
            )
            done += 1
        if kept:
            logger.warning(f"{len(kept)} copies cannot be deleted, and are kept for another day; {kept[-1]}")
        return done

    async def forget(self) -> int:
        """Forget builds that have been over for long; return how many."""
        before = self._clock() - self._config.queue.retention.total_seconds()
        forgotten = await self._journal.write(records.pruned, before, 10_000)
        if forgotten:
            await self._journal.read(self._spool.sweep)
        return forgotten


def held(spool: Spool, identity: str) -> Path:
    """Return the file that is locked while a build runs."""
    return spool.path(identity).with_suffix(RUNNING)


def hold(path: Path) -> int | None:
    """Lock a file; its descriptor, or None if somebody else has it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
