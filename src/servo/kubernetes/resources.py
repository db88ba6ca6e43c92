"""Kinds of objects, as the API addresses them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

__all__ = [
    "ALL",
    "CLUSTER_ROLES",
    "CONFIG_MAPS",
    "CUSTOM_RESOURCE_DEFINITIONS",
    "DAEMON_SETS",
    "DEPLOYMENTS",
    "EVENTS",
    "HORIZONTAL_POD_AUTOSCALERS",
    "JOBS",
    "LEASES",
    "NAMESPACES",
    "NETWORK_POLICIES",
    "NODES",
    "PERSISTENT_VOLUME_CLAIMS",
    "PODS",
    "REPLICA_SETS",
    "SECRETS",
    "SERVICES",
    "SERVICE_ACCOUNTS",
    "STATEFUL_SETS",
    "Resource",
]

ALL: Final = "*"
"""In place of a namespace: all of them. No namespace can have this name."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object.

    Attributes:
        group: The API group; empty for core.
        version: Of the group, e.g. ``v1``.
        plural: As paths have it, e.g. ``deployments``.
        kind: As objects have it, e.g. ``Deployment``.
        namespaced: Whether its objects are in namespaces.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """What objects have as ``apiVersion``, e.g. ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """The path of its group and version, e.g. ``/apis/apps/v1``."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str = ALL, name: str | None = None, subresource: str | None = None) -> str:
        """Return the path of its objects, or of one.

        Args:
            namespace: Where; ``ALL`` for objects of every namespace. Objects that are in none ignore it.
            name: Of the object.
            subresource: Of the object, e.g. ``status``.

        Raises:
            ValueError: A name could be read as another path.
        """
        parts = [self.root]
        if self.namespaced and namespace != ALL:
            parts += ["namespaces", segment(namespace)]
        parts.append(self.plural)
        if name is not None:
            if self.namespaced and namespace == ALL:
                raise ValueError(f"{self.kind} {name!r} is one object: name its namespace, not all of them")
            parts.append(segment(name))
        if subresource is not None:
            parts += [segment(each) for each in subresource.split("/")]
        return "/".join(parts)

    def typed(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the object with ``apiVersion`` and ``kind`` filled in where they are not given."""
        return {"apiVersion": self.api_version, "kind": self.kind, **body}


def segment(name: str) -> str:
    """Return a name as one segment of a path.

    Raises:
        ValueError: It is empty, ``.`` or ``..``, or has a slash or a percent sign: no object has such a name.
    """
    if name in {"", ".", ".."} or "/" in name or "%" in name:
        raise ValueError(f"{name[:80]!r} is no name of a Kubernetes object")
    return quote(name, safe=":")


NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
PODS = Resource("", "v1", "pods", "Pod")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SECRETS = Resource("", "v1", "secrets", "Secret")
SERVICES = Resource("", "v1", "services", "Service")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
EVENTS = Resource("", "v1", "events", "Event")
PERSISTENT_VOLUME_CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet")
DAEMON_SETS = Resource("apps", "v1", "daemonsets", "DaemonSet")
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
JOBS = Resource("batch", "v1", "jobs", "Job")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
HORIZONTAL_POD_AUTOSCALERS = Resource(
    "autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler"
)
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
CUSTOM_RESOURCE_DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
