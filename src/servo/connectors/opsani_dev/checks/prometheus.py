"""The checks in the middle: the Prometheus beside the servo."""

from __future__ import annotations

from typing import Any

from servo.checks import CheckError, check, require, warn
from servo.connectors.kubernetes.names import dns_subdomainify
from servo.connectors.opsani_dev import servo_pod
from servo.connectors.opsani_dev.checks.target import TargetChecks, refused
from servo.connectors.prometheus import Client, PrometheusError
from servo.kubernetes import CONFIG_MAPS, KubernetesError, NotFoundError
from servo.types.core import Duration

__all__ = ["PrometheusSidecarChecks"]

_PORT = 9090


class PrometheusSidecarChecks(TargetChecks):
    """Checks of Prometheus. Where the configuration names one elsewhere, none is expected beside the servo."""

    @require("Prometheus ConfigMap exists")
    async def check_prometheus_config_map(self) -> str:
        """The configuration of the Prometheus beside the servo is there."""
        if not self.config.has_prometheus_beside:
            return self._elsewhere
        where = servo_pod.home(self.config.namespace)
        name = getattr(self.optimizer, "name", None) or ""
        names = [f"servo.prometheus-{dns_subdomainify(name)}", "prometheus-config"]
        for each in names:
            try:
                await self.cluster().get(CONFIG_MAPS, each, where)
            except NotFoundError:
                continue
            except KubernetesError as error:
                raise refused(error, "let the role of the agent have get of configmaps") from error
            return each
        raise CheckError(
            f"namespace {where} has neither a ConfigMap {names[0]} nor {names[1]}",
            hint="apply the ConfigMap of docs/opsani-dev.md, or set prometheus_base_url to a Prometheus elsewhere",
        )

    @check("Prometheus sidecar is running")
    async def check_prometheus_sidecar_exists(self) -> str:
        """The servo's pod has its container."""
        if not self.config.has_prometheus_beside:
            return self._elsewhere
        pod, _ = await self._sidecar()
        return f"in pod {pod['metadata']['name']}"

    @check("Prometheus sidecar is ready")
    async def check_prometheus_sidecar_is_ready(self) -> str | None:
        """The container is."""
        if not self.config.has_prometheus_beside:
            return self._elsewhere
        pod, _ = await self._sidecar()
        if not servo_pod.status(pod).get("ready"):
            raise CheckError(
                f"the container {servo_pod.PROMETHEUS} of pod {pod['metadata']['name']} is not ready",
                hint=self._log_command(pod),
            )
        return None

    @warn("Prometheus sidecar is stable")
    async def check_prometheus_restart_count(self) -> str | None:
        """The container never ended."""
        if not self.config.has_prometheus_beside:
            return self._elsewhere
        pod, _ = await self._sidecar()
        if count := int(servo_pod.status(pod).get("restartCount") or 0):
            raise CheckError(
                f"the container {servo_pod.PROMETHEUS} of pod {pod['metadata']['name']} was started again {count} times",
                hint=f"{self._log_command(pod)} --previous",
            )
        return None

    @require("Prometheus has container port on 9090")
    async def check_prometheus_container_port(self) -> str | None:
        """The container has that port and no other."""
        if not self.config.has_prometheus_beside:
            return self._elsewhere
        _, container = await self._sidecar()
        found = [each.get("containerPort") for each in container.get("ports") or ()]
        if found != [_PORT]:
            listed = ", ".join(map(str, found)) or "none"
            raise CheckError(
                f"the container {servo_pod.PROMETHEUS} should have the port {_PORT} alone, and has {listed}",
                hint="correct `ports` of the container in the servo's Deployment",
            )
        return None

    @require("Prometheus is accessible")
    async def check_prometheus_is_accessible(self) -> str:
        """It answers."""
        try:
            await self._prometheus().query("vector(1)")
        except PrometheusError as error:
            raise refused(error, "start Prometheus, or correct prometheus_base_url") from error
        return self.config.prometheus_base_url

    @property
    def _elsewhere(self) -> str:
        return f"none is expected: Prometheus is at {self.config.prometheus_base_url}"

    async def _sidecar(self) -> tuple[dict[str, Any], dict[str, Any]]:
        where = servo_pod.home(self.config.namespace)
        try:
            pod = await servo_pod.read(self.cluster(), self.config.namespace)
        except KubernetesError as error:
            raise refused(error, "let the role of the agent have get and list of pods") from error
        if pod is None:
            raise CheckError(
                f"no servo pod was found in namespace {where}",
                hint="set POD_NAME and POD_NAMESPACE by the downward API, or the label app.kubernetes.io/name=servo",
            )
        container = servo_pod.container(pod)
        if container is None:
            raise CheckError(
                f"pod {pod['metadata']['name']} in namespace {where} has no container {servo_pod.PROMETHEUS}",
                hint="add it to the servo's Deployment (docs/opsani-dev.md), or set prometheus_base_url",
            )
        return pod, container

    def _log_command(self, pod: dict[str, Any]) -> str:
        where = servo_pod.home(self.config.namespace)
        return f"kubectl -n {where} logs {pod['metadata']['name']} -c {servo_pod.PROMETHEUS}"

    def _prometheus(self) -> Client:
        config = self.config.generate_prometheus_config()
        once = config.model_copy(update={"retry_time": Duration(0)})
        return Client(once.base_url, once, self.settings)
