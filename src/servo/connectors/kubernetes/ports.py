"""Ports of services and pods: by number, by name, and one resolved through the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from servo.connectors.kubernetes.manifests import Manifest, pod_spec

__all__ = ["PortError", "container_port", "exposed", "service_port", "target_of"]


class PortError(LookupError):
    """A port is not there, or it is not clear which is meant."""


def service_port(service: Mapping[str, Any], port: str | int | None = None) -> Manifest:
    """Return a port of a service.

    Args:
        service: Its manifest.
        port: Its number or name; None for the only one.

    Raises:
        PortError: There is no such port, or none is named and there are several.
    """
    name, ports = service["metadata"]["name"], list(service["spec"].get("ports") or ())
    if port is None:
        if len(ports) == 1:
            return dict(ports[0])
        raise PortError(f"service {name} has {len(ports)} ports: name one of {_listed(ports)}")
    for each in ports:
        if str(port) in {str(each.get("port")), each.get("name")}:
            return dict(each)
    raise PortError(f"service {name} has no port {port}; there are: {_listed(ports)}")


def target_of(port: Mapping[str, Any]) -> str | int:
    """Return where a port of a service leads: a number, or the name of a container's port."""
    found = port.get("targetPort") or port["port"]
    return found if isinstance(found, int) else str(found)


def container_port(manifest: Mapping[str, Any], port: str | int) -> int:
    """Return the number of a port of the pods of a workload.

    Args:
        manifest: The workload, or a pod.
        port: A number, which no container has to declare; or a name that one declares.

    Raises:
        PortError: No container declares a port of this name.
    """
    if isinstance(port, int) or port.isdigit():
        return int(port)
    for _, each in exposed(manifest):
        if each.get("name") == port:
            return int(each["containerPort"])
    names = ", ".join(str(each["name"]) for _, each in exposed(manifest) if each.get("name")) or "none"
    raise PortError(
        f"no container of {manifest['metadata']['name']} has a port named {port}; there are: {names}"
    )


def exposed(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Manifest]]:
    """Yield the ports that containers declare, each with the container's name."""
    for container in pod_spec(manifest).get("containers") or ():
        for port in container.get("ports") or ():
            yield str(container.get("name")), port


def _listed(ports: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(f"{each.get('name') or 'unnamed'} ({each.get('port')})" for each in ports) or "none"
