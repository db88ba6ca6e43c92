"""Changing cpu and memory of a pod while it runs, where the cluster can."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from servo.connectors.kubernetes.manifests import Manifest, container, same
from servo.kubernetes import PODS, ApiError, Client, conditions
from servo.logging import logger

__all__ = ["resize", "resized"]

_PAUSE = 0.5


async def resize(client: Client, pod: Manifest, body: Mapping[str, Any], seconds: float) -> bool:
    """Give a running pod other resources, and wait until its containers have them.

    Args:
        client: The cluster.
        pod: The pod.
        body: The patch.
        seconds: How long it may take.

    Returns:
        Whether they have; if not, as the node has no room or the cluster refuses it, the pod has to be made anew.
    """
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    try:
        await client.patch(PODS, name, body, namespace, subresource="resize")
    except ApiError as error:
        if error.transient:
            raise
        logger.info(f"pod {name} cannot be resized while it runs: {error}")
        return False
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = await client.get(PODS, name, namespace)
        pending = conditions(found).get("PodResizePending")
        if pending is not None and pending.get("reason") == "Infeasible":
            logger.info(f"pod {name} cannot be resized while it runs: {pending.get('message')}")
            return False
        if pending is None and resized(found, body):
            logger.info(f"pod {name} was resized while it runs")
            return True
        await asyncio.sleep(_PAUSE)
    return False


def resized(pod: Manifest, body: Mapping[str, Any]) -> bool:
    """Whether the containers of a pod have what a patch asks for."""
    if "PodResizeInProgress" in conditions(pod):
        return False
    statuses = {each["name"]: each for each in (pod.get("status") or {}).get("containerStatuses") or ()}
    for wanted in body["spec"]["containers"]:
        has = statuses.get(wanted["name"], {}).get("resources")
        if has is None:
            has = container(pod, wanted["name"]).get("resources") or {}
        for group, values in wanted["resources"].items():
            for key, value in values.items():
                if not same(f"{wanted['name']}/{group}/{key}", (has.get(group) or {}).get(key), value):
                    return False
    return True
