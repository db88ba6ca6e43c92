"""With whom an object of ours goes, should nobody remove it."""

from __future__ import annotations

import os
from typing import Any

from servo.connectors.kubernetes.manifests import Manifest
from servo.kubernetes import (
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    Client,
    KubernetesError,
    Resource,
    owner_reference,
)
from servo.logging import logger

__all__ = ["changed_by", "owner_of"]


async def owner_of(client: Client, namespace: str, target: Manifest) -> list[dict[str, Any]]:
    """Return the owner of a tuning pod: the agent's own Deployment if that is in the same namespace, else the target.

    An owner in another namespace would have the cluster delete the pod at once.
    """
    name, home = os.environ.get("POD_NAME"), os.environ.get("POD_NAMESPACE")
    if name and home == namespace:
        try:
            if (agent := await _deployment_of(client, name, namespace)) is not None:
                return [owner_reference(agent, controller=True, block_deletion=True)]
        except KubernetesError as error:
            logger.debug(f"the Deployment of this agent is not known: {error}")
    return [owner_reference(target, controller=True, block_deletion=True)]


async def _deployment_of(client: Client, pod: str, namespace: str) -> Manifest | None:
    found: Manifest = await client.get(PODS, pod, namespace)
    steps: tuple[Resource, ...] = (REPLICA_SETS, DEPLOYMENTS)
    for resource in steps:
        owner = _controller(found, resource.kind)
        if owner is None:
            return None
        found = await client.get(resource, owner, namespace)
    return found


def _controller(manifest: Manifest, kind: str) -> str | None:
    for each in manifest["metadata"].get("ownerReferences") or ():
        if each.get("controller") and each.get("kind") == kind:
            return str(each["name"])
    return None


def changed_by(manifest: Manifest) -> str:
    """Return who changed an object's specification last, other than agents, as its ``managedFields`` say."""
    entries = [
        each
        for each in manifest["metadata"].get("managedFields") or ()
        if "f:spec" in (each.get("fieldsV1") or {}) and not str(each.get("manager", "")).startswith("trimtab")
    ]
    if not entries:
        return "somebody"
    last = max(entries, key=lambda each: str(each.get("time", "")))
    return f"{last.get('manager')} at {last.get('time')}"
