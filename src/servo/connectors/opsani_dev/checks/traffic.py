"""The last checks: the proxies, and the requests that pass them. Those that a program can mend have a remedy."""

from __future__ import annotations

from collections.abc import Mapping

from servo.checks import CheckError, check, require
from servo.connectors.kubernetes import ports
from servo.connectors.kubernetes.names import dns_labelize
from servo.connectors.kubernetes.sidecar import (
    ENVOY_SIDECAR_DEFAULT_PORT,
    ENVOY_SIDECAR_METRICS_PORT,
    ENVOY_SIDECAR_NAME,
    find,
)
from servo.connectors.kubernetes.views import WorkloadView
from servo.connectors.opsani_dev import queries
from servo.connectors.opsani_dev.checks.prometheus import PrometheusSidecarChecks
from servo.connectors.opsani_dev.checks.target import refused
from servo.connectors.prometheus import PrometheusError
from servo.errors import EventError
from servo.kubernetes import DEPLOYMENTS, KubernetesError, label_selector
from servo.types.core import DataPoint

__all__ = ["OpsaniDevChecks"]

_OPTIMIZER = "servo.opsani.com/optimizer"


class OpsaniDevChecks(PrometheusSidecarChecks):
    """All the checks, in the order in which a person would set things up."""

    @check("{self.config.workload_name} PodSpec has expected annotations")
    async def check_controller_annotations(self) -> None:
        """Prometheus is told what to scrape."""
        wanted = self._annotations
        if missing := sorted(wanted.keys() - (await self._marks("annotations")).keys()):
            lacking = {key: wanted[key] for key in missing}
            raise CheckError(
                f"Deployment '{self.config.workload_name}' is missing annotations: {', '.join(missing)}",
                hint=self._remedies().marking_command("annotations", lacking),
                remedy=lambda: self._remedies().annotate(lacking),
            )

    @check("{self.config.workload_kind} PodSpec has expected labels")
    async def check_controller_labels(self) -> None:
        """The pods say that they have a proxy, and for whom."""
        wanted, found = self._labels, await self._marks("labels")
        lacking = {key: value for key, value in sorted(wanted.items()) if found.get(key) != value}
        if lacking:
            listed = ", ".join(f"{key}={value}" for key, value in lacking.items())
            raise CheckError(
                f"Deployment '{self.config.workload_name}' is missing labels: {listed}",
                hint=self._remedies().marking_command("labels", lacking),
                remedy=lambda: self._remedies().label(lacking),
            )

    @require("{self.config.workload_kind} has Envoy sidecar container")
    async def check_controller_envoy_sidecars(self) -> None:
        """Its template has a proxy."""
        if find(await self._workload()) is None:
            raise CheckError(
                f"Deployment '{self.config.workload_name}' pod template spec does not include envoy sidecar container "
                f"('{ENVOY_SIDECAR_NAME}')",
                hint=self._remedies().injecting_command(),
                remedy=self._remedies().inject,
            )

    @check("Pods have Envoy sidecar containers")
    async def check_pod_envoy_sidecars(self) -> str:
        """The newest pods have one, so the template has reached them."""
        workload = await self._workload()
        chosen = label_selector(workload["spec"]["selector"])
        name, where = self.config.workload_name, self.config.namespace
        view = WorkloadView(self.cluster(), DEPLOYMENTS, name, where, chosen)
        try:
            pods = view.pods(await view.look())
        except KubernetesError as error:
            raise refused(error) from error
        without = sorted(pod["metadata"]["name"] for pod in pods if find(pod) is None)
        if without or not pods:
            raise CheckError(
                f"without a container '{ENVOY_SIDECAR_NAME}': {', '.join(without) or 'the Deployment has no pods'}",
                hint=f"kubectl -n {where} rollout status deployment/{name}",
            )
        return f"{len(pods)} pods"

    @check("Prometheus is discovering targets")
    async def check_prometheus_targets(self) -> str:
        """It scrapes something."""
        try:
            targets = (await self._prometheus().list_targets("active")).active
        except PrometheusError as error:
            raise refused(error) from error
        if not targets:
            raise CheckError(
                "Prometheus has no active targets",
                hint="see whether its scrape_configs choose pods by the annotation prometheus.opsani.com/scrape",
            )
        return f"{sum(each.is_healthy() for each in targets)} of {len(targets)} are up"

    @check("Envoy proxies are being scraped")
    async def check_envoy_sidecar_metrics(self) -> str:
        """A request that passed a proxy is known to Prometheus."""
        count = await self._count(queries.total_requests())
        if not count:
            raise CheckError(
                f"Envoy is not reporting any traffic to Prometheus ({queries.total_requests()})",
                hint=f"send requests to http://localhost:{ENVOY_SIDECAR_DEFAULT_PORT}/ while this runs: "
                f"{self._remedies().sending_command()}",
                remedy=self._remedies().send,
            )
        return f"{count:.0f} requests"

    @require("Traffic is proxied through Envoy")
    async def check_service_proxy(self) -> str:
        """The service leads to the proxies."""
        service = await self._service()
        port = self._port(service)
        target = ports.target_of(port)
        if target not in {ENVOY_SIDECAR_DEFAULT_PORT, "opsani-proxy"}:
            raise CheckError(
                f"service '{self.config.service}' is not routing traffic through Envoy sidecar on port "
                f"{ENVOY_SIDECAR_DEFAULT_PORT}, but to {target}",
                hint=self._remedies().leading_command(port),
                remedy=self._remedies().lead,
            )
        return f"{port['port']}:{target}"

    @check("Tuning pod is running")
    async def check_tuning_is_running(self) -> str | None:
        """It is ready, or could be made."""
        if not self.config.create_tuning_pod:
            return "skipped: create_tuning_pod is off"
        if self.ensure_tuning_pod is None:
            raise CheckError("only a servo makes tuning pods")
        try:
            await self.ensure_tuning_pod()
        except (EventError, KubernetesError) as error:
            raise refused(error, "correct what keeps the pod from getting ready") from error
        return None

    @check("Pods are processing traffic")
    async def check_traffic_metrics(self) -> str:
        """Requests reach the Deployment's pods, and the tuning pod."""
        roles = ["main", *(["tuning"] if self.config.create_tuning_pod else [])]
        counts = {role: await self._count(queries.total_requests(role=role)) for role in roles}
        if idle := [role for role, count in counts.items() if not count]:
            raise CheckError(
                f"Envoy reports no requests of: {', '.join(idle)}",
                hint=f"send requests to service {self.config.service}, and see that Prometheus scrapes each pod",
            )
        return ", ".join(f"{role} {count:.0f} requests" for role, count in counts.items())

    async def _count(self, query: str) -> float:
        try:
            found = (await self._prometheus().query(query)).results()
        except PrometheusError as error:
            raise refused(error) from error
        return sum(point.value for point in found if isinstance(point, DataPoint))

    async def _marks(self, what: str) -> Mapping[str, str]:
        found = ((await self._workload())["spec"]["template"].get("metadata") or {}).get(what) or {}
        return dict(found)

    @property
    def _annotations(self) -> dict[str, str]:
        return {
            "prometheus.opsani.com/path": "/stats/prometheus",
            "prometheus.opsani.com/port": str(ENVOY_SIDECAR_METRICS_PORT),
            "prometheus.opsani.com/scheme": "http",
            "prometheus.opsani.com/scrape": "true",
            _OPTIMIZER: str(getattr(self.optimizer, "id", "")),
        }

    @property
    def _labels(self) -> dict[str, str]:
        label = dns_labelize(str(getattr(self.optimizer, "id", "")))
        return {_OPTIMIZER: label, "sidecar.opsani.com/type": "envoy"}
