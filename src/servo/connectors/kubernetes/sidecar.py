"""A proxy beside the containers of a Deployment.

The proxy is told by its environment where it listens, which port of the pod it passes requests on to, and where its metrics
are. Each change is one request that replaces the Deployment as it was read: it is there as a whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from servo.connectors.kubernetes import manifests, ports
from servo.connectors.kubernetes.manifests import Manifest, pod_spec, variable
from servo.connectors.kubernetes.ports import PortError
from servo.connectors.kubernetes.writing import rewrite
from servo.errors import ServoError
from servo.kubernetes import DEPLOYMENTS, SERVICES, Client

__all__ = [
    "ENVOY_SIDECAR_DEFAULT_PORT",
    "ENVOY_SIDECAR_METRICS_PORT",
    "ENVOY_SIDECAR_NAME",
    "Sidecar",
    "SidecarError",
    "find",
    "inject",
    "proxied_port",
]

ENVOY_SIDECAR_NAME = "opsani-envoy"
ENVOY_SIDECAR_DEFAULT_PORT = 9980
ENVOY_SIDECAR_METRICS_PORT = 9901

_LISTENS = "OPSANI_ENVOY_PROXY_SERVICE_PORT"
_PASSES_ON = "OPSANI_ENVOY_PROXIED_CONTAINER_PORT"
_MEASURES = "OPSANI_ENVOY_PROXY_METRICS_PORT"
_RESOURCES = {
    "requests": {"cpu": "125m", "memory": "128Mi"},
    "limits": {"cpu": "250m", "memory": "256Mi"},
}


class SidecarError(ServoError):
    """A proxy cannot be put in or taken out; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What is put in.

    Attributes:
        image: Of the proxy.
        name: Of its container.
        service_port: Where it listens.
        metrics_port: Where its metrics are.
        index: Where it stands among the containers; at the end if None.
    """

    image: str
    name: str = ENVOY_SIDECAR_NAME
    service_port: int = ENVOY_SIDECAR_DEFAULT_PORT
    metrics_port: int = ENVOY_SIDECAR_METRICS_PORT
    index: int | None = None

    def container(self, proxied: int) -> Manifest:
        """Return the container that passes requests on to a port of its pod."""
        variables = {_LISTENS: self.service_port, _PASSES_ON: proxied, _MEASURES: self.metrics_port}
        return {
            "name": self.name,
            "image": self.image,
            "env": [{"name": name, "value": str(value)} for name, value in variables.items()],
            "ports": [
                {"name": "opsani-proxy", "containerPort": self.service_port, "protocol": "TCP"},
                {"name": "opsani-metrics", "containerPort": self.metrics_port, "protocol": "TCP"},
            ],
            "resources": _RESOURCES,
        }


def find(manifest: Mapping[str, Any], name: str = ENVOY_SIDECAR_NAME) -> Manifest | None:
    """Return the proxy's container of a workload or pod, None if there is none."""
    containers: list[Manifest] = pod_spec(manifest).get("containers") or []
    return next((each for each in containers if each.get("name") == name), None)


def proxied_port(container: Mapping[str, Any]) -> int | None:
    """Return the port that a proxy passes requests on to, None if it does not say."""
    told = str((variable(container, _PASSES_ON) or {}).get("value", ""))
    return int(told) if told.isdigit() else None


async def inject(
    client: Client,
    namespace: str,
    deployment: str,
    sidecar: Sidecar,
    *,
    service: str | None = None,
    port: str | int | None = None,
) -> bool:
    """Put a proxy in front of a container of a Deployment, whose pods are replaced for it.

    One of this name that is there already is made as wanted; what people have set of its resources stays.

    Args:
        client: The cluster.
        namespace: Where the Deployment is.
        deployment: Its name.
        sidecar: The proxy.
        service: The service whose requests it shall see: where that leads is what it passes them on to.
        port: The service's port, by number or name; or without a service, the container's.

    Returns:
        Whether anything had to be changed.

    Raises:
        SidecarError: It is not clear which port is meant, or a container has the proxy's ports.
        KubernetesError: The cluster refuses it.
    """
    if service is None and port is None:
        raise SidecarError(
            "name the service whose requests the proxy shall see, or the port of the container"
        )
    leads: str | int | None = port
    if service is not None:
        found = await client.get(SERVICES, service, namespace)
        try:
            leads = ports.target_of(ports.service_port(found, port))
        except PortError as error:
            raise SidecarError(f"{error} (option --port, or `port` in the configuration)") from error
    changed = False

    def put_in(workload: Manifest) -> bool:
        nonlocal changed
        assert leads is not None
        changed = _put_in(workload, sidecar, leads)
        return changed

    await rewrite(client, DEPLOYMENTS, deployment, namespace, put_in)
    return changed


def _put_in(workload: Manifest, sidecar: Sidecar, leads: str | int) -> bool:
    there = find(workload, sidecar.name)
    _require_free(workload, sidecar)
    wanted = sidecar.container(_behind(workload, sidecar, there, leads))
    containers = pod_spec(workload)["containers"]
    if there is None:
        containers.insert(len(containers) if sidecar.index is None else sidecar.index, wanted)
        return True
    before = json.dumps(there, sort_keys=True)
    for each in wanted["env"]:
        manifests.set_variable(there, each["name"], each["value"])
    there |= {"image": wanted["image"], "ports": wanted["ports"]}
    there.setdefault("resources", wanted["resources"])
    return json.dumps(there, sort_keys=True) != before


def _behind(workload: Manifest, sidecar: Sidecar, there: Manifest | None, leads: str | int) -> int:
    """Return the port that requests are to be passed on to."""
    try:
        behind = ports.container_port(workload, leads)
    except PortError as error:
        raise SidecarError(str(error)) from error
    if behind != sidecar.service_port:
        return behind
    # The service leads to the proxy already.
    known = proxied_port(there) if there is not None else None
    if known is None:
        raise SidecarError(
            f"requests go to port {behind} already, which is to be the proxy's: name the port of the container "
            f"that they are for, without a service"
        )
    return known


def _require_free(workload: Manifest, sidecar: Sidecar) -> None:
    numbers = {sidecar.service_port, sidecar.metrics_port}
    names = {"opsani-proxy", "opsani-metrics"}
    for owner, port in ports.exposed(workload):
        if owner != sidecar.name and (port.get("containerPort") in numbers or port.get("name") in names):
            raise SidecarError(
                f"port {port.get('containerPort')}{_named(port)} of {workload['metadata']['name']} is already "
                f"that of the container {owner}: the proxy needs {sidecar.service_port} and {sidecar.metrics_port}, "
                "under the names opsani-proxy and opsani-metrics; give the container others"
            )


def _named(port: Mapping[str, Any]) -> str:
    return f" ({port['name']})" if port.get("name") else ""
