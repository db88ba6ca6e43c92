"""The `kube_metrics` section of servo.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from servo.configuration import BaseConfiguration
from servo.connectors.kube_metrics.figures import KubeMetric
from servo.types.core import Duration

__all__ = ["KubeMetricsConfiguration"]

_NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
_SHORTEST = Duration("1s")


class KubeMetricsConfiguration(BaseConfiguration):
    """Which workload's pods are measured, and how often."""

    namespace: str = Field(description="The workload's namespace.", max_length=253, pattern=_NAME)
    name: str = Field(description="The workload's name.", max_length=253, pattern=_NAME)
    kind: Literal["Deployment", "StatefulSet"] = Field(
        default="Deployment", description="What kind of workload it is."
    )
    container: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        description="The container that is measured; needed where the pods have several.",
    )
    metrics_to_collect: list[KubeMetric] = Field(
        default_factory=lambda: list(KubeMetric), description="What is measured; all that can be if not set."
    )
    metric_collection_frequency: Duration = Field(
        default=Duration("1m"), description="Time between two looks during a measurement."
    )
    kubeconfig: Path | None = Field(
        default=None,
        description="The kubeconfig; else KUBECONFIG, ~/.kube/config, or the pod's service account.",
    )
    context: str | None = Field(
        default=None, max_length=253, description="The kubeconfig's context; else its current one."
    )

    @field_validator("metric_collection_frequency")
    @classmethod
    def _check_frequency(cls, value: Duration) -> Duration:
        if value < _SHORTEST:
            raise ValueError(
                f"{value} is too often: the metrics API has new values every 15 s; at least {_SHORTEST}"
            )
        return value

    @classmethod
    def generate(cls, **values: object) -> KubeMetricsConfiguration:
        """Return a sample."""
        return cls.model_validate({"namespace": "default", "name": "app", **values})
