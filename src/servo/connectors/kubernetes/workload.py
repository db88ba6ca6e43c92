"""The default strategy: a workload is changed itself, and Kubernetes replaces its pods.

Each write is one request that replaces the whole object as it was read, changed fields and record together, with the
version that was read: so it is either there with its record or not at all, and never undoes a change of somebody else
that was made in between; then it is read and decided anew.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from servo.connectors.kubernetes import changes, components, manifests, workloads
from servo.connectors.kubernetes.autoscaling import autoscaler_of
from servo.connectors.kubernetes.configuration import ContainerConfiguration, TargetConfiguration
from servo.connectors.kubernetes.lease import Right
from servo.connectors.kubernetes.manifests import REPLICAS, Fields, Manifest, ManifestError
from servo.connectors.kubernetes.options import AutoscalerMode, FailureMode
from servo.connectors.kubernetes.ownership import changed_by
from servo.connectors.kubernetes.patience import UnfitError, stay_ready, until_ready
from servo.connectors.kubernetes.pods import Fault, is_ready, name_of
from servo.connectors.kubernetes.record import Record, RecordError, Trial
from servo.connectors.kubernetes.target import Attempt, Committed, Request
from servo.connectors.kubernetes.views import WorkloadView, restarts
from servo.connectors.kubernetes.workloads import Look
from servo.connectors.kubernetes.writing import Change, rewrite
from servo.kubernetes import (
    PODS,
    STATEFUL_SETS,
    Client,
    ConflictError,
    InvalidError,
    NotFoundError,
    Resource,
    label_selector,
)
from servo.logging import logger
from servo.types.api import Component

__all__ = ["Workload"]

_LOOKS_TO_RELEASE = 50


class Workload:
    """A workload whose own settings are adjusted.

    Args:
        client: The cluster.
        config: What of it can be adjusted.
        agent: Name of this agent.
        committed: Tells what was accepted elsewhere.

    Attributes:
        right: The right to change it; set by who makes it.
    """

    right: Right

    def __init__(self, client: Client, config: TargetConfiguration, agent: str, committed: Committed) -> None:
        self.client, self.config, self.agent, self._committed = client, config, agent, committed
        self._attempt: Attempt | None = None
        self._written: Manifest | None = None
        self._autoscaler: str | None = None
        self._resource: Resource | None = None

    def owned(self) -> Mapping[str, ContainerConfiguration]:
        """Return its containers by the name of their component."""
        return {self.config.component(each): each for each in self.config.containers}

    async def read(self) -> Manifest:
        """Return its manifest."""
        return await self.client.get(await self.resource(), self.config.name, self.config.namespace)

    async def resource(self) -> Resource:
        """Return its kind as the cluster serves it."""
        if self._resource is None:
            self._resource = await served(self.client, self.config.resource)
        return self._resource

    async def components(self) -> list[Component]:
        """Return what can be adjusted, as it is."""
        workload = await self.read()
        return components.workload_components(self.config, workload, scaled=await self._scaled())

    async def apply(self, request: Request) -> None:
        """Try settings; see ``Target``."""
        attempt = self._attempt = Attempt(request.id)
        wanted = wanted_of(self.config, self.owned(), request)
        scaled = await self._scaled()
        view = await self._view()
        view.forgiven = restarts((await view.look()).pods)
        try:
            self._written = await self._write(
                lambda workload: self._begin(workload, attempt, wanted, scaled=scaled)
            )
        except InvalidError as error:
            attempt.written = False
            raise UnfitError(
                Fault("invalid-setting", f"the cluster does not take the settings: {error}")
            ) from error
        guard = self._guard(scaled=scaled)
        await until_ready(view, self.config.timeout.total_seconds(), guard, request.tell)
        await stay_ready(view, request.settlement, guard, request.tell, scaled=scaled)

    def _begin(self, workload: Manifest, attempt: Attempt, wanted: Fields, *, scaled: bool) -> bool:
        if (fault := workloads.refusal(workload)) is not None:
            raise UnfitError(fault)
        record, live = self._known(workload)
        self._check(wanted, live, scaled=scaled)
        # What a failed trial left, and this one does not name, is as it was accepted.
        base = {
            path: record.accepted[path]
            for path in (record.trial.fields if record.trial else {})
            if path in record.accepted
        }
        fields = {
            path: value
            for path, value in (base | wanted).items()
            if not manifests.same(path, live.get(path), value)
        }
        if not fields and record.trial is None:
            return False
        try:
            manifests.write(workload, fields)
        except ManifestError as error:
            raise UnfitError(Fault("invalid-setting", str(error))) from error
        record.trying(Trial.begun(attempt.id, fields)).put(workload)
        attempt.written = True
        return True

    def _known(self, workload: Manifest) -> tuple[Record, Fields]:
        """Return the record, and the fields as they are; what somebody else has set meanwhile is taken as it is."""
        record, live = self._record(workload), self._live(workload)
        if record is None:
            return Record(self.right.epoch, self.agent, live, live), live
        expected = record.accepted | (record.trial.fields if record.trial else {})
        if foreign := self._foreign(expected, live):
            logger.warning(
                f"{self.config.label}: {', '.join(foreign)} changed since the last adjustment, "
                f"by {changed_by(workload)}; what is there now is the new baseline"
            )
            record = record.overtaken({path: live[path] for path in foreign})
        # Fields that the configuration did not have when the record was begun.
        new = {path: value for path, value in live.items() if path not in record.accepted}
        record = replace(record, baseline=new | record.baseline, accepted=new | record.accepted)
        return self._signed(record), live

    def _signed(self, record: Record) -> Record:
        return replace(record, epoch=self.right.epoch, agent=self.agent)

    def _foreign(self, expected: Fields, live: Fields) -> list[str]:
        differing = manifests.differing(expected, live)
        return [path for path in differing if path != REPLICAS or not self._autoscaler]

    def _check(self, wanted: Fields, live: Fields, *, scaled: bool) -> None:
        trouble = changes.refused(self.config, wanted, live)
        if trouble:
            raise UnfitError(Fault("invalid-setting", trouble))
        if scaled and REPLICAS in wanted and wanted[REPLICAS] != live[REPLICAS]:
            message = (
                f"the replicas of {self.config.label} are set by the autoscaler {self._autoscaler}: "
                "remove it, or configure autoscaler: ignore"
            )
            raise UnfitError(Fault("autoscaled", message))

    def _guard(self, *, scaled: bool) -> Callable[[Look], None]:
        written = self._written
        assert written is not None

        def guard(look: Look) -> None:
            now = look.workload
            if now["metadata"]["uid"] != written["metadata"]["uid"]:
                what = "was deleted and made anew"
            elif now["spec"]["template"] != written["spec"]["template"]:
                what = "has another pod template"
            elif not scaled and now["spec"].get("replicas") != written["spec"].get("replicas"):
                what = f"has {now['spec'].get('replicas')} replicas"
            else:
                return
            message = f"{self.config.label} {what}, by {changed_by(now)}, while it was being adjusted"
            raise UnfitError(Fault("target-changed", message, status="failed"))

        return guard

    async def commit(self) -> None:
        """Accept what was tried."""
        attempt, self._attempt = self._attempt, None
        if attempt is None or not attempt.written:
            return

        def accept(workload: Manifest) -> bool:
            record = self._record(workload)
            if record is None or record.trial is None or record.trial.id != attempt.id:
                return False
            record.committed().put(workload)
            return True

        await self._write(accept)

    async def revert(self, mode: FailureMode) -> None:
        """Take back what was tried, or deal with it as configured."""
        attempt = self._attempt
        if attempt is None or not attempt.written:
            return
        await self._write(lambda workload: self._take_back(workload, attempt.id, mode))
        self._attempt = None
        await self._release()
        if mode is FailureMode.rollback:
            await self._until_restored()

    async def withdraw(self) -> None:
        """Take back what was tried, without waiting."""
        attempt, self._attempt = self._attempt, None
        if attempt is not None and attempt.written:
            await self._write(lambda workload: self._take_back(workload, attempt.id, FailureMode.rollback))
            await self._release()

    def _take_back(self, workload: Manifest, trial: str, mode: FailureMode) -> bool:
        record = self._record(workload)
        if record is None or record.trial is None or record.trial.id != trial:
            return False
        if mode in {FailureMode.exception, FailureMode.ignore}:
            record.left().put(workload)
            return True
        self._restore(workload, record)
        record = record.reverted()
        if mode is FailureMode.shutdown:
            manifests.write(workload, {REPLICAS: 0})
            stopped = Trial.begun(trial, {REPLICAS: 0})
            record = record.trying(stopped).left()
        record.put(workload)
        return True

    def _restore(self, workload: Manifest, record: Record) -> None:
        """Set what the trial has set to what it was before; what somebody else has set since stays."""
        assert record.trial is not None
        live, tried = self._live(workload), record.trial.fields
        mine = {
            path
            for path in tried
            if path in live and path in record.accepted and manifests.same(path, live[path], tried[path])
        }
        if others := sorted(set(tried) - mine):
            logger.warning(
                f"{self.config.label}: {', '.join(others)} stay as {changed_by(workload)} has set them"
            )
        manifests.write(workload, {path: record.accepted[path] for path in mine})

    async def _until_restored(self) -> None:
        view = await self._view()
        view.forgiven = restarts((await view.look()).pods)
        try:
            await until_ready(view, self.config.timeout.total_seconds(), lambda _: None, lambda *_: None)
        except UnfitError as error:
            message = (
                f"{self.config.label} has its settings of before, and is not ready with them either: {error}"
            )
            raise UnfitError(
                Fault("restore-failed", message, error.fault.pod, error.fault.container, "failed")
            ) from error

    async def recover(self) -> None:
        """Put in order what an agent before has left, and fence it off."""
        record = self._record(await self.read())
        done = False
        if record is not None and record.trial is not None and record.unfinished:
            done = await self._committed(record.trial.id)

        def mend(workload: Manifest) -> bool:
            record, live = self._record(workload), self._live(workload)
            if record is None:
                if self.right.epoch <= 1:
                    return False  # there was no agent before
                Record(self.right.epoch, self.agent, live, live).put(workload)
                return True
            if record.trial is not None and record.unfinished:
                verb = "accepted, as it was elsewhere" if done else "taken back"
                logger.warning(
                    f"{self.config.label}: the adjustment that {record.agent} began at {record.trial.since} and did not finish is {verb}"
                )
                if not done:
                    self._restore(workload, record)
                record = record.committed() if done else record.reverted()
            elif record.epoch == self.right.epoch:
                return False
            self._signed(record).put(workload)
            return True

        await self._write(mend)
        if record is not None and record.unfinished and not done:
            await self._release()

    async def _release(self) -> None:
        """Delete pods that keep a stateful set from being taken back.

        Its controller waits until a pod is ready before it replaces it, also one that never will be
        (https://github.com/kubernetes/kubernetes/issues/67250).
        """
        if self.config.resource is not STATEFUL_SETS:
            return
        view = await self._view()
        look = await view.look()
        for _ in range(_LOOKS_TO_RELEASE):
            if not workloads.is_behind(look.workload):
                break
            await asyncio.sleep(0.1)
            look = await view.look()
        newest = workloads.newest_pods(look)
        for pod in look.pods:
            if pod not in newest and not is_ready(pod):
                self.right.check()
                with contextlib.suppress(NotFoundError, ConflictError):
                    await self.client.delete(
                        PODS, name_of(pod), self.config.namespace, uid=pod["metadata"]["uid"]
                    )

    async def ensure(self) -> None:
        """Do nothing: it is there."""

    async def leave(self) -> None:
        """Take back what is being tried."""
        await self.withdraw()

    async def accepted(self, trial: str) -> bool:
        """Return whether a trial was accepted here."""
        try:
            record = self._record(await self.read(), fenced=False)
        except NotFoundError:
            return False
        return record is not None and record.accepted_id == trial

    def _live(self, workload: Manifest) -> Fields:
        return manifests.read(workload, changes.paths_of(self.config, replicas=True))

    def _record(self, workload: Manifest, *, fenced: bool = True) -> Record | None:
        try:
            record = Record.of(workload)
        except RecordError as error:
            logger.warning(f"{self.config.label}: its annotation is ignored: {error}")
            return None
        if fenced and record is not None:
            self.right.meet(record.epoch, record.agent)
        return record

    async def _scaled(self) -> bool:
        """Whether an autoscaler sets the replicas, and is to be heeded."""
        self._autoscaler = await autoscaler_of(self.client, self.config)
        return self._autoscaler is not None and self.config.autoscaler is AutoscalerMode.refuse

    async def _view(self) -> WorkloadView:
        workload = await self.read()
        chosen = label_selector(workload["spec"].get("selector"))
        return WorkloadView(
            self.client, await self.resource(), self.config.name, self.config.namespace, chosen
        )

    async def _write(self, change: Change) -> Manifest:
        """Read, change and replace; anew if somebody was faster, or the cluster did not answer."""
        return await rewrite(
            self.client,
            await self.resource(),
            self.config.name,
            self.config.namespace,
            change,
            before=self.right.check,
        )


def wanted_of(
    config: TargetConfiguration, owned: Mapping[str, ContainerConfiguration], request: Request
) -> Fields:
    """Return the fields that a request asks for.

    Raises:
        UnfitError: It asks for what cannot be.
    """
    try:
        return changes.fields_of(config, owned, request.adjustments)
    except ValueError as error:
        raise UnfitError(Fault("invalid-setting", str(error))) from error


async def served(client: Client, resource: Resource) -> Resource:
    """Return a kind in the version that the cluster serves; those of Kubernetes itself are as they are.

    Raises:
        UnfitError: It does not serve it.
    """
    if resource.group in {"", "apps"}:
        return resource
    found = await client.find(resource.group, resource.plural)
    if found is None:
        message = f"the cluster has no {resource.plural}.{resource.group}: install what brings them"
        raise UnfitError(Fault("target-missing", message, status="failed"))
    return found
