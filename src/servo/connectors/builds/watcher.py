"""Writes down what sources show, before anything else is done with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from servo.connectors.builds.build import Build, Phase
from servo.connectors.builds.configuration import BuildsConfiguration
from servo.connectors.builds.errors import BuildsError, JournalFullError
from servo.connectors.builds.journal import Journal, records
from servo.connectors.builds.metrics import Metrics
from servo.connectors.builds.parts import Parts
from servo.connectors.builds.patience import jittered
from servo.connectors.builds.redaction import Secrets
from servo.connectors.builds.sources import Batch, Source
from servo.connectors.builds.submitter import Submitter
from servo.logging import logger

__all__ = ["Room", "Watcher"]

_FIRST, _LONGEST = 1.0, 60.0
_PAUSE = 2.0
_ENDED_WELL = frozenset({Phase.complete, Phase.unknown})


class Room:
    """How many builds the queue still takes.

    To count what waits costs the more the more waits; so it is counted when all of the room that there was is used up.

    Args:
        journal: Where builds wait.
        limit: How many may; the last batch may be beyond it.
    """

    def __init__(self, journal: Journal, limit: int) -> None:
        self._journal, self._limit = journal, limit
        self._left = 0

    async def take(self, count: int) -> bool:
        """Take room for so many builds; whether there was any."""
        if self._left <= 0:
            self._left = self._limit - await self._journal.read(records.length)
        if self._left <= 0:
            return False
        self._left -= count
        return True


class Watcher:
    """Reads one source, again and again when it fails.

    Args:
        source: What is read.
        config: How much may wait.
        journal: Where it is written down.
        room: How much the queue still takes; shared by the watchers of a journal.
        submitter: Who is told of it.
        parts: Keeps logs.
        secrets: What is taken out of names and labels.
        metrics: What counts.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        source: Source,
        config: BuildsConfiguration,
        journal: Journal,
        *,
        room: Room,
        submitter: Submitter,
        parts: Parts,
        secrets: Secrets,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.source, self._config, self._journal, self._clock = source, config, journal, clock
        self._room, self._submitter, self._parts, self._secrets, self._metrics = (
            room,
            submitter,
            parts,
            secrets,
            metrics,
        )
        self.trouble: str | None = None

    async def run(self, *, existing: bool = False) -> None:
        """Read the source until cancelled."""
        failures = 0
        while True:
            try:
                if existing:
                    await self._take(self.source.existing())
                    existing = False
                    continue
                position = await self._journal.read(records.position, self.source.name)
                await self._take(self.source.watch(position))
                raise BuildsError("it ended")
            except BuildsError as error:
                failures = 0 if self.trouble is None else failures + 1
                self._fail(error)
            except Exception as error:  # noqa: BLE001 - a source that fails must not be a source that nobody reads
                failures = 0 if self.trouble is None else failures + 1
                self._fail(error)
                logger.opt(exception=error).error(f"{self.source.name} failed")
            await asyncio.sleep(jittered(failures, _FIRST, _LONGEST))

    async def _take(self, batches: AsyncGenerator[Batch, None]) -> None:
        async with aclosing(batches) as found:
            async for batch in found:
                self.trouble = None
                await self._take_batch(batch)

    async def _take_batch(self, batch: Batch) -> None:
        builds = [self._completed(each) for each in batch.builds]
        if self.source.engine is not None:
            builds = [each for each in builds if not await self._is_ours(self.source.engine, each)]
        builds = [each for each in builds if not self._is_ancient(each)]
        await self._wait_for_room(len(builds))
        new = await self._written(builds, batch.position)
        for each in builds:
            if each.phase not in _ENDED_WELL:
                self._metrics.count(
                    "build_watcher_builds_failed_total", str(each.phase), "seen", namespace=each.namespace
                )
        self._counted(builds, new)
        if self.source.is_volatile or not self._submitter.gate.is_open:
            for each in builds:
                await self._parts.secure(each)
        if new:
            self._submitter.wake()

    def _completed(self, build: Build) -> Build:
        labels = {key: self._secrets.redact(value) for key, value in build.labels.items()}
        namespace = build.namespace or self._config.namespace
        if labels == build.labels and namespace == build.namespace:
            return build
        return replace(build, namespace=namespace, labels=labels)

    def _is_ancient(self, build: Build) -> bool:
        """Whether it may have been sent so long ago that the journal has forgotten it."""
        horizon = self._clock() - self._config.queue.retention.total_seconds()
        return build.finished_at is not None and build.finished_at < horizon

    async def _is_ours(self, engine: str, build: Build) -> bool:
        """Whether the agent ran it itself, and knows more of it than the engine tells."""
        if "engine" not in build.labels:
            return False
        image, at = build.labels.get("image_id"), build.finished_at or 0.0
        while (ours := await self._journal.write(records.wraps, engine, image, at)) is None:
            await asyncio.sleep(_PAUSE / 2)
        return ours

    async def _wait_for_room(self, count: int) -> None:
        """Wait while the queue is full: the source keeps what it has."""
        told = False
        while not await self._room.take(count):
            if not told:
                logger.warning(
                    f"{self._config.queue.builds} builds wait (`queue.builds`): {self.source.name} is not read on"
                )
            told = True
            await asyncio.sleep(_PAUSE)

    async def _written(self, builds: Sequence[Build], position: str | None) -> int:
        while True:
            try:
                return await self._journal.write(
                    records.see, builds, self.source.name, position, self._clock()
                )
            except JournalFullError as error:
                self._metrics.count("build_watcher_journal_errors_total")
                self.trouble = str(error)
                logger.error(str(error))
                await asyncio.sleep(_PAUSE)

    def _counted(self, builds: Sequence[Build], new: int) -> None:
        name, source = "build_watcher_builds_total", self.source.name
        namespace = builds[0].namespace if builds else None
        if new:
            self._metrics.count(name, source, "seen", namespace=namespace, by=new)
        if len(builds) > new:
            self._metrics.count(name, source, "duplicate", namespace=namespace, by=len(builds) - new)

    def _fail(self, error: Exception) -> None:
        text = str(error) if isinstance(error, BuildsError) else f"{type(error).__name__}: {error}"
        if self.trouble is None:
            logger.warning(f"builds of {self.source.name} cannot be watched: {text}; it is tried again")
        self.trouble = text
        self._metrics.count("build_watcher_source_errors_total", self.source.name)
