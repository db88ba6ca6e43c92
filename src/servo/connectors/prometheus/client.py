"""A client of the HTTP API of Prometheus, and of whoever speaks it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal, Self, TypeVar

import pydantic

from servo.configuration import CommonConfiguration
from servo.connectors.prometheus.connection import ConnectionConfiguration
from servo.connectors.prometheus.errors import BudgetError, UnavailableError
from servo.connectors.prometheus.metric import PrometheusMetric
from servo.connectors.prometheus.ranges import pieces
from servo.connectors.prometheus.requests import (
    BaseRequest,
    InstantQuery,
    RangeQuery,
    TargetsRequest,
    TargetsStateFilter,
)
from servo.connectors.prometheus.responses import (
    BaseResponse,
    MetricResponse,
    QueryData,
    RangeVector,
    ResultType,
    TargetsResponse,
)
from servo.connectors.prometheus.transport import Transport
from servo.types.core import Duration, DurationDescriptor, Metric

__all__ = ["API_PATH", "Client"]

API_PATH = "/api/v1"

Method = Literal["GET", "POST"]
Response = TypeVar("Response", bound=BaseResponse)

_LONG = 2000
_DEFAULT_STEP = Duration("1m")


class Client:
    """Asks a server, never for more than the limits allow: requests at once, series, points and values of an answer.

    As an asynchronous context it keeps its connections; without, each request opens one of its own.

    Args:
        base_url: Where the server is; its API is below ``/api/v1``.
        config: How it is reached; with the defaults if None.
        settings: Proxies, and whom to trust if ``config`` does not say.
    """

    def __init__(
        self,
        base_url: str,
        config: ConnectionConfiguration | None = None,
        settings: CommonConfiguration | None = None,
    ) -> None:
        self.base_url = str(base_url).rstrip("/")
        self.config = config or ConnectionConfiguration.model_validate({})
        self._settings = settings
        self._gate = asyncio.Semaphore(self.config.limits.concurrency)
        self._transport: Transport | None = None

    @property
    def url(self) -> str:
        """Where the API is."""
        return self.base_url + API_PATH

    async def __aenter__(self) -> Self:
        self._transport = Transport(self.url, self.config, self._settings)
        return self

    async def __aexit__(self, *_: object) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def query(
        self,
        promql: str | PrometheusMetric,
        time: datetime | None = None,
        *,
        timeout: DurationDescriptor | None = None,  # noqa: ASYNC109  of the evaluation at the server
        method: Method | None = None,
    ) -> MetricResponse:
        """Evaluate a query once.

        Args:
            promql: The query, or a metric.
            time: When; without it, the server's present.
            timeout: Of the evaluation; that of the configuration by default.
            method: GET, and POST for long queries by default.

        Raises:
            PrometheusError: There is no answer.
        """
        request = InstantQuery(
            query=promql, time=time, timeout=self._timeout(timeout), limit=self._series + 1
        )
        return await self._query(promql, request, method)

    async def query_range(
        self,
        promql: str | PrometheusMetric,
        start: datetime,
        end: datetime,
        step: DurationDescriptor | None = None,
        *,
        timeout: DurationDescriptor | None = None,  # noqa: ASYNC109  of each evaluation at the server
        method: Method | None = None,
    ) -> MetricResponse:
        """Evaluate a query over a span of time, in as many requests as the limits make it.

        Args:
            promql: The query, or a metric.
            start: The first evaluation.
            end: Nothing is evaluated after it.
            step: Between two evaluations; that of the metric, or one minute, by default.
            timeout: Of each request's evaluation; that of the configuration by default.
            method: GET, and POST for long queries by default.

        Raises:
            PrometheusError: There is no answer.
            ValueError: The end is not after the start.
        """
        if step is None:
            step = promql.step if isinstance(promql, PrometheusMetric) else _DEFAULT_STEP
        whole = RangeQuery(
            query=promql,
            start=start,
            end=end,
            step=Duration(step),
            timeout=self._timeout(timeout),
            limit=self._series + 1,
        )
        answers = [
            await self._query(promql, whole.model_copy(update={"start": first, "end": last}), method)
            for first, last in pieces(start, end, whole.step, self.config.limits.piece)
        ]
        joined = _joined(answers)
        joined.request = whole
        self._require_series(promql, joined)
        return joined

    async def list_targets(self, state: TargetsStateFilter | str | None = None) -> TargetsResponse:
        """What is scraped, and what is not.

        Raises:
            PrometheusError: There is no answer.
        """
        request = TargetsRequest(state=None if state is None else TargetsStateFilter(state))
        return await self.send_request("GET", request, TargetsResponse)

    async def check_is_metric_absent(self, queryable: str | PrometheusMetric) -> bool:
        """Whether a query gives nothing at present, as the function ``absent`` of PromQL has it.

        Raises:
            PrometheusError: There is no answer.
        """
        query = queryable.query if isinstance(queryable, PrometheusMetric) else queryable
        return bool((await self.query(f"absent({query}\n)")).results())

    async def send_request(
        self, method: Method | None, request: BaseRequest, response_type: type[Response], **fields: Any
    ) -> Response:
        """Send a request.

        Args:
            method: GET or POST; by the length of the request if None.
            request: What is asked.
            response_type: What comes back.
            fields: Fields of the answer that the server does not know.

        Raises:
            UnavailableError: The server could not be reached, or what answers is no Prometheus.
            QueryError: It refused the request.
        """
        method = method or ("POST" if len(request.url) > _LONG else "GET")
        async with self._gate, self._connected() as transport:
            body = await transport.request(method, request.endpoint, request.params)
        try:
            error = {"error": body} if body.get("status") == "error" else {}
            answer = response_type.model_validate({**body, **error, "request": request, **fields})
        except pydantic.ValidationError as problem:
            reason = problem.errors(include_url=False, include_input=False)[0]["msg"]
            raise UnavailableError(f"cannot read the answer of {self.url}: {reason}") from problem
        answer.raise_for_error()
        return answer

    async def _query(
        self, promql: str | PrometheusMetric, request: InstantQuery | RangeQuery, method: Method | None
    ) -> MetricResponse:
        metric = promql if isinstance(promql, Metric) else Metric(promql)
        answer = await self.send_request(method, request, MetricResponse, metric=metric)
        self._require_series(promql, answer)
        return answer

    def _require_series(self, promql: str | PrometheusMetric, answer: MetricResponse) -> None:
        if answer.data is not None and len(answer.data) > self._series:
            name = promql.name if isinstance(promql, PrometheusMetric) else promql
            raise BudgetError(
                f'the query of "{name}" gives more than {self._series} series: have it aggregate them, '
                "e.g. with sum(…), or raise limits.max_series",
                reason="too-many-series",
            )

    @property
    def _series(self) -> int:
        return self.config.limits.max_series

    def _timeout(self, timeout: DurationDescriptor | None) -> Duration:
        return self.config.timeout if timeout is None else Duration(timeout)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Transport]:
        if self._transport is not None:
            yield self._transport
            return
        transport = Transport(self.url, self.config, self._settings)
        try:
            yield transport
        finally:
            await transport.aclose()


def _joined(answers: list[MetricResponse]) -> MetricResponse:
    """One answer of those to the pieces of a range, each series whole again."""
    first = answers[0]
    if len(answers) == 1:
        return first
    series: dict[tuple[tuple[str, str], ...], RangeVector] = {}
    for vector in (vector for answer in answers for vector in answer.data or ()):
        known = series.setdefault(
            tuple(sorted(vector.metric.items())), RangeVector(metric=vector.metric, values=[])
        )
        known.values.extend(vector.values)
    warnings = list(dict.fromkeys(text for answer in answers for text in answer.warnings))
    data = QueryData.model_construct(result_type=ResultType.matrix, result=list(series.values()))
    return MetricResponse.model_construct(
        request=first.request, status="success", error=None, warnings=warnings, data=data, metric=first.metric
    )
