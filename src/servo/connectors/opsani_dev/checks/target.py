"""The first checks: the optimizer, the cluster, and the Deployment and service in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from servo.checks import BaseChecks, Check, CheckError, check, require, warn
from servo.configuration import AppdynamicsOptimizer, OpsaniOptimizer
from servo.connectors.kubernetes import PermissionSet, manifests, ports, workloads
from servo.connectors.kubernetes.checks import KubernetesChecks, missing_requirements
from servo.connectors.kubernetes.components import value_of
from servo.connectors.kubernetes.manifests import Manifest, ManifestError
from servo.connectors.kubernetes.options import STANDARD_PERMISSIONS, permissions
from servo.connectors.kubernetes.ports import PortError
from servo.connectors.kubernetes.resources import ResourceConfiguration
from servo.connectors.opsani_dev.configuration import OpsaniDevConfiguration
from servo.connectors.opsani_dev.remedies import Remedies
from servo.kubernetes import DEPLOYMENTS, NAMESPACES, SERVICES, Client, KubernetesError, Resource, quantity

__all__ = ["PERMISSIONS", "TargetChecks", "refused"]

PERMISSIONS: tuple[PermissionSet, ...] = (
    *STANDARD_PERMISSIONS,
    permissions("", "services", ("get", "update")),
    permissions("", "pods/proxy", ("get",)),
)
"""What the agent needs in the namespace of the target; the last two are used by remedies."""

_ROUTED = ("ClusterIP", "LoadBalancer", "NodePort")


def refused(error: Exception, hint: str | None = None) -> CheckError:
    """Return what fails a check because the cluster, or what is in it, is not as it should be."""
    return CheckError(str(error), hint=hint)


class TargetChecks(BaseChecks):
    """Checks of the target.

    Args:
        config: What is tuned.
        optimizer: Whom the servo serves.
        cluster: Returns the client of the cluster.
        settings: The servo's, for all connections.
        ensure_tuning_pod: Has a tuning pod made, and waits until it is ready.
    """

    config: OpsaniDevConfiguration
    optimizer: Any = None
    cluster: Callable[[], Client]
    settings: Any = None
    ensure_tuning_pod: Callable[[], Awaitable[None]] | None = None

    @require("Optimizer Configuration")
    def check_optimizer(self) -> str:
        """It is one of the kinds that there are."""
        if not isinstance(self.optimizer, OpsaniOptimizer | AppdynamicsOptimizer):
            kind = type(self.optimizer).__name__
            raise CheckError(
                f"the optimizer is a {kind}, and neither of the Opsani nor of the AppDynamics kind",
                hint="correct the section `optimizer` (docs/servo-yaml.md)",
            )
        return type(self.optimizer).__name__

    @require("Connectivity to Kubernetes")
    async def check_connectivity(self) -> str:
        """The cluster answers."""
        return _message(await self._kubernetes().check_connectivity())

    @warn("Kubernetes version")
    async def check_version(self) -> str:
        """It is one that this was tried with."""
        return _message(await self._kubernetes().check_version())

    @require("Required permissions")
    async def check_permissions(self) -> str:
        """The agent may do what it has to, and what remedies do."""
        return _message(await self._kubernetes().check_permissions())

    def _kubernetes(self) -> Any:
        config = self.config.generate_kubernetes_config(permissions=[*PERMISSIONS])
        return KubernetesChecks(config=config, client=lambda _: self.cluster())

    @require('Namespace "{self.config.namespace}" is readable')
    async def check_opsani_dev_kubernetes_namespace(self) -> None:
        """It is there."""
        await self._read(NAMESPACES, self.config.namespace, "namespace")

    @require('{self.config.workload_kind} "{self.config.workload_name}" is readable')
    async def check_opsani_dev_kubernetes_controller(self) -> None:
        """It is there."""
        await self._workload()

    @require('Container "{self.config.container}" is readable')
    async def check_opsani_dev_kubernetes_container(self) -> None:
        """The Deployment has it."""
        self._container(await self._workload())

    @require('Container "{self.config.container}" has resource requirements')
    async def check_resource_requirements(self) -> None:
        """What is to be tuned has a value, of the container or from the configuration."""
        (target,) = self.config.generate_kubernetes_config().targets
        if missing := list(missing_requirements(target, await self._workload())):
            raise CheckError(
                f"without a value: {', '.join(missing)}",
                hint="set resources in the pod template, or `request` or `limit` of cpu and memory in the configuration",
            )

    @require("Target container resources fall within optimization range")
    async def check_target_container_resources_within_limits(self) -> None:
        """What it has is one of the values that it may get."""
        container = self._container(await self._workload())
        outside = [
            text
            for name, of in (("cpu", self.config.cpu), ("memory", self.config.memory))
            if (text := _outside(container, name, of)) is not None
        ]
        if outside:
            raise CheckError(
                "; ".join(outside), hint="widen `min` and `max`, or change the container's resources"
            )

    @require('{self.config.workload_kind} "{self.config.workload_name}" is ready')
    async def check_controller_readiness(self) -> None:
        """All its pods are."""
        if lacks := workloads.outstanding(await self._workload()):
            name = self.config.workload_name
            raise CheckError(lacks, hint=f"kubectl -n {self.config.namespace} describe deployment {name}")

    @require('Service "{self.config.service}" is readable')
    async def check_opsani_dev_kubernetes_service(self) -> None:
        """It is there."""
        await self._service()

    @warn('Service "{self.config.service}" routes traffic to Kubernetes Pods')
    async def check_opsani_dev_kubernetes_service_type(self) -> str:
        """It is one that sends to pods."""
        kind = (await self._service())["spec"].get("type", _ROUTED[0])
        if kind not in _ROUTED:
            raise CheckError(
                f"the service is of type {kind}", hint=f"one of {', '.join(_ROUTED)} sends to pods"
            )
        return str(kind)

    @check('Service "{self.config.service}" has compatible ports')
    async def check_opsani_dev_kubernetes_service_port(self) -> str:
        """It is clear which port is meant."""
        found = self._port(await self._service())
        return f"{found.get('name') or 'port'} {found['port']}:{ports.target_of(found)}/{found.get('protocol', 'TCP')}"

    @check("Service routes traffic to {self.config.workload_name} Pods")
    async def check_service_routes_traffic_to_controller(self) -> None:
        """Its selector chooses the Deployment's pods."""
        chosen = (await self._service())["spec"].get("selector") or {}
        labels = ((await self._workload())["spec"]["template"].get("metadata") or {}).get("labels") or {}
        lacking = sorted(f"{key}={value}" for key, value in chosen.items() if labels.get(key) != value)
        if lacking or not chosen:
            raise CheckError(
                f"the pods of {self.config.workload_name} lack {', '.join(lacking)}, by which the service chooses"
                if chosen
                else "the service has no selector",
                hint="correct the selector of the service, or name another service",
            )

    async def _workload(self) -> Manifest:
        return await self._read(DEPLOYMENTS, self.config.workload_name, "deployment")

    async def _service(self) -> Manifest:
        return await self._read(SERVICES, self.config.service, "service")

    async def _read(self, resource: Resource, name: str, key: str) -> Manifest:
        try:
            return await self.cluster().get(resource, name, self.config.namespace)
        except KubernetesError as error:
            raise refused(error, f"correct `{key}`, or the role of the agent") from error

    def _container(self, workload: Manifest) -> Manifest:
        try:
            return manifests.container(workload, self.config.container)
        except ManifestError as error:
            raise refused(error, "correct `container`") from error

    def _remedies(self) -> Remedies:
        return Remedies(self.config, self.cluster())

    def _port(self, service: Manifest) -> Manifest:
        try:
            return ports.service_port(service, self.config.port)
        except PortError as error:
            raise refused(error, "set `port`") from error


def _message(found: Check) -> str:
    """Return what a check of another connector found.

    Raises:
        CheckError: It failed.
    """
    if not found.success:
        raise CheckError(found.message or "", hint=found.hint) from found.exception
    return found.message or ""


def _outside(container: Manifest, name: str, of: ResourceConfiguration) -> str | None:
    values: Iterator[Any] = (value for value in (value_of(container, of), *_presets(of)) if value is not None)
    current = next(values, None)
    least, most = str(getattr(of, "min")), str(getattr(of, "max"))  # noqa: B009 - of both kinds, without a common base
    if current is None or quantity(least) <= quantity(str(current)) <= quantity(most):
        return None
    return f"{name} of the container is {current}, and the range {least} to {most}"


def _presets(of: Any) -> tuple[Any, ...]:
    return tuple(getattr(of, each.value) for each in of.get)
