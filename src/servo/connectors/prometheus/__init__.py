"""Measures by asking a Prometheus server, or one that speaks its API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servo.connectors.prometheus.checks import PrometheusChecks
    from servo.connectors.prometheus.client import Client
    from servo.connectors.prometheus.configuration import PrometheusConfiguration
    from servo.connectors.prometheus.connection import ConnectionConfiguration
    from servo.connectors.prometheus.connector import PrometheusConnector
    from servo.connectors.prometheus.errors import BudgetError, PrometheusError, QueryError, UnavailableError
    from servo.connectors.prometheus.metric import AbsentMetricPolicy, PrometheusMetric
    from servo.connectors.prometheus.requests import (
        BaseRequest,
        InstantQuery,
        RangeQuery,
        TargetsRequest,
        TargetsStateFilter,
    )
    from servo.connectors.prometheus.responses import (
        ActiveTarget,
        BaseResponse,
        DroppedTarget,
        Error,
        InstantVector,
        MetricResponse,
        QueryData,
        RangeVector,
        ResultType,
        TargetsResponse,
    )

_HOMES = {
    "AbsentMetricPolicy": "metric",
    "ActiveTarget": "responses",
    "BaseRequest": "requests",
    "BaseResponse": "responses",
    "BudgetError": "errors",
    "Client": "client",
    "ConnectionConfiguration": "connection",
    "DroppedTarget": "responses",
    "Error": "responses",
    "InstantQuery": "requests",
    "InstantVector": "responses",
    "MetricResponse": "responses",
    "PrometheusChecks": "checks",
    "PrometheusConfiguration": "configuration",
    "PrometheusConnector": "connector",
    "PrometheusError": "errors",
    "PrometheusMetric": "metric",
    "QueryData": "responses",
    "QueryError": "errors",
    "RangeQuery": "requests",
    "RangeVector": "responses",
    "ResultType": "responses",
    "TargetsRequest": "requests",
    "TargetsResponse": "responses",
    "TargetsStateFilter": "requests",
    "UnavailableError": "errors",
}

__all__ = [
    "AbsentMetricPolicy",
    "ActiveTarget",
    "BaseRequest",
    "BaseResponse",
    "BudgetError",
    "Client",
    "ConnectionConfiguration",
    "DroppedTarget",
    "Error",
    "InstantQuery",
    "InstantVector",
    "MetricResponse",
    "PrometheusChecks",
    "PrometheusConfiguration",
    "PrometheusConnector",
    "PrometheusError",
    "PrometheusMetric",
    "QueryData",
    "QueryError",
    "RangeQuery",
    "RangeVector",
    "ResultType",
    "TargetsRequest",
    "TargetsResponse",
    "TargetsStateFilter",
    "UnavailableError",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for: a servo without Prometheus pays nothing for it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found
