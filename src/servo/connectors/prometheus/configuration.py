"""The `prometheus` section of servo.yaml."""

from __future__ import annotations

from collections import Counter
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator

from servo.configuration import FastFailConfiguration
from servo.connectors.prometheus.connection import ConnectionConfiguration
from servo.connectors.prometheus.metric import PrometheusMetric
from servo.types.core import Duration, Unit

__all__ = ["PrometheusConfiguration"]

MAX_METRICS = 1000


class PrometheusConfiguration(ConnectionConfiguration):
    """Which server is asked, and what."""

    model_config = ConfigDict(extra="forbid")

    base_url: str = Field(
        default="https://prometheus:9090", description="Where the server is; its API is below /api/v1."
    )
    metrics: list[PrometheusMetric] = Field(
        max_length=MAX_METRICS, description="What is measured, and by which queries."
    )
    targets: list[dict[str, Any]] | None = Field(
        default=None, description="Accepted for older files, without effect."
    )
    streaming_interval: Duration | None = Field(
        default=None, description="Accepted for older files, without effect."
    )
    fast_fail: FastFailConfiguration = Field(
        default_factory=lambda: FastFailConfiguration.model_validate({}),
        description="When a measurement that violates its objectives is broken off.",
    )

    @classmethod
    def generate(cls, **values: object) -> Self:
        """A sample: requests and failures per second of a web service."""
        metrics = [
            PrometheusMetric(
                "throughput", Unit.requests_per_second, "sum(rate(http_requests_total[1m]))", step="15s"
            ),
            PrometheusMetric(
                "errors",
                Unit.requests_per_second,
                'sum(rate(http_requests_total{status=~"5.."}[1m]))',
                step="15s",
                absent="zero",
            ),
        ]
        return super().generate(**{"base_url": "http://prometheus:9090", "metrics": metrics} | values)

    @field_validator("base_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            known = False
        if not known or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("an http:// or https:// URL, such as http://prometheus:9090")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("a URL without user, query and fragment; basic_auth is for users")
        return value.rstrip("/")

    @field_validator("metrics")
    @classmethod
    def _check_names(cls, value: list[PrometheusMetric]) -> list[PrometheusMetric]:
        twice = [name for name, count in Counter(metric.name for metric in value).items() if count > 1]
        if twice:
            raise ValueError(f"several metrics are named {twice[0]!r}")
        return value
