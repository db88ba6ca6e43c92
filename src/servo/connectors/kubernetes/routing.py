"""Services that lead to a proxy in their pods, or past it; and a proxy that is taken out.

The order is what keeps requests from being lost: a service leads to proxies once all of them are ready, and past them before
they go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from servo.connectors.kubernetes import ports
from servo.connectors.kubernetes.manifests import Manifest, pod_spec
from servo.connectors.kubernetes.sidecar import (
    ENVOY_SIDECAR_DEFAULT_PORT,
    ENVOY_SIDECAR_NAME,
    SidecarError,
    find,
    proxied_port,
)
from servo.connectors.kubernetes.writing import rewrite
from servo.kubernetes import DEPLOYMENTS, PODS, SERVICES, Client, selector

__all__ = ["eject", "lead_back", "lead_through"]

_LED = "servo.trimtab/target-ports"
"""At a service: where its ports led before they led to the proxy."""


async def lead_through(client: Client, namespace: str, service: str, port: str | int | None) -> bool:
    """Let a service lead to the proxy, once all its pods have one that is ready.

    Returns:
        Whether anything had to be changed.

    Raises:
        SidecarError: A pod of the service has no proxy that is ready: its requests would be lost.
        PortError: It is not clear which port is meant.
    """
    found = await client.get(SERVICES, service, namespace)
    chosen = found["spec"].get("selector") or {}
    pods = (await client.list(PODS, namespace, labels=selector(chosen))).items if chosen else []
    without = [each["metadata"]["name"] for each in pods if not _has_ready_proxy(each)]
    if without or not pods:
        raise SidecarError(
            f"service {service} is left as it is until each of its pods has a proxy that is ready: "
            f"{', '.join(without) if without else 'it has no pods'}"
        )
    changed = False

    def lead(manifest: Manifest) -> bool:
        nonlocal changed
        number = ports.service_port(manifest, port)["port"]
        changed = False
        for each in manifest["spec"]["ports"]:
            if each["port"] == number and (target := ports.target_of(each)) != ENVOY_SIDECAR_DEFAULT_PORT:
                _remember(manifest, number, target)
                each["targetPort"] = ENVOY_SIDECAR_DEFAULT_PORT
                changed = True
        return changed

    await rewrite(client, SERVICES, service, namespace, lead)
    return changed


def _has_ready_proxy(pod: Mapping[str, Any]) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return any(each.get("name") == ENVOY_SIDECAR_NAME and each.get("ready") for each in statuses)


def _remember(service: Manifest, number: int, target: str | int) -> None:
    annotations = service["metadata"].setdefault("annotations", {})
    annotations[_LED] = json.dumps(_remembered(service) | {str(number): target})


def _remembered(service: Mapping[str, Any]) -> dict[str, str | int]:
    try:
        found = json.loads((service["metadata"].get("annotations") or {}).get(_LED, "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


async def lead_back(client: Client, service: Manifest, proxy: Manifest) -> bool:
    """Let the ports of a service that lead to a proxy lead where they led before, or where the proxy does.

    Returns:
        Whether anything had to be changed.

    Raises:
        SidecarError: A port leads to the proxy, and neither tells what is behind it.
    """
    listens = {
        each.get("containerPort") for each in proxy.get("ports") or () if each.get("name") == "opsani-proxy"
    }
    ours: set[Any] = listens | {"opsani-proxy"}
    changed = False

    def lead(manifest: Manifest) -> bool:
        nonlocal changed
        changed, known = False, _remembered(manifest)
        for each in manifest["spec"].get("ports") or ():
            if ports.target_of(each) in ours:
                each["targetPort"] = _past(manifest, known.get(str(each["port"])), proxy)
                changed = True
        if changed:
            (manifest["metadata"].get("annotations") or {}).pop(_LED, None)
        return changed

    await rewrite(client, SERVICES, service["metadata"]["name"], service["metadata"]["namespace"], lead)
    return changed


def _past(service: Manifest, known: Any, proxy: Manifest) -> str | int:
    target = known if isinstance(known, str | int) else proxied_port(proxy)
    if target is None:
        raise SidecarError(
            f"service {service['metadata']['name']} leads to the proxy, which does not say what is behind it: "
            "set its targetPort first"
        )
    return target


async def eject(client: Client, namespace: str, deployment: str, name: str = ENVOY_SIDECAR_NAME) -> list[str]:
    """Take the proxy out of a Deployment; services that lead to it lead past it before.

    Returns:
        The services that were led past it.

    Raises:
        SidecarError: There is no such container.
        KubernetesError: The cluster refuses it.
    """
    workload = await client.get(DEPLOYMENTS, deployment, namespace)
    proxy = _required(workload, name)
    labels = workload["spec"]["template"]["metadata"].get("labels") or {}
    led = []
    for service in (await client.list(SERVICES, namespace)).items:
        chosen = service["spec"].get("selector") or {}
        if chosen and chosen.items() <= labels.items() and await lead_back(client, service, proxy):
            led.append(str(service["metadata"]["name"]))

    def take_out(found: Manifest) -> bool:
        spec = pod_spec(found)
        kept = [each for each in spec["containers"] if each.get("name") != name]
        changed = len(kept) != len(spec["containers"])
        spec["containers"] = kept
        return changed

    await rewrite(client, DEPLOYMENTS, deployment, namespace, take_out)
    return led


def _required(workload: Manifest, name: str) -> Manifest:
    found = find(workload, name)
    if found is None:
        raise SidecarError(
            f"deployment {workload['metadata']['name']} has no container {name}: nothing to take out"
        )
    if len(pod_spec(workload)["containers"]) == 1:
        raise SidecarError(f"{name} is the only container of deployment {workload['metadata']['name']}")
    return found
