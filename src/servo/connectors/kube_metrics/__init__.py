"""The `kube_metrics` connector: what a workload's pods use, have asked for, and are allowed, from the metrics API."""

from servo.connectors.kube_metrics.checks import KubeMetricsChecks
from servo.connectors.kube_metrics.configuration import KubeMetricsConfiguration
from servo.connectors.kube_metrics.connector import KubeMetricsConnector
from servo.connectors.kube_metrics.figures import KubeMetric

__all__ = ["KubeMetric", "KubeMetricsChecks", "KubeMetricsConfiguration", "KubeMetricsConnector"]
