"""What can go wrong with a Prometheus.

::

    ConnectorError
    └ PrometheusError
      ├ UnavailableError    it could not be reached, did not answer in time, or let nobody in
      ├ QueryError          it understood what was asked, and refused
      └ BudgetError         it was not asked, or its answer not kept, for that would be too much
"""

from __future__ import annotations

from servo.errors import ConnectorError

__all__ = ["BudgetError", "PrometheusError", "QueryError", "UnavailableError"]


class PrometheusError(ConnectorError):
    """Something about a Prometheus is not as it should be."""


class UnavailableError(PrometheusError):
    """It could not be reached, did not answer in time, let nobody in, or what answered is no Prometheus.

    Attributes:
        status: That of the answer, if there was one.
    """

    status: int | None = None


class QueryError(PrometheusError):
    """It understood the request and refused it: a mistake in a query, or a limit of its own."""


class BudgetError(PrometheusError):
    """A query would cost, or has given, more than the configured limits allow."""
