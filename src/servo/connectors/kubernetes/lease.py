"""Which agent a target belongs to: a Lease of Kubernetes for each, with an epoch that fences off the agents before.

The agent that holds the Lease renews it three times in its duration. One that cannot, e.g. as the network is gone,
counts itself out after two thirds of it: earlier than another may take over. Whether another's Lease has run out
is judged by whether it changes, over its whole duration by our own clock; the clocks of two machines need not agree.

An agent that stood still (a suspended machine) may believe that it holds what another has taken over since. So each
takeover raises the epoch, and the new holder writes it at the target before anything else: a write of the old one,
which names the version that it read, is then refused by the server, and what it reads next has the higher epoch.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4

from servo.connectors.kubernetes.manifests import Manifest
from servo.kubernetes import LEASES, Client, KubernetesError, NotFoundError
from servo.logging import logger

__all__ = [
    "MANAGED_BY",
    "TARGET",
    "Lease",
    "LeaseHeldError",
    "LeaseLostError",
    "NoLease",
    "Right",
    "agent_name",
    "lease_name",
]

MANAGED_BY = {"app.kubernetes.io/managed-by": "servo"}
TARGET = "servo.trimtab/target"
"""Annotation of a Lease: kind and name of the target it is about."""

_PAUSE = 1.0


class LeaseLostError(RuntimeError):
    """The target belongs to another agent, or to none for all we know."""


class LeaseHeldError(RuntimeError):
    """Another agent has the target."""


def agent_name() -> str:
    """Return a name that no other process has."""
    return f"{os.environ.get('POD_NAME') or socket.gethostname()}_{uuid4().hex[:8]}"


def lease_name(kind: str, name: str) -> str:
    """Return the name of the Lease of a target."""
    return f"servo-{kind.lower()}-{name}"[:253]


class Right(Protocol):
    """The right to change a target."""

    epoch: int

    def meet(self, epoch: int, agent: str) -> None:
        """Take note of the epoch at a target; raise ``LeaseLostError`` if another agent has come after this one."""

    def check(self) -> None:
        """Pass if it is ours; raise ``LeaseLostError`` otherwise."""

    def start(self) -> None:
        """Take it as soon as it is free, and keep it."""

    async def held(self, timeout: float) -> None:  # noqa: ASYNC109 - as long as the caller likes
        """Wait until it is ours; raise ``LeaseHeldError`` if that takes longer."""

    async def lost(self) -> None:
        """Wait until it is no longer ours."""

    async def stop(self) -> None:
        """Let go of it."""


class NoLease:
    """The right to change a target where nothing keeps two agents apart.

    Args:
        on_taken: Called before the target is changed for the first time.
    """

    def __init__(self, on_taken: Callable[[], Awaitable[None]]) -> None:
        self.epoch = 0
        self._on_taken: Callable[[], Awaitable[None]] | None = on_taken

    def meet(self, epoch: int, agent: str) -> None:
        """Go on with the highest epoch that there was."""
        self.epoch = max(self.epoch, epoch)

    def check(self) -> None:
        """Pass."""

    def start(self) -> None:
        """Do nothing."""

    async def held(self, timeout: float) -> None:  # noqa: ASYNC109 - as a lease
        """Have the target put in order, once."""
        if self._on_taken is not None:
            await self._on_taken()
            self._on_taken = None

    async def lost(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class _Seen:
    version: str
    at: float


class Lease:
    """The right to change a target, as long as it lasts.

    Args:
        client: The cluster.
        namespace: That of the target.
        target: Its kind and name.
        agent: Name of this agent.
        duration: Seconds after which another agent may take over.
        owners: Returns whom the Lease goes with.
        on_taken: Called when it was taken, before anybody is told.
    """

    def __init__(
        self,
        client: Client,
        namespace: str,
        target: tuple[str, str],
        *,
        agent: str,
        duration: float,
        owners: Callable[[], Awaitable[list[Manifest]]],
        on_taken: Callable[[], Awaitable[None]],
    ) -> None:
        self.namespace, self.target, self.agent, self.duration = namespace, target, agent, duration
        self.name = lease_name(*target)
        self.epoch = 0
        self._least_epoch = 0
        self._client, self._owners, self._on_taken = client, owners, on_taken
        self._until = 0.0
        self._usable = asyncio.Event()
        self._lost = asyncio.Event()
        self._news = asyncio.Event()
        self._refusal: Exception | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._trouble: str | None = None

    @property
    def valid(self) -> bool:
        """Whether it is ours for certain."""
        return time.monotonic() < self._until

    def meet(self, epoch: int, agent: str) -> None:
        """Take note of the epoch at a target.

        Raises:
            LeaseLostError: It is that of an agent that came after this one.
        """
        if epoch > self.epoch:
            self._least_epoch = epoch
            raise LeaseLostError(f"the agent {agent} has taken over")

    def check(self) -> None:
        """Pass if it is ours.

        Raises:
            LeaseLostError: It is not, for all we know.
        """
        if not self.valid:
            raise LeaseLostError(f"the lease {self.namespace}/{self.name} could not be renewed in time")

    def start(self) -> None:
        """Take it as soon as it is free, and keep it."""
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())

    async def held(self, timeout: float) -> None:  # noqa: ASYNC109 - as long as the caller likes
        """Wait until it is ours, and the target in order.

        Raises:
            LeaseHeldError: It is not, in so many seconds.
            Exception: Why it cannot be had, or the target not be put in order, however long one waits.
        """
        self.start()
        try:
            async with asyncio.timeout(timeout):
                while not self._usable.is_set():
                    if self._refusal is not None:
                        raise self._refusal
                    await self._news.wait()
                    self._news.clear()
        except TimeoutError:
            why = self._trouble or "it does not become free"
            raise LeaseHeldError(f"the lease {self.namespace}/{self.name} cannot be had: {why}") from None

    async def lost(self) -> None:
        """Wait until it is no longer ours."""
        while self._usable.is_set():
            await self._lost.wait()

    async def stop(self) -> None:
        """Let go of it, so that another agent need not wait."""
        keeper, self._keeper = self._keeper, None
        held = self.valid
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        if held:
            try:
                async with asyncio.timeout(5.0):
                    await self._release()
            except (KubernetesError, TimeoutError) as error:
                logger.warning(f"the lease {self.namespace}/{self.name} was not released: {error}")

    async def _keep(self) -> None:
        seen: _Seen | None = None
        while True:
            try:
                seen = await self._take(seen)
                if self.valid:
                    await self._on_taken()
                    self._tell()
                    await self._renew()
            except (LeaseLostError, OSError) as error:
                self._complain(str(error))
            except Exception as error:  # noqa: BLE001 - a defect must not leave the target to nobody for ever
                transient = isinstance(error, KubernetesError) and error.transient
                self._refusal = None if transient else error
                self._complain(str(error) or repr(error))
            finally:
                self._lose()
            await asyncio.sleep(min(_PAUSE, self.duration / 6))

    def _tell(self) -> None:
        self.check()
        self._trouble = self._refusal = None
        self._lost.clear()
        self._usable.set()
        self._news.set()

    def _lose(self) -> None:
        self._until = 0.0
        self._usable.clear()
        self._lost.set()
        self._news.set()

    def _complain(self, text: str) -> None:
        if text != self._trouble:
            logger.warning(f"{self.target[0]} {self.namespace}/{self.target[1]}: {text}")
        self._trouble = text

    async def _take(self, seen: _Seen | None) -> _Seen:
        """Take it if it is free; return what was seen of it otherwise."""
        asked = time.monotonic()
        try:
            found = await self._client.get(LEASES, self.name, self.namespace)
        except NotFoundError:
            found = None
        version = found["metadata"]["resourceVersion"] if found else ""
        if found is None or found["spec"].get("holderIdentity") in {None, "", self.agent}:
            return await self._write(found, asked)
        if seen is None or seen.version != version:
            holder = found["spec"]["holderIdentity"]
            self._complain(f"another agent has it: {holder}")
            return _Seen(version, asked)
        if asked - seen.at > float(found["spec"].get("leaseDurationSeconds") or self.duration):
            return await self._write(found, asked)
        return seen

    async def _write(self, found: Manifest | None, asked: float) -> _Seen:
        before = int((found or {}).get("spec", {}).get("leaseTransitions") or 0)
        epoch = max(before, self._least_epoch) + 1
        body = self._body(epoch)
        body["metadata"]["ownerReferences"] = await self._owners()
        if found is None:
            written = await self._client.create(LEASES, body, self.namespace)
        else:
            body["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
            written = await self._client.replace(LEASES, body, self.namespace)
        self.epoch = epoch
        self._until = asked + self.duration * 2 / 3
        return _Seen(written["metadata"]["resourceVersion"], asked)

    def _body(self, epoch: int) -> Manifest:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": MANAGED_BY,
                "annotations": {TARGET: "/".join(self.target)},
            },
            "spec": {
                "holderIdentity": self.agent,
                "leaseDurationSeconds": max(1, round(self.duration)),
                "leaseTransitions": epoch,
                "acquireTime": now,
                "renewTime": now,
            },
        }

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.duration / 3)
            while True:
                asked = time.monotonic()
                try:
                    async with asyncio.timeout(max(self._until - asked, 0.001)):
                        await self._renew_once()
                except NotFoundError:
                    raise LeaseLostError("somebody deleted the lease") from None
                except (KubernetesError, OSError, TimeoutError) as error:
                    if not self.valid:
                        raise LeaseLostError(f"the lease could not be renewed in time: {error}") from None
                    await asyncio.sleep(self.duration / 20)
                    continue
                self._until = asked + self.duration * 2 / 3
                break

    async def _renew_once(self) -> None:
        found: dict[str, Any] = await self._client.get(LEASES, self.name, self.namespace)
        spec = found["spec"]
        if spec.get("holderIdentity") != self.agent or spec.get("leaseTransitions") != self.epoch:
            raise LeaseLostError(f"{spec.get('holderIdentity') or 'somebody'} took the lease")
        spec["renewTime"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        await self._client.replace(LEASES, found, self.namespace)

    async def _release(self) -> None:
        found = await self._client.get(LEASES, self.name, self.namespace)
        if found["spec"].get("holderIdentity") == self.agent:
            found["spec"]["holderIdentity"] = ""
            await self._client.replace(LEASES, found, self.namespace)
