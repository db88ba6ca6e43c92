"""The `kubernetes` section of servo.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from servo.configuration import AbstractBaseConfiguration, BaseConfiguration
from servo.connectors.kubernetes.options import (
    STANDARD_PERMISSIONS,
    AutoscalerMode,
    FailureMode,
    PermissionSet,
    ResizeMode,
    permissions,
)
from servo.connectors.kubernetes.resources import CPU, Memory
from servo.connectors.kubernetes.strategies import ALIAS, CanaryStrategy, DefaultStrategy, Strategy
from servo.kubernetes import DEPLOYMENTS, STATEFUL_SETS, Resource
from servo.types.core import Duration
from servo.types.settings import EnvironmentSettingList, Replicas

__all__ = [
    "ROLLOUTS",
    "ContainerConfiguration",
    "DeploymentConfiguration",
    "KubernetesConfiguration",
    "RolloutConfiguration",
    "StatefulSetConfiguration",
    "TargetConfiguration",
]

ROLLOUTS = Resource("argoproj.io", "v1alpha1", "rollouts", "Rollout")
"""Argo's; which version the cluster serves is found by asking it."""

_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_LEAST_LEASE = 2.0
_LONGEST = 7 * 24 * 3600.0


class CommonConfiguration(BaseConfiguration):
    """What may be said for all targets, or for one."""

    kubeconfig: Path | None = Field(
        default=None,
        description="File with the cluster's address and credentials; by default as kubectl finds it.",
    )
    context: str | None = Field(default=None, max_length=1024, description="Context of the kubeconfig.")
    namespace: str = Field(default="default", description="Namespace of the target.")
    settlement: Duration | None = Field(
        default=None,
        description="Time an adjusted target must stay ready; an adjustment may ask for another.",
    )
    on_failure: FailureMode = Field(
        default=FailureMode.rollback, description="What becomes of a target whose adjustment failed."
    )
    timeout: Duration = Field(default=Duration("5m"), description="Time in which it must get ready.")
    container_logs_in_error_status: bool = Field(
        default=False,
        description="Append whole logs of failed containers to the message, not only the last lines.",
    )
    create_tuning_pod: bool = Field(default=True, description="Meant for `opsani_dev`; without effect here.")
    autoscaler: AutoscalerMode = Field(
        default=AutoscalerMode.refuse,
        description="What to do with replicas that a HorizontalPodAutoscaler sets.",
    )
    resize: ResizeMode = Field(
        default=ResizeMode.auto,
        description="Whether a tuning pod's cpu and memory are changed while it runs.",
    )

    @field_validator("on_failure", mode="after")
    @classmethod
    def _modernize(cls, value: FailureMode) -> FailureMode:
        if value is not FailureMode.destroy:
            return value
        from servo.logging import logger

        logger.warning("on_failure: destroy is deprecated, write shutdown: the workload gets no replicas")
        return FailureMode.shutdown

    @field_validator("kubeconfig")
    @classmethod
    def _check_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"{value} is no file")
        return value

    @field_validator("namespace")
    @classmethod
    def _check_namespace(cls, value: str) -> str:
        return subdomain(value)

    @field_validator("settlement", "timeout")
    @classmethod
    def _bound(cls, value: Duration | None) -> Duration | None:
        if value is not None and not 0 <= value.total_seconds() <= _LONGEST:
            raise ValueError(f"{value} is not between 0s and 7d")
        return value


class ContainerConfiguration(AbstractBaseConfiguration):
    """A container whose settings can be adjusted."""

    name: str = Field(description="Name of the container in the pod.")
    alias: str | None = Field(
        default=None, description="Name of the component; `workload/container` by default."
    )
    command: str | list[str] | None = Field(default=None, description="Without effect.")
    cpu: CPU = Field(description="Processor cores.")
    memory: Memory = Field(description="Memory.")
    env: EnvironmentSettingList = Field(
        default_factory=EnvironmentSettingList, description="Environment variables that can be adjusted."
    )
    static_environment_variables: dict[str, str] | None = Field(
        default=None, description="Variables that a tuning pod has besides."
    )

    @field_validator("name", "alias")
    @classmethod
    def _check_name(cls, value: str | None) -> str | None:
        if value is not None and not ALIAS.fullmatch(value):
            raise ValueError(f"{value!r} is no name of a container: it starts with a letter or digit")
        return value

    @field_validator("env", mode="before")
    @classmethod
    def _no_list(cls, value: Any) -> Any:
        return EnvironmentSettingList() if value is None else value


class TargetConfiguration(CommonConfiguration):
    """A workload and what of it can be adjusted."""

    resource: ClassVar[Resource]

    name: str = Field(description="Name of the workload.")
    containers: list[ContainerConfiguration] = Field(
        min_length=1, max_length=50, description="Containers that can be adjusted, the main one first."
    )
    replicas: Replicas = Field(description="How many pods: `min`, `max`, `step`, `pinned`.")
    strategy: Strategy = Field(
        default_factory=DefaultStrategy, description="`default`, `canary`, or `{type: canary, alias: NAME}`."
    )

    @field_validator("name")
    @classmethod
    def _check_target(cls, value: str) -> str:
        return subdomain(value)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [container.name for container in self.containers]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the container {twice[0]} of {self.name} is there twice")
        if not self.canary and any(each.static_environment_variables for each in self.containers):
            raise ValueError(f"static_environment_variables of {self.name} need the strategy canary")
        return self

    @property
    def canary(self) -> CanaryStrategy | None:
        """The strategy, if it is that of a tuning pod."""
        return self.strategy if isinstance(self.strategy, CanaryStrategy) else None

    @property
    def label(self) -> str:
        """What people call it: ``deployment shop/web``."""
        return f"{self.resource.kind.lower()} {self.namespace}/{self.name}"

    def component(self, container: ContainerConfiguration) -> str:
        """Return the name of a container's component."""
        return container.alias or f"{self.name}/{container.name}"

    def tuning_component(self, container: ContainerConfiguration) -> str:
        """Return the name of the component of a container in the tuning pod: the alias for the first, else with its own."""
        alias = self.canary.alias if self.canary else None
        first = container is self.containers[0]
        if alias:
            return alias if first else f"{alias}/{container.name}"
        return f"{self.name}/{container.name}-tuning"


class DeploymentConfiguration(TargetConfiguration):
    """A Deployment and what of it can be adjusted."""

    resource = DEPLOYMENTS


class StatefulSetConfiguration(TargetConfiguration):
    """A StatefulSet and what of it can be adjusted."""

    resource = STATEFUL_SETS

    @model_validator(mode="after")
    def _no_canary(self) -> Self:
        if self.canary:
            raise ValueError(f"the stateful set {self.name} cannot have the strategy canary")
        return self


class RolloutConfiguration(TargetConfiguration):
    """A Rollout of Argo and what of it can be adjusted."""

    resource = ROLLOUTS


class KubernetesConfiguration(CommonConfiguration):
    """Workloads of a cluster, and what of them can be adjusted."""

    permissions: list[PermissionSet] = Field(
        default_factory=lambda: list(STANDARD_PERMISSIONS),
        description="What the agent must be allowed to do; a check verifies it.",
    )
    lease: Duration | None = Field(
        default=Duration("15s"),
        description="Time after which another agent may take over; null: nothing keeps two agents apart.",
    )
    deployments: list[DeploymentConfiguration] | None = Field(default=None, description="Deployments.")
    stateful_sets: list[StatefulSetConfiguration] | None = Field(default=None, description="StatefulSets.")
    rollouts: list[RolloutConfiguration] | None = Field(default=None, description="Rollouts of Argo.")

    @classmethod
    def generate(cls, **values: Any) -> Self:
        """A sample: a deployment with one container."""
        return super().generate(**_SAMPLE | values)

    @field_validator("lease")
    @classmethod
    def _long_enough(cls, value: Duration | None) -> Duration | None:
        if value is not None and not _LEAST_LEASE <= value.total_seconds() <= _LONGEST:
            raise ValueError(f"{value} is not between 2s and 7d")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.targets:
            raise ValueError(
                "No optimization target(s) were specified: name deployments, stateful_sets or rollouts"
            )
        known: set[tuple[str, str, str]] = set()
        for target in self.targets:
            key = (target.resource.kind, target.namespace, target.name)
            if key in known:
                raise ValueError(f"the {target.label} is there twice")
            known.add(key)
        self._check_components()
        self.cascade_common_settings()
        return self

    def _check_components(self) -> None:
        names = [name for target in self.targets for name in _components(target)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two containers are the component {twice[0]}: give one of them another alias")

    @property
    def targets(self) -> list[TargetConfiguration]:
        """All workloads."""
        return [*(self.deployments or ()), *(self.stateful_sets or ()), *(self.rollouts or ())]

    @property
    def all_permissions(self) -> list[PermissionSet]:
        """The permissions, with what other kinds than deployments need."""
        extra = []
        if self.stateful_sets:
            extra.append(permissions("apps", "statefulsets", ("get", "list", "watch", "update")))
        if self.rollouts:
            extra.append(permissions("argoproj.io", "rollouts", ("get", "list", "watch", "update")))
        return [*self.permissions, *extra]

    def cascade_common_settings(self, *, overwrite: bool = False) -> None:
        """Give the targets what is said for all and not for them.

        Args:
            overwrite: Whether it replaces what a target says itself.
        """
        for target in self.targets:
            for name in CommonConfiguration.model_fields:
                if name != "description" and (overwrite or name not in target.model_fields_set):
                    _assign(target, name, getattr(self, name))


def _assign(model: AbstractBaseConfiguration, name: str, value: Any) -> None:
    # Past the validation of assignments, and without marking the field as said by the target itself.
    model.__dict__[name] = value


def _components(target: TargetConfiguration) -> Iterator[str]:
    for container in target.containers:
        yield target.component(container)
        if target.canary:
            yield target.tuning_component(container)


def subdomain(value: str) -> str:
    """Return the name of an object of Kubernetes.

    Raises:
        ValueError: It is none.
    """
    if not _SUBDOMAIN.fullmatch(value):
        raise ValueError(f"{value!r} is no name of Kubernetes: it has lower-case letters, digits, - and .")
    return value


_SAMPLE = {
    "namespace": "default",
    "deployments": [
        {
            "name": "web",
            "containers": [
                {
                    "name": "app",
                    "cpu": {"min": "250m", "max": "4", "step": "125m"},
                    "memory": {"min": "256Mi", "max": "4Gi", "step": "128Mi"},
                }
            ],
            "replicas": {"min": 1, "max": 4},
        }
    ],
}
