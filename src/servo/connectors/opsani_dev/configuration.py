"""The `opsani_dev` section of servo.yaml, and the sections of other connectors that follow from it."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator, model_validator

from servo.configuration import BaseConfiguration
from servo.connectors.kube_metrics import KubeMetricsConfiguration
from servo.connectors.kubernetes import CPU, Core, KubernetesConfiguration, Memory, ShortByteSize
from servo.connectors.opsani_dev import queries
from servo.connectors.prometheus import PrometheusConfiguration
from servo.types.core import Duration
from servo.types.settings import EnvironmentSettingList

__all__ = [
    "ENVOY_SIDECAR_IMAGE",
    "PROMETHEUS_SIDECAR_BASE_URL",
    "OpsaniDevCPU",
    "OpsaniDevConfiguration",
    "OpsaniDevMemory",
]

PROMETHEUS_SIDECAR_BASE_URL = "http://localhost:9090"
ENVOY_SIDECAR_IMAGE = "opsani/envoy-proxy:v1.24.0"

_NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
_PORT_NAME = re.compile(r"(?=.{1,15}\Z)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
_MOST_PORTS = 65_535


class OpsaniDevCPU(CPU):
    """Processor cores; the step has a default."""

    step: Core = Field(default=Core("0.125"), description="Distance between neighbouring values.")


class OpsaniDevMemory(Memory):
    """Memory; the step has a default."""

    step: ShortByteSize = Field(
        default=ShortByteSize(128 << 20), description="Distance between neighbouring values."
    )


class OpsaniDevConfiguration(BaseConfiguration):
    """Which container of which Deployment is tuned, and the service in front of it."""

    model_config = ConfigDict(serialize_by_alias=True)

    kubeconfig: Path | None = Field(
        default=None,
        description="The kubeconfig; else KUBECONFIG, ~/.kube/config, or the pod's service account.",
    )
    context: str | None = Field(
        default=None, max_length=1024, description="The kubeconfig's context; else its current one."
    )
    namespace: str = Field(max_length=253, pattern=_NAME, description="Namespace of Deployment and service.")
    workload_name: str = Field(
        alias="deployment",
        max_length=253,
        pattern=_NAME,
        description="Name of the Deployment; also written `workload_name`.",
    )
    workload_kind: str = Field(default="Deployment", description="`Deployment`; there are no others.")
    container: str = Field(min_length=1, max_length=128, description="The container that is tuned.")
    service: str = Field(max_length=253, pattern=_NAME, description="The service that sends requests to it.")
    port: int | str | None = Field(
        default=None, description="The service's port, by number or name; needed where it has several."
    )
    cpu: OpsaniDevCPU = Field(description="Processor cores.")
    memory: OpsaniDevMemory = Field(description="Memory.")
    env: EnvironmentSettingList | None = Field(
        default=None, description="Environment variables that can be adjusted."
    )
    static_environment_variables: dict[str, str] | None = Field(
        default=None, description="Variables that the tuning pod has besides."
    )
    prometheus_base_url: str = Field(
        default=PROMETHEUS_SIDECAR_BASE_URL,
        description="Where Prometheus is; beside the servo, unless another host is named.",
    )
    envoy_sidecar_image: str = Field(
        default=ENVOY_SIDECAR_IMAGE, min_length=1, max_length=1024, description="The proxy's image."
    )
    timeout: Duration = Field(
        default=Duration("5m"), description="Time in which an adjusted pod must get ready."
    )
    settlement: Duration | None = Field(default=None, description="Time it must stay ready.")
    container_logs_in_error_status: bool = Field(
        default=False, description="Append whole logs of failed containers to messages."
    )
    create_tuning_pod: bool = Field(
        default=True, description="Tune a pod beside those of the Deployment; if not, only measure."
    )

    @classmethod
    def generate(cls, **values: Any) -> Self:
        """A sample: one container behind a service."""
        sample = {
            key: value
            for key, value in _SAMPLE.items()
            if key != "deployment" or "workload_name" not in values
        }
        return super().generate(**sample | values)

    @field_validator("workload_kind")
    @classmethod
    def _check_kind(cls, value: str) -> str:
        if value not in {"Deployment", "deployment"}:
            raise ValueError(f"{value!r} cannot be tuned here: only a Deployment")
        return "Deployment"

    @field_validator("port")
    @classmethod
    def _check_port(cls, value: int | str | None) -> int | str | None:
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if isinstance(value, int) and not 1 <= value <= _MOST_PORTS:
            raise ValueError(f"{value} is no port: 1 to {_MOST_PORTS}")
        if isinstance(value, str) and not _PORT_NAME.fullmatch(value):
            raise ValueError(f"{value!r} is neither the number nor the name of a port")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.static_environment_variables and not self.create_tuning_pod:
            raise ValueError(
                "static_environment_variables are those of a tuning pod: set create_tuning_pod, or none"
            )
        self.generate_kubernetes_config()
        self.generate_prometheus_config()
        return self

    @property
    def has_prometheus_beside(self) -> bool:
        """Whether Prometheus is expected as a container of the servo's pod."""
        host = urlsplit(self.prometheus_base_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def generate_kubernetes_config(self, **values: Any) -> KubernetesConfiguration:
        """Return the section of the connector `kubernetes`: a tuning pod, or the Deployment with all pinned.

        Args:
            **values: Keys of it that shall be other than they would be.
        """
        tuned = self.create_tuning_pod
        container = {
            "name": self.container,
            "alias": "main",
            "cpu": self._resource(self.cpu),
            "memory": self._resource(self.memory),
            "env": self.env,
            "static_environment_variables": self.static_environment_variables,
        }
        deployment = {
            "name": self.workload_name,
            "containers": [container],
            "replicas": {"min": 0, "max": 1 if tuned else 99_999, "pinned": True},
            "strategy": {"type": "canary", "alias": "tuning"} if tuned else "default",
        }
        shared = ("timeout", "settlement", "container_logs_in_error_status", "create_tuning_pod")
        given = {
            **{name: getattr(self, name) for name in shared},
            **self.cluster,
            "deployments": [deployment],
        }
        return KubernetesConfiguration.model_validate(given | values)

    @property
    def cluster(self) -> dict[str, Any]:
        """What says where the target is, as other connectors take it."""
        return {"kubeconfig": self.kubeconfig, "context": self.context, "namespace": self.namespace}

    def _resource(self, of: CPU | Memory) -> dict[str, Any]:
        return of.model_dump() | ({} if self.create_tuning_pod else {"pinned": True})

    def generate_prometheus_config(self) -> PrometheusConfiguration:
        """Return the section of the connector `prometheus`: what the proxies count."""
        return PrometheusConfiguration.model_validate(
            {"base_url": self.prometheus_base_url, "metrics": queries.metrics(tuning=self.create_tuning_pod)}
        )

    def generate_kube_metrics_config(self) -> KubeMetricsConfiguration:
        """Return the section of the connector `kube_metrics`."""
        return KubeMetricsConfiguration.model_validate(
            {**self.cluster, "name": self.workload_name, "container": self.container}
        )


_SAMPLE = {
    "namespace": "default",
    "deployment": "web",
    "container": "app",
    "service": "web",
    "cpu": {"min": "250m", "max": "4"},
    "memory": {"min": "256Mi", "max": "4Gi"},
}
