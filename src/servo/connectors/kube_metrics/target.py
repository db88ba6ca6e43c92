"""The workload whose pods are measured, as the cluster has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from servo.connectors.kube_metrics.configuration import KubeMetricsConfiguration
from servo.connectors.kube_metrics.figures import KubeMetric, container_of, figures
from servo.kubernetes import DEPLOYMENTS, PODS, STATEFUL_SETS, Client, NotFoundError, Resource, label_selector

__all__ = ["GROUP", "WORKLOADS", "Target", "metrics_resource"]

GROUP = "metrics.k8s.io"
WORKLOADS: Mapping[str, Resource] = {"Deployment": DEPLOYMENTS, "StatefulSet": STATEFUL_SETS}
_OVER = {"Succeeded", "Failed"}


async def metrics_resource(client: Client) -> Resource | None:
    """Return what the metrics API calls pods, in the version that the cluster prefers; None if it has no such API."""
    return await client.find(GROUP, "pods")


class Target:
    """The pods of a workload, and its tuning pod.

    Args:
        config: Which workload.
        client: Of its cluster.
        selector: Of its pods.
        resource: What the metrics API calls pods; None if it is not asked.
    """

    def __init__(
        self, config: KubeMetricsConfiguration, client: Client, selector: str, resource: Resource | None
    ) -> None:
        self._config = config
        self._client = client
        self._selector = selector
        self._resource = resource

    @classmethod
    async def find(
        cls, config: KubeMetricsConfiguration, client: Client, metrics: Iterable[KubeMetric]
    ) -> Target:
        """Return the target as the cluster has it.

        Args:
            config: Which workload.
            client: Of its cluster.
            metrics: What is wanted of it.

        Raises:
            NotFoundError: There is no such workload, or no metrics API though it is needed.
            MetricError: It has several containers, and none was chosen, or not the one that was.
        """
        workload = await read_workload(config, client)
        container_of(workload["spec"]["template"]["spec"], config.container)
        resource = None
        if any(metric.needs_usage for metric in metrics):
            resource = await metrics_resource(client)
            if resource is None:
                raise NotFoundError(404, "NotFound", f"the cluster serves no {GROUP}: install metrics-server")
        return cls(config, client, label_selector(workload["spec"]["selector"]), resource)

    async def sample(self) -> Iterator[tuple[str, str, float]]:
        """Return what is known now: the pod's name, the metric's, and the value."""
        pods = await self._client.list(PODS, self._config.namespace, labels=self._selector)
        usages = await self._usages()
        return (
            (pod["metadata"]["name"], f"{scope}_{name}", value)
            for pod in pods.items
            if (scope := self._scope(pod)) is not None
            for name, value in figures(
                pod, usages.get(pod["metadata"]["name"]), self._config.container
            ).items()
        )

    async def _usages(self) -> dict[str, dict[str, Any]]:
        if self._resource is None:
            return {}
        path = self._resource.path(self._config.namespace)
        found = await self._client.request("GET", path, params={"labelSelector": self._selector})
        return {each["metadata"]["name"]: each for each in found["items"] or ()}

    def _scope(self, pod: Mapping[str, Any]) -> str | None:
        """Return whether a pod is one of the workload's or the tuning pod; None if it is neither, or is over."""
        metadata = pod["metadata"]
        if metadata.get("deletionTimestamp") or pod.get("status", {}).get("phase") in _OVER:
            return None
        if (metadata.get("labels") or {}).get("opsani_role") != "tuning":
            return "main"
        return "tuning" if metadata["name"] == f"{self._config.name}-tuning" else None


async def read_workload(config: KubeMetricsConfiguration, client: Client) -> dict[str, Any]:
    """Return the workload.

    Raises:
        NotFoundError: There is none.
    """
    return await client.get(WORKLOADS[config.kind], config.name, config.namespace)
