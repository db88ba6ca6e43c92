"""The canary strategy: one more pod like those of a workload, which is adjusted; the workload is left alone.

The pod says of itself what was accepted and what is being tried, from the request on that makes it. It goes with its
owner if nobody removes it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from servo.connectors.kubernetes import changes, components, manifests, tuning_pods, workloads
from servo.connectors.kubernetes.configuration import ContainerConfiguration, TargetConfiguration
from servo.connectors.kubernetes.lease import Right
from servo.connectors.kubernetes.manifests import REPLICAS, Fields, Manifest, ManifestError
from servo.connectors.kubernetes.options import FailureMode, ResizeMode
from servo.connectors.kubernetes.ownership import owner_of
from servo.connectors.kubernetes.patience import UnfitError, stay_ready, until_ready
from servo.connectors.kubernetes.pods import Fault
from servo.connectors.kubernetes.record import Record, RecordError, Trial
from servo.connectors.kubernetes.resizing import resize
from servo.connectors.kubernetes.target import Attempt, Committed, Request
from servo.connectors.kubernetes.views import PodView, restarts
from servo.connectors.kubernetes.workload import served, wanted_of
from servo.connectors.kubernetes.workloads import Look
from servo.connectors.kubernetes.writing import SECONDS_TO_WRITE
from servo.kubernetes import (
    PODS,
    AlreadyExistsError,
    Client,
    ConflictError,
    InvalidError,
    KubernetesError,
    NotFoundError,
)
from servo.logging import logger
from servo.types.api import Component

__all__ = ["TuningPod"]


class TuningPod:
    """The tuning pod of a workload.

    Args:
        client: The cluster.
        config: The workload, and what of its containers can be adjusted.
        agent: Name of this agent.
        committed: Tells what was accepted elsewhere.

    Attributes:
        right: The right to change it; set by who makes it.
    """

    right: Right

    def __init__(self, client: Client, config: TargetConfiguration, agent: str, committed: Committed) -> None:
        self.client, self.config, self.agent, self._committed = client, config, agent, committed
        self.name = tuning_pods.tuning_name(config)
        self._attempt: Attempt | None = None
        self._forgiven: dict[tuple[str, str], int] = {}

    def owned(self) -> Mapping[str, ContainerConfiguration]:
        """Return its containers by the name of their component."""
        return {self.config.tuning_component(each): each for each in self.config.containers}

    async def read(self) -> Manifest:
        """Return the manifest of the workload."""
        resource = await served(self.client, self.config.resource)
        return await self.client.get(resource, self.config.name, self.config.namespace)

    async def pod(self) -> Manifest | None:
        """Return the manifest of the pod; None if there is none.

        Raises:
            UnfitError: Somebody else has a pod of its name.
        """
        try:
            found = await self.client.get(PODS, self.name, self.config.namespace)
        except NotFoundError:
            return None
        if not tuning_pods.is_tuning_pod(found):
            message = f"pod {self.config.namespace}/{self.name} is none of ours: it has not the label opsani_role=tuning"
            raise UnfitError(Fault("name-taken", message, status="failed"))
        return found

    async def components(self) -> list[Component]:
        """Return the workload as it is, and its tuning pod."""
        workload, pod = await self.read(), await self.pod()
        alive = pod is not None and not pod["metadata"].get("deletionTimestamp")
        shown = (
            pod if pod is not None and alive else self._made(workload, self._initial(workload), Record(), [])
        )
        return [
            *components.main_components(self.config, workload),
            *components.tuning_components(self.config, shown, exists=alive),
        ]

    async def apply(self, request: Request) -> None:
        """Try settings; see ``Target``."""
        attempt = self._attempt = Attempt(request.id)
        wanted = wanted_of(self.config, self.owned(), request)
        if (count := wanted.pop(REPLICAS, 1)) != 1:
            logger.warning(f"the tuning pod {self.name} is one pod: {count} replicas are ignored")
        workload, pod = await self.read(), await self.pod()
        record = self._known(workload, pod)
        if trouble := changes.refused(self.config, wanted, record.accepted):
            raise UnfitError(Fault("invalid-setting", trouble))
        fields = record.accepted | wanted
        record = record.trying(Trial.begun(attempt.id, fields))
        await self._become(workload, pod, fields, record, attempt)
        await self._ready(request)
        await stay_ready(self._view(), request.settlement, self._guard, request.tell, scaled=False)

    def _known(self, workload: Manifest, pod: Manifest | None) -> Record:
        initial = self._initial(workload)
        record = None if pod is None else self._record(pod)
        if record is None:
            accepted = initial if pod is None else initial | manifests.read(pod, self._paths)
            return Record(self.right.epoch, self.agent, initial, accepted)
        return replace(
            record,
            epoch=self.right.epoch,
            agent=self.agent,
            baseline=initial,
            accepted=initial | record.accepted,
        )

    async def _ready(self, request: Request) -> Look:
        return await until_ready(self._view(), self.config.timeout.total_seconds(), self._guard, request.tell)

    async def _become(
        self,
        workload: Manifest,
        pod: Manifest | None,
        fields: Fields,
        record: Record,
        attempt: Attempt | None = None,
    ) -> None:
        """Have the pod be like that: left, resized or made anew, whichever is least."""
        self._forgiven = {}
        desired = self._made(
            workload, fields, record, await owner_of(self.client, self.config.namespace, workload)
        )
        alive = pod if pod is not None and not pod["metadata"].get("deletionTimestamp") else None
        if alive is not None and tuning_pods.only_resources(alive, desired):
            if self._is_like(alive, fields) and alive.get("status", {}).get("phase") == "Running":
                await self._note(alive, record, attempt)
                return
            if await self._resized(alive, desired, record, attempt):
                return
        await self._rehearse(desired)
        if attempt is not None:
            attempt.written = True
        if pod is not None:
            await self._delete(pod)
        await self._create(desired)
        logger.info(
            f"the tuning pod {self.name} was made anew" if pod else f"the tuning pod {self.name} was made"
        )

    def _is_like(self, pod: Manifest, fields: Fields) -> bool:
        record = self._record(pod)
        made_of = {} if record is None else record.trial.fields if record.trial else record.accepted
        # What the cluster fills in where nothing was said is no difference.
        said = {path: value for path, value in fields.items() if value is not None}
        live = manifests.read(pod, self._paths)
        return (
            fields.keys() <= made_of.keys()
            and not manifests.differing(fields, made_of)
            and not manifests.differing(said, live)
        )

    async def _note(self, pod: Manifest, record: Record, attempt: Attempt | None) -> None:
        """Write the record at a pod that stays."""
        self._forgiven = restarts([pod])
        if attempt is not None:
            attempt.written = True
        await self._annotate(record)
        logger.info(f"the tuning pod {self.name} is as it shall be, and stays")

    async def _resized(
        self, pod: Manifest, desired: Manifest, record: Record, attempt: Attempt | None
    ) -> bool:
        if self.config.resize is ResizeMode.never or not await self.client.has_subresource(PODS, "resize"):
            return False
        body = tuning_pods.resize_body(pod, desired, [each.name for each in self.config.containers])
        if body is None:
            return False
        await self._note(pod, record, attempt)
        self.right.check()
        return await resize(self.client, pod, body, self.config.timeout.total_seconds())

    async def _rehearse(self, desired: Manifest) -> None:
        """Ask the cluster whether it would take the pod, before the one that is there goes."""
        rehearsed = {**desired, "metadata": {**desired["metadata"], "name": f"{self.name}-rehearsal"[:253]}}
        try:
            await self.client.create(PODS, rehearsed, self.config.namespace, dry_run=True)
        except InvalidError as error:
            raise UnfitError(
                Fault("invalid-setting", f"the cluster does not take the settings: {error}")
            ) from error
        except KubernetesError:
            pass  # a quota counts the pod that is about to go; the creation tells

    async def _create(self, desired: Manifest) -> None:
        until = time.monotonic() + SECONDS_TO_WRITE
        while True:
            self.right.check()
            try:
                await self.client.create(PODS, desired, self.config.namespace)
            except AlreadyExistsError:
                # Ours, if only the answer was lost; else an agent that this one has taken over from was late.
                found = await self.pod()
                if found is not None and Record.of(found) == Record.of(desired):
                    return
                if found is not None:
                    await self._delete(found)
            except KubernetesError as error:
                if not error.transient or time.monotonic() > until:
                    raise
                await asyncio.sleep(0.5)
            else:
                return

    async def _delete(self, pod: Manifest) -> None:
        """Delete the pod, and wait until it is gone."""
        self.right.check()
        uid = pod["metadata"]["uid"]
        limit = self.config.timeout.total_seconds()
        until = time.monotonic() + limit
        asked = bool(pod["metadata"].get("deletionTimestamp"))
        async with self._view().watching() as wake:
            while True:
                try:
                    if not asked:
                        await self.client.delete(PODS, self.name, self.config.namespace, uid=uid)
                        asked = True
                    found = await self.client.get(PODS, self.name, self.config.namespace)
                    if found["metadata"]["uid"] != uid:
                        return
                except (NotFoundError, ConflictError):
                    return
                except KubernetesError as error:
                    if not error.transient:
                        raise
                if time.monotonic() > until:
                    message = f"the tuning pod {self.name} does not go away within {limit:g} s"
                    raise UnfitError(Fault("start-failed", message, status="failed"))
                await wake.wait(1.0)

    async def _annotate(self, record: Record) -> None:
        """Write the record at the pod, if it is there."""
        until = time.monotonic() + SECONDS_TO_WRITE
        while True:
            try:
                pod = await self.pod()
                if pod is None or self._record(pod) == record:
                    return
                version = pod["metadata"]["resourceVersion"]
                changed: Manifest = {"metadata": {}}
                record.put(changed)
                changed["metadata"]["resourceVersion"] = version
                self.right.check()
                await self.client.patch(PODS, self.name, changed, self.config.namespace, kind="merge")
            except ConflictError:
                continue
            except KubernetesError as error:
                if not error.transient or time.monotonic() > until:
                    raise
                await asyncio.sleep(0.5)
            else:
                return

    async def commit(self) -> None:
        """Accept what was tried."""
        attempt, self._attempt = self._attempt, None
        pod = await self.pod()
        record = None if pod is None else self._record(pod)
        if attempt is None or record is None or record.trial is None or record.trial.id != attempt.id:
            return
        await self._annotate(record.committed())

    async def revert(self, mode: FailureMode) -> None:
        """Take back what was tried, or deal with it as configured."""
        attempt, self._attempt = self._attempt, None
        if attempt is None or not attempt.written:
            return
        workload, pod = await self.read(), await self.pod()
        record = self._known(workload, pod)
        if mode in {FailureMode.exception, FailureMode.ignore}:
            await self._annotate(record.left())
            return
        if mode is FailureMode.shutdown:
            record = replace(record, accepted=record.baseline, accepted_id="")
        await self._become(workload, pod, record.accepted, record.reverted())
        await self._until_restored()

    async def withdraw(self) -> None:
        """Take back what was tried, without waiting until it is ready."""
        attempt, self._attempt = self._attempt, None
        if attempt is not None and attempt.written:
            await self._restore(await self.pod())

    async def _restore(self, pod: Manifest | None) -> None:
        workload = await self.read()
        record = self._known(workload, pod)
        await self._become(workload, pod, record.accepted, record.reverted())

    async def _until_restored(self) -> None:
        try:
            await until_ready(self._view(), self.config.timeout.total_seconds(), self._guard, lambda *_: None)
        except UnfitError as error:
            message = f"the tuning pod {self.name} has its settings of before, and is not ready with them either: {error}"
            raise UnfitError(
                Fault("restore-failed", message, error.fault.pod, error.fault.container, "failed")
            ) from error

    async def recover(self) -> None:
        """Put in order what an agent before has left."""
        try:
            pod = await self.pod()
        except UnfitError:
            return  # somebody else's; who wants to adjust or measure is told
        record = None if pod is None else self._record(pod)
        if pod is None or record is None:
            return
        if not record.unfinished or record.trial is None:
            await self._annotate(replace(record, epoch=self.right.epoch, agent=self.agent))
            return
        done = await self._committed(record.trial.id)
        verb = "accepted, as it was elsewhere" if done else "taken back"
        logger.warning(
            f"the tuning pod {self.name}: the adjustment that {record.agent} began at {record.trial.since} and did not finish is {verb}"
        )
        if done:
            await self._annotate(replace(record.committed(), epoch=self.right.epoch, agent=self.agent))
        else:
            await self._restore(pod)

    async def ensure(self) -> None:
        """Have a tuning pod that is ready.

        Raises:
            UnfitError: It does not get ready.
        """
        pod = await self.pod()
        if pod is None or await self._is_outdated(pod):
            await self._restore(pod)
        await until_ready(self._view(), self.config.timeout.total_seconds(), self._guard, lambda *_: None)

    async def _is_outdated(self, pod: Manifest) -> bool:
        """Whether a pod has ended, or the workload has another template since it was made."""
        if pod["metadata"].get("deletionTimestamp") or pod.get("status", {}).get("phase") in {
            "Failed",
            "Succeeded",
        }:
            return True
        record = self._record(pod)
        if record is None or record.trial is not None:
            return False
        made = self._made(await self.read(), record.accepted, record, [])
        return not tuning_pods.only_resources(pod, made)

    async def leave(self) -> None:
        """Remove the pod."""
        self._attempt = None
        pod = await self.pod()
        if pod is not None:
            self.right.check()
            await self.client.delete(PODS, self.name, self.config.namespace, uid=pod["metadata"]["uid"])

    async def accepted(self, trial: str) -> bool:
        """Return whether a trial was accepted here."""
        pod = await self.pod()
        record = None if pod is None else self._record(pod, fenced=False)
        return record is not None and record.accepted_id == trial

    @property
    def _paths(self) -> list[str]:
        return changes.paths_of(self.config, replicas=False)

    def _initial(self, workload: Manifest) -> Fields:
        if (fault := workloads.refusal(workload)) is not None and fault.reason != "paused":
            raise UnfitError(fault)
        return tuning_pods.initial_fields(self.config, workload, self._paths)

    def _made(self, workload: Manifest, fields: Fields, record: Record, owners: list[Any]) -> Manifest:
        try:
            return tuning_pods.tuning_pod(self.config, workload, fields, record, owners)
        except ManifestError as error:
            raise UnfitError(Fault("invalid-setting", str(error))) from error

    def _record(self, pod: Manifest, *, fenced: bool = True) -> Record | None:
        try:
            record = Record.of(pod)
        except RecordError as error:
            logger.warning(f"the tuning pod {self.name}: its annotation is ignored: {error}")
            return None
        if fenced and record is not None:
            self.right.meet(record.epoch, record.agent)
        return record

    def _view(self) -> PodView:
        view = PodView(self.client, self.name, self.config.namespace)
        view.forgiven = self._forgiven
        return view

    def _guard(self, look: Look) -> None:
        record = self._record(look.workload)
        if record is None:
            message = f"somebody else has made a pod {self.name} while it was being adjusted"
            raise UnfitError(Fault("target-changed", message, status="failed"))
