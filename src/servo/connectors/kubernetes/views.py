"""A target as it is seen while it gets ready and settles: looked at when something changes, and judged."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable
from copy import deepcopy
from typing import Any, Protocol, Self, TypeAlias

from servo.connectors.kubernetes import pods, workloads
from servo.connectors.kubernetes.manifests import Manifest
from servo.connectors.kubernetes.pods import Fault
from servo.connectors.kubernetes.workloads import Look
from servo.kubernetes import DEPLOYMENTS, PODS, REPLICA_SETS, Client, KubernetesError, Resource
from servo.logging import logger

__all__ = ["PodView", "Restarts", "View", "Wake", "WorkloadView", "restarts"]

_PAUSE = 0.15
"""Seconds in which changes that come together are waited for."""

_SECONDS_TO_OPEN = 2.0

Stream: TypeAlias = AsyncGenerator[Any, None]
Restarts: TypeAlias = dict[tuple[str, str], int]
"""How often containers were started again, by the uid of their pod and their name."""


class Wake:
    """Watches for changes, from when it is first waited for one.

    Args:
        streams: Makes the streams of changes.
    """

    def __init__(self, streams: Callable[[], list[Stream]]) -> None:
        self._streams = streams
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._opening: set[Stream] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        # A request that is cancelled while it connects leaves its socket open (httpcore2 2.16): so it may come to its answer first.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_OPEN):
                while self._opening:
                    await self._changed.wait()
                    self._changed.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait(self, seconds: float) -> None:
        """Wait for a change, at most so many seconds."""
        if not self._tasks:
            streams = self._streams()
            self._opening = set(streams)
            self._tasks = [asyncio.create_task(self._follow(stream)) for stream in streams]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
                await asyncio.sleep(_PAUSE)
        self._changed.clear()

    async def _follow(self, stream: Stream) -> None:
        try:
            async with contextlib.aclosing(stream) as changes:
                async for _ in changes:
                    self._opening.discard(stream)
                    self._changed.set()
        except KubernetesError as error:
            # Without a watch, e.g. as a role does not allow it, the looks at intervals go on.
            logger.debug("not watched: {}", error)
        finally:
            self._opening.discard(stream)
            self._changed.set()


class View(Protocol):
    """How a kind of target is seen."""

    def watching(self) -> Wake:
        """Return what tells of its changes, to be entered."""

    async def look(self) -> Look:
        """Ask the cluster what it is like now."""

    def outstanding(self, look: Look) -> str | None:
        """Return what it lacks to be ready; None if it is."""

    def certain_fault(self, look: Look) -> Fault | None:
        """Return why it will never get ready; None if it may."""

    def fault(self, look: Look) -> Fault | None:
        """Return why it is not ready, as far as can be told."""

    def pods(self, look: Look) -> list[Manifest]:
        """Return the pods that are judged."""


class WorkloadView:
    """A workload and its newest pods.

    Args:
        client: The cluster.
        resource: Kind of the workload.
        name: Its name.
        namespace: Its namespace.
        selector: That of its pods.
    """

    def __init__(self, client: Client, resource: Resource, name: str, namespace: str, selector: str) -> None:
        self.client, self.resource, self.name, self.namespace = client, resource, name, namespace
        self.selector = selector
        self.forgiven: Restarts = {}

    def watching(self) -> Wake:
        """Watch workload and pods."""
        return Wake(
            lambda: [
                self.client.follow(self.resource, self.namespace, fields=f"metadata.name={self.name}"),
                self.client.follow(PODS, self.namespace, labels=self.selector),
            ]
        )

    async def look(self) -> Look:
        """Ask for workload, pods, and what is between."""
        workload = await self.client.get(self.resource, self.name, self.namespace)
        sets: list[Manifest] = []
        if self.resource.plural in {DEPLOYMENTS.plural, "rollouts"}:
            sets = (await self.client.list(REPLICA_SETS, self.namespace, labels=self.selector)).items
        found = (await self.client.list(PODS, self.namespace, labels=self.selector)).items
        return Look(workload, [without(pod, self.forgiven) for pod in found], sets)

    def outstanding(self, look: Look) -> str | None:
        """Return what the workload lacks."""
        return workloads.outstanding(look.workload)

    def certain_fault(self, look: Look) -> Fault | None:
        """Return why it will never get ready."""
        return workloads.certain_fault(look)

    def fault(self, look: Look) -> Fault | None:
        """Return why it is not ready."""
        return workloads.fault(look)

    def pods(self, look: Look) -> list[Manifest]:
        """Return its newest pods."""
        return workloads.newest_pods(look)


class PodView:
    """A single pod.

    Args:
        client: The cluster.
        name: Its name.
        namespace: Its namespace.
    """

    def __init__(self, client: Client, name: str, namespace: str) -> None:
        self.client, self.name, self.namespace = client, name, namespace
        self.forgiven: Restarts = {}

    def watching(self) -> Wake:
        """Watch the pod."""
        return Wake(lambda: [self.client.follow(PODS, self.namespace, fields=f"metadata.name={self.name}")])

    async def look(self) -> Look:
        """Ask for the pod."""
        pod = without(await self.client.get(PODS, self.name, self.namespace), self.forgiven)
        return Look(pod, [pod])

    def outstanding(self, look: Look) -> str | None:
        """Return that it is not ready."""
        return None if pods.is_ready(look.workload) else f"pod {self.name} is not ready"

    def certain_fault(self, look: Look) -> Fault | None:
        """Return why it will never get ready."""
        if look.workload["metadata"].get("deletionTimestamp"):
            return Fault("target-changed", f"somebody deletes pod {self.name}", status="failed")
        return pods.certain_fault(look.workload)

    def fault(self, look: Look) -> Fault | None:
        """Return why it is not ready."""
        return pods.fault(look.workload)

    def pods(self, look: Look) -> list[Manifest]:
        """Return it."""
        return look.pods


def restarts(of: Iterable[Manifest]) -> Restarts:
    """Return how often the containers of pods were started again."""
    return {
        (pod["metadata"]["uid"], status["name"]): int(status.get("restartCount") or 0)
        for pod in of
        for status in _statuses(pod)
    }


def without(pod: Manifest, known: Restarts) -> Manifest:
    """Return a pod as if starts that are known had not been; they tell nothing of what is tried now."""
    uid = pod["metadata"]["uid"]
    if not any(known.get((uid, status["name"])) for status in _statuses(pod)):
        return pod
    pod = deepcopy(pod)
    for status in _statuses(pod):
        status["restartCount"] = max(
            0, int(status.get("restartCount") or 0) - known.get((uid, status["name"]), 0)
        )
        if not status["restartCount"]:
            status["lastState"] = {}
    return pod


def _statuses(pod: Manifest) -> list[Any]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
