"""What must be so for a workload's pods to be measured."""

from __future__ import annotations

from servo.checks import BaseChecks, CheckError, require
from servo.connectors.kube_metrics.configuration import KubeMetricsConfiguration
from servo.connectors.kube_metrics.figures import MetricError, container_of
from servo.connectors.kube_metrics.target import GROUP, metrics_resource, read_workload
from servo.kubernetes import PODS, Client, KubernetesError, Resource

__all__ = ["KubeMetricsChecks"]

_INSTALL = "install metrics-server, and see that `kubectl top pods` answers"


class KubeMetricsChecks(BaseChecks):
    """Checks of a workload and of the metrics API.

    Args:
        config: Which workload.
    """

    config: KubeMetricsConfiguration

    @require('{self.config.kind} "{self.config.name}" is readable')
    async def check_target(self) -> str:
        """The workload is there."""
        async with self._open() as client:
            try:
                await read_workload(self.config, client)
            except KubernetesError as error:
                raise CheckError(
                    str(error), hint="correct `namespace`, `name` and `kind`, or the role"
                ) from error
        return f"in namespace {self.config.namespace}"

    @require("Metrics API permissions")
    async def check_metrics_api_permissions(self) -> None:
        """Pods may be listed, in the API and in the metrics API."""
        async with self._open() as client:
            for resource in (Resource(GROUP, "v1beta1", "pods", "PodMetrics"), PODS):
                if not await client.allowed("list", resource, self.config.namespace):
                    group = resource.group or "core"
                    raise CheckError(
                        f"may not list pods of the group {group} in namespace {self.config.namespace}",
                        hint=f"let the role have the verb list of pods in the API group {group}",
                    )

    @require("Metrics API connectivity")
    async def check_metrics_api(self) -> str:
        """The metrics API answers."""
        async with self._open() as client:
            resource = await metrics_resource(client)
            if resource is None:
                raise CheckError(f"the cluster serves no {GROUP}", hint=_INSTALL)
            try:
                found = await client.request("GET", resource.path(self.config.namespace))
            except KubernetesError as error:
                raise CheckError(str(error), hint=_INSTALL) from error
        return f"{GROUP}/{resource.version} knows of {len(found['items'] or ())} pods in the namespace"

    @require("Container")
    async def check_container(self) -> str:
        """It is clear which container is measured."""
        async with self._open() as client:
            workload = await read_workload(self.config, client)
        try:
            container = container_of(workload["spec"]["template"]["spec"], self.config.container)
        except MetricError as error:
            raise CheckError(error.args[0], hint=f"set `container` to one of: {error.args[1]}") from error
        return str(container["name"])

    def _open(self) -> Client:
        return Client.open(self.config.kubeconfig, self.config.context)
