"""The agent: sources, journal, workers and the page of metrics, put together from a configuration."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from servo.connectors.builds.backend import Backend
from servo.connectors.builds.configuration import BuildsConfiguration, name_of
from servo.connectors.builds.copying import Skopeo
from servo.connectors.builds.credentials import swept
from servo.connectors.builds.errors import JournalError
from servo.connectors.builds.housekeeping import Housekeeping
from servo.connectors.builds.http import Transport
from servo.connectors.builds.journal import Journal, records
from servo.connectors.builds.metrics import Metrics
from servo.connectors.builds.parts import Parts
from servo.connectors.builds.redaction import Secrets
from servo.connectors.builds.sources import Source, make
from servo.connectors.builds.spool import Spool
from servo.connectors.builds.submitter import Submitter
from servo.connectors.builds.watcher import Room, Watcher
from servo.logging import logger
from servo.utilities.exposition import Exposition

__all__ = ["Agent"]

_REFRESH = 5.0
LOCK_TRIES = 20
_LOCK_PAUSE = 0.25


class Agent:
    """Watches builds and sends them, from :meth:`start` to :meth:`stop`.

    Args:
        config: The section of servo.yaml, or what the command line says.
        sources: Instead of the configured ones.
        transport: Replaces the network to the backend.
        skopeo: Replaces the program.
        clock: Seconds since 1970.

    Attributes:
        port: Where metrics are served; None if they are not.
    """

    def __init__(
        self,
        config: BuildsConfiguration,
        *,
        sources: Sequence[Source] | None = None,
        transport: Transport | None = None,
        skopeo: Skopeo | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config, self._given, self._transport = config, sources, transport
        self._skopeo, self._clock = skopeo, clock
        self.metrics = Metrics()
        self.port: int | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._queue: tuple[int, float | None] = (0, None)
        self._watchers: list[Watcher] = []
        self._exposition: Exposition | None = None

    async def open(self, *, alone: bool = True) -> None:
        """Open the journal and what stands on it.

        Args:
            alone: Whether to be the one who sends what is in it.

        Raises:
            JournalError: It cannot be used, or another agent uses it.
            BackendError: Its certificates cannot be read.
            ValueError: A secret that is to be taken out of logs cannot be had.
        """
        config = self.config
        self.secrets = Secrets(config.secret_values(), patterns=config.log.patterns)
        self.backend = Backend(config, self._transport)
        self.journal = Journal(config.journal, thorough=alone)
        try:
            if alone and not await self._locked():
                raise JournalError(
                    f"another agent uses the journal {config.journal}: end it, or name another file with `journal`"
                )
            name = await self.journal.write(records.agent)
        except BaseException:
            await self.journal.aclose()
            raise
        self.spool = Spool(config.spool, config.queue.logs)
        found = self._given if self._given is not None else [
            make(each, config, agent=name, spool=self.spool, secrets=self.secrets) for each in config.sources
        ]  # fmt: skip
        self.sources: Mapping[str, Source] = {each.name: each for each in found}
        self.parts = Parts(
            config, self.journal, self.spool, secrets=self.secrets, sources=self.sources, metrics=self.metrics, skopeo=self._skopeo, clock=self._clock
        )  # fmt: skip
        self.submitter = Submitter(
            config, self.journal, self.spool, parts=self.parts, backend=self.backend, metrics=self.metrics, clock=self._clock
        )  # fmt: skip

        self.housekeeping = Housekeeping(
            config, self.journal, self.spool, parts=self.parts, metrics=self.metrics, clock=self._clock
        )

    async def _locked(self) -> bool:
        """Whether nobody else sends; a `servo builds submit` may for a moment."""
        for _ in range(LOCK_TRIES):
            if self.journal.lock():
                return True
            await asyncio.sleep(_LOCK_PAUSE)
        return self.journal.lock()

    async def start(self) -> None:
        """Begin.

        Raises:
            JournalError: The journal cannot be used, or another agent uses it.
            OSError: The port of the metrics is taken.
            ValueError: A secret that is to be taken out of logs cannot be had.
        """
        await self.open()
        try:
            if swept():
                logger.warning("credentials that a killed agent left were removed")
            await self.journal.read(self.spool.sweep)
            await self._expose()
        except BaseException:
            await self.stop()
            raise
        room = Room(self.journal, self.config.queue.builds)
        for source in self.sources.values():
            watcher = Watcher(
                source, self.config, self.journal, room=room, submitter=self.submitter, parts=self.parts, secrets=self.secrets, metrics=self.metrics, clock=self._clock
            )  # fmt: skip
            self._watchers.append(watcher)
            existing = self.config.analyze_existing
            self._begin(f"source-{source.name}", partial(watcher.run, existing=existing))
        self._begin("workers", self.submitter.run)
        self._begin("housekeeping", lambda: self.housekeeping.run(self.submitter.wake))
        self._begin("queue-length", self._measure)

    async def stop(self) -> None:
        """End; what waits goes on waiting in the journal."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._watchers.clear()
        if self._exposition is not None:
            await self._exposition.aclose()
            self._exposition = None
        await self.aclose()

    async def aclose(self) -> None:
        """Close what :meth:`open` opened."""
        for source in self.sources.values():
            await source.aclose()
        await self.backend.aclose()
        await self.journal.aclose()

    def trouble(self) -> str | None:
        """Return why it does not work as it should; None if it does."""
        if over := [task.get_name() for task in self._tasks if task.done()]:
            return f"{over[0]} ended"
        found = [f"{each.source.name}: {each.trouble}" for each in self._watchers if each.trouble]
        if self.submitter.gate.trouble:
            found.append(f"backend: {self.submitter.gate.trouble}")
        return "; ".join(found) or None

    def _begin(self, name: str, work: Callable[[], object]) -> None:
        self._tasks.append(asyncio.create_task(self._again(name, work), name=f"builds:{name}"))

    async def _again(self, name: str, work: Callable[[], object]) -> None:
        """Keep something running: what fails by a defect is seen, and started once more."""
        while True:
            try:
                await work()  # type: ignore[misc] # a coroutine
            except Exception as error:  # noqa: BLE001 - whatever it is, the agent goes on
                logger.opt(exception=error).error(f"builds: {name} failed and is started again")
            await asyncio.sleep(_REFRESH)

    async def _measure(self) -> None:
        while True:
            self._queue = await self.journal.read(records.waiting)
            await asyncio.sleep(_REFRESH)

    async def _expose(self) -> None:
        self.metrics.gauges = {
            "build_watcher_queue_builds": lambda: {"": self._queue[0]},
            "build_watcher_queue_oldest_seconds": self._oldest,
            "build_watcher_source_up": lambda: {
                each.source.name: float(each.trouble is None) for each in self._watchers
            },
            "build_watcher_backend_up": lambda: {"": float(self.submitter.gate.is_open)},
        }
        where = self.config.metrics
        if where is not None:
            self._exposition = Exposition(self.metrics.text, self.trouble)
            self.port = await self._exposition.start(where.host, where.port)
            logger.info(f"builds: metrics at http://{where.host}:{self.port}/metrics")

    def _oldest(self) -> Mapping[str, float]:
        oldest = self._queue[1]
        return {"": 0.0 if oldest is None else max(0.0, self._clock() - oldest)}


def described(config: BuildsConfiguration) -> str:
    """Return in a line what an agent does."""
    sources = ", ".join(name_of(each) for each in config.sources) or "nothing"
    copies = f", by way of {config.copy_to.registry}" if config.copy_to else ""
    return f"watches {sources}, sends to {config.backend.base}{copies}"
