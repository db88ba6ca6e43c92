"""What the server counts, for Prometheus."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from trimtab.catalog import (
    AnalysisKind,
    AnalysisState,
    Database,
    InspectionState,
    UnavailableError,
    analyses,
    inspections,
)
from trimtab.catalog import sessions as catalog
from trimtab.optimizer.session_machine import State
from trimtab.optimizer.session_messages import EVENTS, Reply

__all__ = ["Metrics"]

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The metrics of one application, in a registry of its own.

    Args:
        database: Of the sessions, trials and inspections that are counted when somebody asks.
    """

    def __init__(self, database: Database) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(Stock(database))
        info = Gauge("amun_api_info", "Version of the service", ["version"], registry=self.registry)
        info.labels(version("trimtab")).set(1)
        self.posts = Counter(
            "trimtab_posts",
            "Posts of agents, by event and by what they were answered",
            ["event", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "trimtab_request_seconds",
            "Time to answer a request, by route",
            ["route", "code"],
            registry=self.registry,
            buckets=BUCKETS,
        )

        self.parts = Counter(
            "trimtab_build_parts",
            "Parts of builds, and images, that were submitted, by what became of them",
            ["part", "outcome"],
            registry=self.registry,
        )
        self.ended = Counter(
            "trimtab_analyses_ended",
            "Analyses that ended in this process, by kind and outcome",
            ["kind", "outcome"],
            registry=self.registry,
        )

    def count_part(self, part: str, outcome: str) -> None:
        """Count a part of a build that was submitted."""
        self.parts.labels(part, outcome).inc()

    def count_analysis(self, kind: str, outcome: str) -> None:
        """Count an analysis that ended here."""
        self.ended.labels(kind, outcome).inc()

    def count(self, event: object, reply: Reply | int) -> None:
        """Count a post: its reply, or the code of the error it was refused with."""
        status = str(reply) if isinstance(reply, int) else reply.get("status") or reply["cmd"]
        known = event if isinstance(event, str) and event in EVENTS else "unknown"
        self.posts.labels(known, status).inc()


class Stock(Collector):
    """Sessions, trials and inspections as they are in the database when metrics are asked for.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def describe(self) -> Iterable[Any]:
        """Nothing: the registry is not to ask the database just to learn the names."""
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Count them; without a database there is nothing but the fact itself."""
        up = GaugeMetricFamily("trimtab_database_up", "Whether the database answers")
        sessions = GaugeMetricFamily("trimtab_sessions", "Sessions, by state", labels=["state"])
        trials = GaugeMetricFamily("trimtab_trials", "Concluded trials, by status", labels=["status"])
        inspected = GaugeMetricFamily("trimtab_inspections", "Inspections, by state", labels=["state"])
        analysed = GaugeMetricFamily(
            "trimtab_analyses", "Analyses, by kind and state", labels=["kind", "state"]
        )
        try:
            with self.database.read() as connection:
                states, statuses = catalog.states(connection), catalog.statuses(connection)
                found = inspections.states(connection)
                of_builds = analyses.states(connection)
        except UnavailableError:
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        for state in State:
            sessions.add_metric([state.value], states.get(state.value, 0))
        for status, count in statuses.items():
            trials.add_metric([status], count)
        for each in InspectionState:
            inspected.add_metric([each.value], found.get(each.value, 0))
        for kind in AnalysisKind:
            for stands in AnalysisState:
                key = kind.value, stands.value
                analysed.add_metric([*key], of_builds.get(key, 0))
        return [up, sessions, trials, inspected, analysed]
