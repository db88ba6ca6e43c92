"""What becomes of the pod of one Job, as the cluster tells it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Self, TypeVar

from servo.kubernetes import EVENTS, PODS, Client, KubernetesError

__all__ = ["JobPod", "Pod"]

Pod = dict[str, Any]
T = TypeVar("T")


class JobPod:
    """The first pod of a Job; of one that the cluster makes after it, nothing is wanted.

    Attributes:
        job: The Job's name.
        pod: As it was last seen; None: there is none yet.
        gone: Whether it was deleted.
    """

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self.job = name
        self._changed = asyncio.Event()
        self.pod: Pod | None = None
        self.gone = False

    @classmethod
    @asynccontextmanager
    async def followed(cls, client: Client, job: str) -> AsyncIterator[Self]:
        """Follow it until the block ends."""
        pod = cls(client, job)
        pod._task = asyncio.create_task(pod._follow(), name=f"follow {job}")
        try:
            yield pod
        finally:
            pod._task.cancel()
            await asyncio.gather(pod._task, return_exceptions=True)

    _task: asyncio.Task[None]

    @property
    def name(self) -> str:
        """Of the pod."""
        assert self.pod is not None
        return str(self.pod["metadata"]["name"])

    async def until(self, seen: Callable[[Pod | None, bool], T | None], seconds: float | None) -> T | None:
        """Wait until something is seen of it.

        Args:
            seen: Called with the pod and whether it is gone, at once and after each change; what is not None is returned.
            seconds: How long; None: for ever.

        Returns:
            What was seen; None: nothing in that time.

        Raises:
            KubernetesError: The cluster refuses to tell.
        """
        try:
            async with asyncio.timeout(seconds):
                while (found := seen(self.pod, self.gone)) is None:
                    self._changed.clear()
                    await self._wait()
                return found
        except TimeoutError:
            return seen(self.pod, self.gone)

    async def events(self) -> str:
        """What the cluster last said of why the Job has no pod; empty: nothing."""
        try:
            found = await self._client.list(EVENTS, fields=f"involvedObject.name={self.job}")
        except KubernetesError:  # it may not be allowed to look, and this is an explanation only
            return ""
        warnings = [str(each.get("message", "")) for each in found.items if each.get("type") == "Warning"]
        return warnings[-1][:2000] if warnings else ""

    async def _wait(self) -> None:
        waiting = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._task.done():
            self._task.result()

    async def _follow(self) -> None:
        async with aclosing(self._client.follow(PODS, labels=f"job-name={self.job}")) as changes:
            async for change in changes:
                if change.type != "BOOKMARK" and self._take(change.object, deleted=change.type == "DELETED"):
                    self._changed.set()

    def _take(self, pod: Pod, *, deleted: bool) -> bool:
        if self.pod is not None and pod["metadata"]["uid"] != self.pod["metadata"]["uid"]:
            return False
        if deleted:  # what is told of one that was missed in a gap has no status
            self.gone = True
            self.pod = pod if pod.get("status") else self.pod
        else:
            self.pod = pod
        return True
