"""Removing what agents have left in a namespace, without one of them, and without their configuration."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime

from servo.connectors.kubernetes import manifests
from servo.connectors.kubernetes.configuration import ROLLOUTS
from servo.connectors.kubernetes.lease import MANAGED_BY, TARGET, lease_name
from servo.connectors.kubernetes.manifests import Fields, Manifest
from servo.connectors.kubernetes.record import ANNOTATION, Record, RecordError, remove
from servo.connectors.kubernetes.tuning_pods import LABELS
from servo.kubernetes import (
    DEPLOYMENTS,
    LEASES,
    PODS,
    STATEFUL_SETS,
    Client,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    Resource,
    selector,
)

__all__ = ["Cleaned", "clean"]

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was done, or would be.

    Attributes:
        kind: Kind of the object.
        name: Its name.
        action: ``restored``, ``forgotten`` (only its record was removed), ``deleted``, or ``held``.
        detail: More of it: the fields that were restored, or who holds it.
    """

    kind: str
    name: str
    action: str
    detail: str = ""


async def clean(
    client: Client, namespace: str, *, baseline: bool = False, force: bool = False, dry_run: bool = False
) -> list[Cleaned]:
    """Restore what agents have changed, and remove tuning pods, records and leases.

    What belongs to an agent that is alive is left alone, and reported as held.

    Args:
        client: The cluster.
        namespace: Where.
        baseline: Whether settings that were accepted are taken back, too.
        force: Whether targets of agents that are alive are taken from them.
        dry_run: Whether it is only told what would be done.

    Raises:
        KubernetesError: The cluster refuses it.
    """
    leases = {each["metadata"]["name"]: each for each in await _leases(client, namespace)}
    held = {} if force else {name: holder for name, each in leases.items() if (holder := _holder(each))}
    if force and not dry_run:
        for each in leases.values():
            await _fence(client, each)
    done = []
    async for resource, workload in _recorded(client, namespace):
        name, kind = workload["metadata"]["name"], resource.kind
        if holder := held.get(lease_name(kind, name)):
            done.append(Cleaned(kind, name, "held", holder))
            continue
        done.append(await _restore(client, resource, workload, baseline=baseline, dry_run=dry_run))
    done += await _remove_pods(client, namespace, held, dry_run=dry_run)
    done += await _remove_leases(client, leases, held, dry_run=dry_run)
    return done


async def _leases(client: Client, namespace: str) -> list[Manifest]:
    found = await client.list(LEASES, namespace, labels=selector(MANAGED_BY))
    return [each for each in found.items if TARGET in (each["metadata"].get("annotations") or {})]


def _holder(lease: Manifest) -> str | None:
    """Return who holds a lease that has not run out, by the clock of this machine."""
    spec = lease["spec"]
    if not spec.get("holderIdentity"):
        return None
    renewed = datetime.fromisoformat(str(spec.get("renewTime") or "1970-01-01T00:00:00Z"))
    age = (datetime.now(UTC) - renewed).total_seconds()
    return str(spec["holderIdentity"]) if age < float(spec.get("leaseDurationSeconds") or 0) else None


async def _fence(client: Client, lease: Manifest) -> None:
    """Take a lease from whoever has it, though that renews it meanwhile."""
    name, namespace = lease["metadata"]["name"], lease["metadata"]["namespace"]
    until = time.monotonic() + _SECONDS
    while True:
        spec = lease["spec"]
        spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + 1
        spec["holderIdentity"] = "servo-kubernetes-clean"
        spec["renewTime"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        try:
            await client.replace(LEASES, lease, namespace)
        except ConflictError:
            if time.monotonic() > until:
                raise
            lease = await client.get(LEASES, name, namespace)
        else:
            return


async def _recorded(client: Client, namespace: str) -> AsyncIterator[tuple[Resource, Manifest]]:
    rollouts = await client.find(ROLLOUTS.group, ROLLOUTS.plural)
    for resource in (DEPLOYMENTS, STATEFUL_SETS, rollouts):
        if resource is None:
            continue
        try:
            found = await client.list(resource, namespace)
        except ForbiddenError:
            continue  # whoever cannot list a kind has adjusted none of it
        for each in found.items:
            if ANNOTATION in (each["metadata"].get("annotations") or {}):
                yield resource, each


async def _restore(
    client: Client, resource: Resource, workload: Manifest, *, baseline: bool, dry_run: bool
) -> Cleaned:
    name, namespace = workload["metadata"]["name"], workload["metadata"]["namespace"]
    until = time.monotonic() + _SECONDS
    while True:
        desired = deepcopy(workload)
        fields = _fields(desired, baseline=baseline)
        manifests.write(desired, fields)
        if remove(desired) and not dry_run:
            try:
                await client.replace(resource, desired, namespace)
            except ConflictError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.2)
                workload = await client.get(resource, name, namespace)
                continue
        detail = ", ".join(f"{path}={value}" for path, value in sorted(fields.items()))
        return Cleaned(resource.kind, name, "restored" if fields else "forgotten", detail)


def _fields(workload: Manifest, *, baseline: bool) -> Fields:
    """Return what has to be set to take back what agents have set; what somebody else has set since stays."""
    try:
        record = Record.of(workload)
    except RecordError:
        return {}
    if record is None:
        return {}
    ours = record.accepted | (record.trial.fields if record.trial else {})
    wanted = record.baseline if baseline else record.accepted
    live: Fields = {}
    for path in wanted.keys() & ours.keys():
        with contextlib.suppress(manifests.ManifestError):  # a container that is no longer there
            live |= manifests.read(workload, [path])
    return {
        path: wanted[path]
        for path in live
        if manifests.same(path, live[path], ours[path]) and not manifests.same(path, live[path], wanted[path])
    }


async def _remove_pods(
    client: Client, namespace: str, held: dict[str, str], *, dry_run: bool
) -> list[Cleaned]:
    done = []
    for each in (await client.list(PODS, namespace, labels=selector(LABELS))).items:
        name = each["metadata"]["name"]
        workload = name.removesuffix("-tuning")
        holder = next(
            (
                held[key]
                for key in (lease_name(kind, workload) for kind in ("Deployment", "Rollout"))
                if key in held
            ),
            None,
        )
        if holder:
            done.append(Cleaned("Pod", name, "held", holder))
            continue
        if not dry_run:
            try:
                await client.delete(PODS, name, namespace, uid=each["metadata"]["uid"])
            except NotFoundError:
                continue
        done.append(Cleaned("Pod", name, "deleted"))
    return done


async def _remove_leases(
    client: Client, leases: dict[str, Manifest], held: dict[str, str], *, dry_run: bool
) -> list[Cleaned]:
    done = []
    for name, each in leases.items():
        if name in held:
            continue
        if not dry_run:
            try:
                await client.delete(LEASES, name, each["metadata"]["namespace"])
            except NotFoundError:
                continue
        done.append(Cleaned("Lease", name, "deleted"))
    return done
