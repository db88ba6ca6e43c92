"""Finalizers on the objects of builds: they stay until they are written down, whoever deletes them.

The end of a hold is never silent and never in doubt: it ends when the build is in the journal; or after the longest time
that the operator allows, with an error in the log and an event at the object; or by `servo builds release`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from servo.connectors.builds.cluster.objects import at, text
from servo.kubernetes import EVENTS, Client, ConflictError, KubernetesError, NotFoundError, Resource
from servo.logging import logger

__all__ = ["FINALIZER", "hold", "is_held", "release", "tell"]

FINALIZER = "builds.servo/journal"
_TRIES = 10


def is_held(obj: Mapping[str, Any]) -> bool:
    """Whether the object has our finalizer."""
    return FINALIZER in (at(obj, "metadata", "finalizers") or ())


async def hold(client: Client, resource: Resource, obj: Mapping[str, Any]) -> bool:
    """Keep an object; whether it is kept. One that is being deleted already cannot be.

    Raises:
        KubernetesError: The cluster does not answer, or does not allow it.
    """
    return await _change(client, resource, obj, add=True)


async def release(client: Client, resource: Resource, obj: Mapping[str, Any]) -> bool:
    """Let an object go; whether it was kept by us.

    Raises:
        KubernetesError: The cluster does not answer, or does not allow it.
    """
    return await _change(client, resource, obj, add=False)


async def tell(client: Client, resource: Resource, obj: Mapping[str, Any], message: str) -> None:
    """Write an event at an object, and an error into the log."""
    name, namespace = text(obj, "metadata", "name") or "", text(obj, "metadata", "namespace") or ""
    logger.error(f"{resource.plural} {namespace}/{name}: {message}")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {
        "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "BuildNotJournalled", "message": message[:1000],
        "metadata": {"generateName": f"{name[:50]}-", "namespace": namespace},
        "involvedObject": {
            "apiVersion": f"{resource.group}/{resource.version}" if resource.group else resource.version,
            "kind": resource.kind, "name": name, "namespace": namespace, "uid": text(obj, "metadata", "uid"),
        },
        "source": {"component": "servo-builds"}, "firstTimestamp": now, "lastTimestamp": now, "count": 1,
    }  # fmt: skip
    try:
        await client.create(EVENTS, event, namespace)
    except KubernetesError as error:
        logger.warning(f"the event could not be written: {error}")


async def _change(client: Client, resource: Resource, obj: Mapping[str, Any], *, add: bool) -> bool:
    name, namespace = text(obj, "metadata", "name") or "", text(obj, "metadata", "namespace") or ""
    uid = text(obj, "metadata", "uid")
    current: Mapping[str, Any] = obj
    for _ in range(_TRIES):
        finalizers = list(at(current, "metadata", "finalizers") or ())
        if (FINALIZER in finalizers) == add:
            return add
        if add and at(current, "metadata", "deletionTimestamp") is not None:
            return False
        fresh = [*finalizers, FINALIZER] if add else [each for each in finalizers if each != FINALIZER]
        version = text(current, "metadata", "resourceVersion")
        body = {"metadata": {"finalizers": fresh, "resourceVersion": version, "uid": uid}}
        try:
            await client.patch(resource, name, body, namespace, kind="merge")
        except NotFoundError:
            return False
        except ConflictError:
            try:
                current = await client.get(resource, name, namespace)
            except NotFoundError:
                return False
            if text(current, "metadata", "uid") != uid:  # another object of the same name
                return False
        else:
            return True
    raise KubernetesError(f"{resource.plural} {namespace}/{name} changes too often to be changed by us")
