"""Answers events with workloads of a cluster."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from servo.connector import BaseConnector, metadata
from servo.connectors.kubernetes.adjusting import Adjusting, Part, fault_of
from servo.connectors.kubernetes.checks import KubernetesChecks
from servo.connectors.kubernetes.configuration import KubernetesConfiguration, TargetConfiguration
from servo.connectors.kubernetes.lease import Lease, LeaseHeldError, LeaseLostError, NoLease, agent_name
from servo.connectors.kubernetes.manifests import ManifestError
from servo.connectors.kubernetes.patience import UnfitError
from servo.connectors.kubernetes.target import Target
from servo.connectors.kubernetes.tuning import TuningPod
from servo.connectors.kubernetes.workload import Workload
from servo.connectors.kubernetes.writing import answered
from servo.errors import EventError, MeasurementFailedError
from servo.events import before_event, on_event
from servo.kubernetes import Client, KubernetesError, owner_reference
from servo.logging import logger
from servo.types.api import Adjustment, Component, Control, Description
from servo.types.checks import Check, CheckFilter
from servo.types.core import ErrorSeverity, License, Maturity

_Failures = (UnfitError, KubernetesError, LeaseHeldError, LeaseLostError, ManifestError)
_SECONDS_TO_GREET = 5.0
_SECONDS_TO_LEAVE = 40.0


@metadata(
    description="Adjusts cpu, memory, replicas and environment of workloads in a Kubernetes cluster",
    version="0.1.0",
    license=License.apache2,
    maturity=Maturity.experimental,
)
class KubernetesConnector(BaseConnector):
    """Adjusts workloads; whatever dies, they are as before or as an adjustment was accepted."""

    config: KubernetesConfiguration

    _clients: dict[tuple[Path | None, str | None], Client] = PrivateAttr(default_factory=dict)
    _made: list[Target] | None = PrivateAttr(default=None)
    _running: bool = PrivateAttr(default=False)
    _turn: asyncio.Lock = PrivateAttr(default_factory=asyncio.Lock)
    _adjusting: asyncio.Task[None] | None = PrivateAttr(default=None)

    def client(self, config: TargetConfiguration | KubernetesConfiguration) -> Client:
        """Return the client of a target's cluster.

        Raises:
            ConfigurationError: No cluster is named, or what names it cannot be used.
        """
        key = (config.kubeconfig, config.context)
        if key not in self._clients:
            self._clients[key] = Client.open(*key)
        return self._clients[key]

    @property
    def targets(self) -> list[Target]:
        """What is adjusted."""
        if self._made is None:
            agent = agent_name()
            self._made = [self._target(config, agent) for config in self.config.targets]
        return self._made

    def _target(self, config: TargetConfiguration, agent: str) -> Target:
        client = self.client(config)
        kind = TuningPod if config.canary else Workload
        target = kind(client, config, agent, self._accepted)
        if self.config.lease is None:
            target.right = NoLease(target.recover)
            return target

        async def owners() -> list[dict[str, Any]]:
            # It goes with the target: who comes after must find the epoch as long as there is a target.
            return [owner_reference(await target.read())]

        target.right = Lease(
            client,
            config.namespace,
            (config.resource.kind, config.name),
            agent=agent,
            duration=self.config.lease.total_seconds(),
            owners=owners,
            on_taken=target.recover,
        )
        return target

    async def _accepted(self, trial: str) -> bool:
        found = await asyncio.gather(*(target.accepted(trial) for target in self.targets))
        return any(found)

    @on_event()
    async def attach(self, servo_: Any) -> None:
        """Tell the optimizer which cluster this is."""
        self.telemetry[f"{self.name}.namespace"] = self.config.namespace
        try:
            async with asyncio.timeout(_SECONDS_TO_GREET):
                found = await self.client(self.config).request("GET", "/version")
        except (KubernetesError, TimeoutError) as error:
            logger.warning("the cluster does not answer: {}", error or "it is slow")
            return
        self.telemetry[f"{self.name}.version"] = f"{found.get('major')}.{found.get('minor')}"
        self.telemetry[f"{self.name}.platform"] = str(found.get("platform"))

    @on_event()
    async def startup(self) -> None:
        """Take the targets, and put in order what an agent before has left."""
        self._running = True
        for target in self.targets:
            target.right.start()

    @on_event()
    async def shutdown(self) -> None:
        """Break off what is being tried, remove tuning pods, and let go of the targets."""
        self._running = False
        if self._adjusting is not None:
            self._adjusting.cancel()
            await asyncio.gather(self._adjusting, return_exceptions=True)
        await asyncio.gather(*(self._leave(target) for target in self._made or ()))

    async def _leave(self, target: Target) -> None:
        try:
            async with asyncio.timeout(_SECONDS_TO_LEAVE):
                target.right.check()
                await target.leave()
        except (*_Failures, TimeoutError) as error:
            logger.warning("{}: {}", target.config.label, error or "the cluster is slow")
        await target.right.stop()

    @on_event()
    async def detach(self, servo_: Any) -> None:
        """Let go of the targets and of the cluster."""
        # Taken before the first pause: who made this connector may detach it at the same time.
        made, self._made = self._made, None
        clients, self._clients = self._clients, {}
        for target in made or ():
            await target.right.stop()
        for client in clients.values():
            await client.aclose()
        for key in ("namespace", "version", "platform"):
            self.telemetry.remove(f"{self.name}.{key}")

    @on_event()
    async def components(self) -> list[Component]:
        """What can be adjusted, as it is."""
        return await self._components()

    async def _components(self, *, adjusted: bool = False) -> list[Component]:
        """The same; after an adjustment, that it is done is told as soon as the cluster answers again."""
        asked = (answered(target.components) if adjusted else target.components() for target in self.targets)
        try:
            found = await asyncio.gather(*asked)
        except _Failures as error:
            fault = fault_of(error)
            raise EventError(fault.message, reason=fault.reason, connector=self) from error
        return [component for components in found for component in components]

    @on_event()
    async def describe(self, control: Control = Control()) -> Description:  # noqa: B008 - the event's signature
        """What can be adjusted, as it is; a servo that runs has its tuning pods."""
        if self._running:
            await self._ensure(EventError)
        return Description(components=await self.components(), metrics=[])

    @before_event("measure")
    async def ensure_measurable(
        self,
        *,
        metrics: list[str] | None = None,
        control: Control = Control(),  # noqa: B008 - the event's signature
    ) -> None:
        """Have the tuning pods."""
        await self._ensure(MeasurementFailedError)

    async def _ensure(self, kind: type[EventError]) -> None:
        try:
            async with self._turn:
                await asyncio.gather(*(self._ensure_one(each) for each in self.targets if each.config.canary))
        except _Failures as error:
            fault = fault_of(error)
            raise kind(fault.message, reason=fault.reason, connector=self) from error

    async def _ensure_one(self, target: Target) -> None:
        await target.right.held(self._wait)
        await target.ensure()

    @property
    def _wait(self) -> float:
        # The lease of an agent that was killed runs out first.
        return 0.0 if self.config.lease is None else 2 * self.config.lease.total_seconds() + _SECONDS_TO_GREET

    @on_event()
    async def adjust(
        self,
        adjustments: list[Adjustment],
        control: Control = Control(),  # noqa: B008 - the event's signature
    ) -> Description:
        """Give targets other settings, and wait until they have settled."""
        if parts := self._parts(adjustments):
            settlement = None if control.settlement is None else control.settlement.total_seconds()
            async with self._turn:
                # A task of its own, so that a shutdown can break it off whoever waits for it.
                self._adjusting = asyncio.create_task(Adjusting(self._wait)(parts, settlement))
                try:
                    await self._adjusting
                except asyncio.CancelledError:
                    await self._break_off()
                    raise
                finally:
                    self._adjusting = None
        return Description(components=await self._components(adjusted=True), metrics=[])

    async def _break_off(self) -> None:
        if (task := self._adjusting) is not None:
            task.cancel()
            while not task.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([task])

    def _parts(self, adjustments: Iterable[Adjustment]) -> list[Part]:
        parts: dict[int, Part] = {}
        for each in adjustments:
            owner = next((target for target in self.targets if each.component_name in target.owned()), None)
            if owner is None:
                logger.debug("{} is of no component of this connector that can be adjusted", each)
                continue
            _, _, own = parts.setdefault(id(owner), (owner, self.client(owner.config), []))
            own.append(each)
        return list(parts.values())

    @on_event()
    async def check(
        self, matching: CheckFilter | None, halt_on: ErrorSeverity | None = ErrorSeverity.critical
    ) -> list[Check]:
        """Verify that the targets can be adjusted."""
        return await KubernetesChecks(config=self.config, client=self.client).run_all(matching, halt_on)
