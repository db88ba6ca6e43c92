"""What the counters of the proxies say, as queries: of the pods as they were, and of the tuning pod.

Each is over a minute. Pods are told apart by their label `opsani_role` alone: Prometheus has to scrape the proxies of one
application only.
"""

from __future__ import annotations

from servo.connectors.prometheus import PrometheusMetric
from servo.types.core import Unit

__all__ = ["REQUESTS", "TUNING", "metrics", "total_requests"]

REQUESTS = "envoy_cluster_upstream_rq_total"
TUNING = 'opsani_role="tuning"'
_MAIN = 'opsani_role!="tuning"'
_SUCCESS, _ERROR = "2|3", "4|5"


def metrics(*, tuning: bool) -> list[PrometheusMetric]:
    """Return the metrics, those of a tuning pod only where there is one."""
    found = [
        PrometheusMetric("main_instance_count", Unit.count, f"sum(envoy_cluster_membership_healthy{{{_MAIN}}})"),
        PrometheusMetric("tuning_instance_count", Unit.count, f"envoy_cluster_membership_healthy{{{TUNING}}}"),
        PrometheusMetric("total_request_rate", Unit.requests_per_second, f"sum(rate({REQUESTS}[1m]))"),
        PrometheusMetric("main_request_rate", Unit.requests_per_second, _rate(_MAIN)),
        PrometheusMetric("tuning_request_rate", Unit.requests_per_second, _rate(TUNING)),
        PrometheusMetric("main_success_rate", Unit.requests_per_second, _class_rate(_MAIN, _SUCCESS)),
        PrometheusMetric("tuning_success_rate", Unit.requests_per_second, _class_rate(TUNING, _SUCCESS), absent="zero"),
        PrometheusMetric("main_error_rate", Unit.requests_per_second, _class_rate(_MAIN, _ERROR), absent="zero"),
        PrometheusMetric("tuning_error_rate", Unit.requests_per_second, _class_rate(TUNING, _ERROR), absent="zero"),
        PrometheusMetric("main_p90_latency", Unit.milliseconds, _latency(_MAIN, 0.9)),
        PrometheusMetric("tuning_p90_latency", Unit.milliseconds, _latency(TUNING, 0.9)),
        PrometheusMetric("main_p50_latency", Unit.milliseconds, _latency(_MAIN, 0.5)),
        PrometheusMetric("tuning_p50_latency", Unit.milliseconds, _latency(TUNING, 0.5)),
    ]  # fmt: skip
    return [each for each in found if tuning or not each.name.startswith("tuning_")]


def total_requests(*, role: str | None = None) -> str:
    """Return the query of how many requests there were at all, or of one role: ``main``, ``tuning``."""
    chosen = {None: "", "main": f"{{{_MAIN}}}", "tuning": f"{{{TUNING}}}"}[role]
    return f"sum({REQUESTS}{chosen})"


def _rate(pods: str) -> str:
    return f"avg(rate({REQUESTS}{{{pods}}}[1m]))"


def _class_rate(pods: str, classes: str) -> str:
    chosen = f'{pods}, envoy_response_code_class=~"{classes}"'
    return f"avg(sum by(kubernetes_pod_name)(rate(envoy_cluster_upstream_rq_xx{{{chosen}}}[1m])))"


def _latency(pods: str, quantile: float) -> str:
    return f"avg(histogram_quantile({quantile:g}, rate(envoy_cluster_upstream_rq_time_bucket{{{pods}}}[1m])))"
