"""The logs of builds that go on, read as they are written.

When a build is over its pods may go at once, and their logs with them: a Job with `ttlSecondsAfterFinished: 0` is deleted
with its pods in the moment it ends. No finalizer helps, for the node removes the containers of a pod that is being deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from servo.connectors.builds.cluster.kind import Pods
from servo.connectors.builds.cluster.logs import Container, containers, printed
from servo.connectors.builds.errors import JournalFullError
from servo.connectors.builds.logs import Log
from servo.connectors.builds.redaction import Secrets
from servo.connectors.builds.spool import Spool
from servo.kubernetes import Client, KubernetesError
from servo.logging import logger

__all__ = ["Following"]

_LOOK, _LONGEST_LOOK = 0.5, 5.0
_AFTER = 10.0
_FAILURES = 5


class Following:
    """Reads logs of builds that go on.

    Args:
        client: Of the cluster.
        spool: Where they are kept when they are whole.
        secrets: What is taken out of them.
        limit: Bytes of one.
        most: How many are read at a time; others are read when their builds are over.
    """

    def __init__(self, client: Client, spool: Spool, secrets: Secrets, limit: int, *, most: int = 50) -> None:
        self._client, self._spool, self._secrets, self._limit, self._most = (
            client,
            spool,
            secrets,
            limit,
            most,
        )
        self._open: dict[str, _Followed] = {}

    def begin(self, identity: str, namespace: str, pods: Callable[[], Pods]) -> None:
        """Read the log of a build, unless it is read, or too many are.

        Args:
            identity: Of the build.
            namespace: Where its pods are.
            pods: Tells which they are; it may know more later.
        """
        if identity not in self._open and len(self._open) < self._most:
            log = Log(self._secrets, self._limit)
            self._open[identity] = _Followed(self._client, namespace, pods, log)

    async def end(self, identity: str) -> bool:
        """Wait for the rest of a log whose build is over, and keep it; whether there was one, and all of it."""
        followed = self._open.pop(identity, None)
        if followed is None:
            return False
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_AFTER):
                    await followed.finish()
            if not followed.is_whole or followed.log.size == 0:
                return False
            self._spool.save(identity, followed.log)
        except JournalFullError as error:
            logger.warning(f"the log of {identity} is left where it is: {error}")
            return False
        finally:
            await followed.aclose()
        return True

    async def aclose(self) -> None:
        """Read no more."""
        for each in self._open.values():
            await each.aclose()
        self._open.clear()


class _Followed:
    def __init__(self, client: Client, namespace: str, pods: Callable[[], Pods], log: Log) -> None:
        self._client, self._namespace, self._pods, self.log = client, namespace, pods, log
        self._read: set[tuple[str, str]] = set()
        self._over = asyncio.Event()
        self._missed = False
        self._task = asyncio.create_task(self._run(), name=f"builds:log:{namespace}")

    @property
    def is_whole(self) -> bool:
        """Whether nothing is known to be missing."""
        return self._task.done() and not self._task.cancelled() and not self._missed

    async def finish(self) -> None:
        """Read what is left; the build is over."""
        self._over.set()
        await asyncio.wait({self._task})

    async def aclose(self) -> None:
        """Stop, and forget what was read."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.log.close()

    async def _run(self) -> None:
        failures, pause = 0, _LOOK
        while True:
            last = self._over.is_set()
            try:
                fresh = await self._fresh()
                for each in fresh:
                    await self._take(each)
                failures = 0
            except KubernetesError:
                fresh, failures = [], failures + 1
                if failures == _FAILURES or last:
                    self._missed = True
                    break
            if last and not fresh:
                break
            # A build that waits for its pod, or for its next step, is not asked for it all the time.
            pause = _LOOK if fresh else min(2 * pause, _LONGEST_LOOK)
            if not fresh:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._over.wait()
        self.log.finish()

    async def _fresh(self) -> list[Container]:
        """Return the containers that can be read now, up to the first that has not started: their order is the log's."""
        fresh: list[Container] = []
        for each in await containers(self._client, self._namespace, self._pods()):
            if (each.pod, each.name) in self._read:
                continue
            if not each.has_started:
                if each.has_ended:
                    continue
                break
            fresh.append(each)
        return fresh

    async def _take(self, container: Container) -> None:
        before = self.log.size
        try:
            async for piece in printed(self._client, self._namespace, container):
                self.log.feed(piece)
        except KubernetesError:
            # It was cut in the middle; what comes again from the beginning would be there twice.
            self._missed = self._missed or self.log.size > before
            raise
        self._read.add((container.pod, container.name))
