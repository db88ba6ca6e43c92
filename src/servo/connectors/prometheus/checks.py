"""What must be so for a Prometheus to be of use."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from servo.checks import BaseChecks, CheckError, CheckHandler, check, multicheck, require
from servo.connectors.prometheus.client import Client
from servo.connectors.prometheus.configuration import PrometheusConfiguration
from servo.connectors.prometheus.errors import PrometheusError, UnavailableError
from servo.connectors.prometheus.metric import AbsentMetricPolicy, PrometheusMetric
from servo.types.core import Duration

__all__ = ["PrometheusChecks"]

_NOT_FOUND = 404
_LOOKED_BACK = Duration("10m")


class _Query:
    """A metric, shown as its query."""

    def __init__(self, metric: PrometheusMetric) -> None:
        self.metric = metric

    def __str__(self) -> str:
        return self.metric.query


class PrometheusChecks(BaseChecks):
    """Checks of a server and of the queries for it. Nothing is tried again: the one who waits decides about that."""

    config: PrometheusConfiguration
    settings: Any = None

    @require('Connect to "{self.config.base_url}"')
    async def check_base_url(self) -> str:
        """It answers as a Prometheus does, and lets us in."""
        try:
            await self._client().query("vector(1)")
        except PrometheusError as error:
            raise CheckError(
                str(error), hint="start Prometheus, or correct base_url and what it is reached with"
            ) from error
        return f"{self.config.base_url} answers"

    @multicheck('Run query "{item}"')
    def check_queries(self) -> tuple[Iterable[_Query], CheckHandler]:
        """Each query is understood and gives, of the last ten minutes, what its metric needs."""
        return [_Query(metric) for metric in self.config.metrics], self._run_query

    async def _run_query(self, query: _Query) -> str:
        metric, end = query.metric, datetime.now().astimezone()
        try:
            answer = await self._client().query_range(metric, end - _LOOKED_BACK, end)
        except PrometheusError as error:
            raise CheckError(str(error), hint=f"correct the query of {metric.name!r}") from error
        found = len(answer.results())
        if not found and metric.absent is AbsentMetricPolicy.fail:
            raise CheckError(
                f"{metric.name!r} must not be absent, and gave nothing in the last {_LOOKED_BACK}",
                hint="see in Prometheus whether its target is scraped, or choose another policy for `absent`",
            )
        return f"{found} series" if found else "no series: the metric is absent at present"

    @check("Active targets")
    async def check_targets(self) -> str:
        """At least one target is scraped."""
        try:
            targets = (await self._client().list_targets("active")).active
        except UnavailableError as error:
            if error.status == _NOT_FOUND:
                return "the server does not tell its targets"  # it speaks the API, but scrapes nothing itself
            raise CheckError(str(error)) from error
        except PrometheusError as error:
            raise CheckError(str(error)) from error
        if not targets:
            raise CheckError("nothing is scraped", hint="configure targets in Prometheus (scrape_configs)")
        healthy = sum(target.is_healthy() for target in targets)
        return f"{healthy} of {len(targets)} are up"

    def _client(self) -> Client:
        once = self.config.model_copy(update={"retry_time": Duration(0)})
        return Client(once.base_url, once, self.settings)
