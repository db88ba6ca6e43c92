"""The pod of the servo, and the Prometheus beside it."""

from __future__ import annotations

import os
from typing import Any

from servo.kubernetes import PODS, Client, NotFoundError

__all__ = ["PROMETHEUS", "container", "home", "read", "status"]

PROMETHEUS = "prometheus"
"""Name of its container."""

_SERVOS = "app.kubernetes.io/name=servo"


def home(namespace: str) -> str:
    """Return the servo's namespace: as the downward API tells it, else that of the target."""
    return os.environ.get("POD_NAMESPACE") or namespace


async def read(client: Client, namespace: str) -> dict[str, Any] | None:
    """Return the servo's pod: the one that the downward API names, else the newest with the servo's label; None without one.

    Args:
        client: The cluster.
        namespace: That of the target.
    """
    where, name = home(namespace), os.environ.get("POD_NAME")
    if name and os.environ.get("POD_NAMESPACE"):
        try:
            return await client.get(PODS, name, where)
        except NotFoundError:
            return None
    found = (await client.list(PODS, where, labels=_SERVOS)).items
    alive = [each for each in found if not each["metadata"].get("deletionTimestamp")]
    return max(alive, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), default=None)


def container(pod: dict[str, Any]) -> dict[str, Any] | None:
    """Return the container of Prometheus, None if there is none."""
    return next((each for each in pod["spec"]["containers"] if each.get("name") == PROMETHEUS), None)


def status(pod: dict[str, Any]) -> dict[str, Any]:
    """Return what the cluster says of that container."""
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return next((each for each in statuses if each.get("name") == PROMETHEUS), {})
