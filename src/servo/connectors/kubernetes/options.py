"""Choices of the configuration that have a name."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from servo.configuration import AbstractBaseConfiguration

__all__ = [
    "STANDARD_PERMISSIONS",
    "AutoscalerMode",
    "FailureMode",
    "PermissionSet",
    "ResizeMode",
    "permissions",
]


class FailureMode(StrEnum):
    """What becomes of a target whose adjustment failed; in each case but `ignore` the optimizer is told of the failure."""

    rollback = "rollback"
    """It gets its last accepted settings again."""
    exception = "exception"
    """It is left as it is, for people to look at."""
    shutdown = "shutdown"
    """It gets its last accepted settings and no replicas; a tuning pod its baseline."""
    ignore = "ignore"
    """It is left as it is, and the adjustment counts as a success."""
    destroy = "destroy"
    """The older name of `shutdown`."""


class AutoscalerMode(StrEnum):
    """What to do where a HorizontalPodAutoscaler sets the replicas."""

    refuse = "refuse"
    """Report the replicas as pinned, and refuse to change them."""
    ignore = "ignore"
    """Set them; the autoscaler may set others."""


class ResizeMode(StrEnum):
    """Whether a tuning pod's cpu and memory are changed while it runs."""

    auto = "auto"
    """Where the cluster offers it."""
    never = "never"
    """Another pod takes its place."""


class PermissionSet(AbstractBaseConfiguration):
    """What the agent must be allowed to do with some resources of an API group."""

    group: str = Field(default="", max_length=253, description="API group; empty for that of pods.")
    resources: list[str] = Field(
        min_length=1, max_length=100, description="Resources, `pods/log` for a part of one."
    )
    verbs: list[str] = Field(min_length=1, max_length=20, description="Verbs, such as `get`.")


_READ = ("get", "list", "watch")


def permissions(group: str, resources: str, verbs: tuple[str, ...]) -> PermissionSet:
    """Return a set of permissions of resources written with spaces between."""
    return PermissionSet.model_validate({"group": group, "resources": resources.split(), "verbs": [*verbs]})


STANDARD_PERMISSIONS = (
    permissions("apps", "deployments", (*_READ, "update")),
    permissions("apps", "replicasets", _READ),
    permissions("", "namespaces", ("get",)),
    permissions("", "pods", ("create", "delete", "patch", *_READ)),
    permissions("", "pods/log", ("get",)),
    permissions("autoscaling", "horizontalpodautoscalers", ("list",)),
    permissions("coordination.k8s.io", "leases", ("create", "get", "update")),
)
"""What the agent needs for deployments; `namespaces` only for a check."""
