"""What code around a servo asks of objects of a cluster, by the names of the original.

Objects are dictionaries as the API gives them, and each call that asks the cluster is given the client that does so; the
original had classes of another library, and one cluster for the whole process::

    async with Client.open() as client:
        web = await DeploymentHelper.read(client, "web", "shop")
        await DeploymentHelper.wait_until_ready(client, web, timeout=60)
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from servo.connectors.kubernetes import ports, routing, sidecar
from servo.connectors.kubernetes.manifests import Manifest, pod_spec, set_variable, variable
from servo.connectors.kubernetes.names import dns_labelize, dns_subdomainify
from servo.connectors.kubernetes.patience import UnfitError, until_ready
from servo.connectors.kubernetes.resources import Requirement
from servo.connectors.kubernetes.views import PodView, View, WorkloadView, restarts
from servo.kubernetes import (
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    SERVICES,
    STATEFUL_SETS,
    Client,
    NotFoundError,
    Resource,
    label_selector,
    selector,
)

__all__ = [
    "ContainerHelper",
    "DeploymentHelper",
    "NamespaceHelper",
    "PodHelper",
    "ReplicasetHelper",
    "ServiceHelper",
    "StatefulSetHelper",
    "dict_to_selector",
    "dns_labelize",
    "dns_subdomainify",
    "find_container",
    "get_containers",
]

_INTERVAL = 0.2


def dict_to_selector(labels: Mapping[str, str]) -> str:
    """Return labels as a selector of objects that have them all: ``app=shop,tier=web``."""
    return selector(labels)


def get_containers(workload: Mapping[str, Any]) -> list[Manifest]:
    """Return the containers of a workload or pod."""
    return list(pod_spec(workload).get("containers") or ())


def find_container(workload: Mapping[str, Any], name: str) -> Manifest | None:
    """Return the container of that name, None if there is none."""
    return sidecar.find(workload, name)


class _Helper:
    """Reads and patches objects of one kind."""

    resource: ClassVar[Resource]

    @classmethod
    async def read(cls, client: Client, name: str, namespace: str | None = None) -> Manifest:
        """Return an object.

        Raises:
            NotFoundError: There is none.
        """
        return await client.get(cls.resource, name, namespace)

    @classmethod
    async def patch(cls, client: Client, manifest: Mapping[str, Any]) -> Manifest:
        """Change an object to what a manifest says, by a strategic merge; with ``resourceVersion`` only if nobody else did.

        Raises:
            ConflictError: Somebody else changed it since.
        """
        metadata = manifest["metadata"]
        return await client.patch(cls.resource, metadata["name"], manifest, metadata.get("namespace"))

    @classmethod
    def watch_args(cls, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by which ``Client.follow`` follows this object alone."""
        metadata = manifest["metadata"]
        return {
            "resource": cls.resource,
            "namespace": metadata.get("namespace"),
            "fields": f"metadata.name={metadata['name']}",
        }

    @classmethod
    async def wait_until_deleted(cls, client: Client, manifest: Mapping[str, Any], *, timeout: float) -> None:  # noqa: ASYNC109 - as long as the caller likes
        """Wait until an object is gone, or another has its name.

        Raises:
            TimeoutError: It is not, in so many seconds.
        """
        metadata = manifest["metadata"]
        async with asyncio.timeout(timeout):
            while True:
                try:
                    found = await client.get(cls.resource, metadata["name"], metadata.get("namespace"))
                except NotFoundError:
                    return
                if found["metadata"]["uid"] != metadata["uid"]:
                    return
                await asyncio.sleep(_INTERVAL)


class NamespaceHelper(_Helper):
    """Namespaces."""

    resource = NAMESPACES


class ReplicasetHelper(_Helper):
    """ReplicaSets."""

    resource = REPLICA_SETS


class ServiceHelper(_Helper):
    """Services."""

    resource = SERVICES

    @classmethod
    def find_port(cls, service: Mapping[str, Any], port: str | int) -> Manifest | None:
        """Return a port by number or name, None if there is none."""
        try:
            return ports.service_port(service, port)
        except ports.PortError:
            return None


class _Ready(_Helper):
    """Objects that get ready, or do not."""

    @classmethod
    def _view(cls, client: Client, manifest: Mapping[str, Any]) -> View:
        metadata = manifest["metadata"]
        chosen = label_selector(manifest["spec"].get("selector"))
        where = metadata.get("namespace") or client.namespace
        return WorkloadView(client, cls.resource, metadata["name"], where, chosen)

    @classmethod
    async def is_ready(cls, client: Client, manifest: Mapping[str, Any]) -> bool:
        """Whether it is, now."""
        view = cls._view(client, manifest)
        return view.outstanding(await view.look()) is None

    @classmethod
    async def wait_until_ready(cls, client: Client, manifest: Mapping[str, Any], *, timeout: float) -> None:  # noqa: ASYNC109 - as above
        """Wait until it is.

        Raises:
            UnfitError: It is not in so many seconds, or will never be.
        """
        await until_ready(cls._view(client, manifest), timeout, lambda _: None, lambda *_: None)

    @classmethod
    async def get_latest_pods(cls, client: Client, manifest: Mapping[str, Any]) -> list[Manifest]:
        """Return its pods of the newest template."""
        view = cls._view(client, manifest)
        return view.pods(await view.look())

    @classmethod
    async def get_restart_count(cls, client: Client, manifest: Mapping[str, Any]) -> int:
        """Return how often containers of those pods were started again."""
        return sum(restarts(await cls.get_latest_pods(client, manifest)).values())

    @classmethod
    async def raise_for_status(cls, client: Client, manifest: Mapping[str, Any]) -> None:
        """Pass if nothing is wrong.

        Raises:
            UnfitError: Why it is not ready.
        """
        view = cls._view(client, manifest)
        if (fault := view.fault(await view.look())) is not None:
            raise UnfitError(fault)


class PodHelper(_Ready):
    """Pods."""

    resource = PODS

    @classmethod
    def _view(cls, client: Client, manifest: Mapping[str, Any]) -> View:
        metadata = manifest["metadata"]
        return PodView(client, metadata["name"], metadata.get("namespace") or client.namespace)


class StatefulSetHelper(_Ready):
    """StatefulSets."""

    resource = STATEFUL_SETS


class DeploymentHelper(_Ready):
    """Deployments."""

    resource = DEPLOYMENTS

    @classmethod
    async def inject_sidecar(
        cls,
        client: Client,
        workload: Mapping[str, Any],
        name: str,
        image: str,
        *,
        service: str | None = None,
        port: str | int | None = None,
        index: int | None = None,
        service_port: int = sidecar.ENVOY_SIDECAR_DEFAULT_PORT,
    ) -> bool:
        """Put a proxy in front of a container; see :func:`servo.connectors.kubernetes.sidecar.inject`.

        Raises:
            SidecarError: It is not clear which port is meant, or a container has the proxy's ports.
        """
        metadata = workload["metadata"]
        proxy = sidecar.Sidecar(image, name, service_port, index=index)
        where = metadata.get("namespace") or client.namespace
        return await sidecar.inject(client, where, metadata["name"], proxy, service=service, port=port)

    @classmethod
    async def eject_sidecar(
        cls, client: Client, workload: Mapping[str, Any], name: str = sidecar.ENVOY_SIDECAR_NAME
    ) -> list[str]:
        """Take a proxy out; see :func:`servo.connectors.kubernetes.routing.eject`.

        Raises:
            SidecarError: There is none.
        """
        metadata = workload["metadata"]
        return await routing.eject(
            client, metadata.get("namespace") or client.namespace, metadata["name"], name
        )


class ContainerHelper:
    """Containers: their resources and variables."""

    @staticmethod
    def get_resource_requirements(
        container: Mapping[str, Any], resource: str
    ) -> dict[Requirement, str | None]:
        """Return request and limit of a resource, None where there is none."""
        found = container.get("resources") or {}
        return {each: (found.get(each.key) or {}).get(resource) for each in Requirement}

    @staticmethod
    def set_resource_requirements(
        container: Manifest, resource: str, requirements: Mapping[Requirement, str | None]
    ) -> None:
        """Set request and limit of a resource in place; None removes one."""
        found = container.setdefault("resources", {})
        for each, value in requirements.items():
            of = found.setdefault(each.key, {})
            if value is None:
                of.pop(resource, None)
            else:
                of[resource] = str(value)

    @staticmethod
    def get_environment_variable(container: Mapping[str, Any], name: str) -> str | None:
        """Return the value of a variable, None if it is not there, or comes from elsewhere."""
        found = variable(container, name)
        return None if found is None or "valueFrom" in found else str(found.get("value", ""))

    @staticmethod
    def set_environment_variable(container: Manifest, name: str, value: Any) -> None:
        """Set a variable in place, wherever its value came from."""
        set_variable(container, name, str(value))
