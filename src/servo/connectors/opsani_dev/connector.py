"""Answers events by the connectors that it is made of, and has checks of its own."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import PrivateAttr

from servo.connector import BaseConnector, metadata
from servo.connectors.kube_metrics import KubeMetricsConnector
from servo.connectors.kube_metrics.checks import KubeMetricsChecks
from servo.connectors.kubernetes import KubernetesConnector
from servo.connectors.opsani_dev.checks import OpsaniDevChecks
from servo.connectors.opsani_dev.configuration import OpsaniDevConfiguration
from servo.connectors.prometheus import PrometheusConnector
from servo.events import on_event
from servo.kubernetes import Client
from servo.types.checks import Check, CheckFilter
from servo.types.core import ErrorSeverity, License, Maturity

__all__ = ["OpsaniDevConnector"]

_PREFIX = "opsani-dev"
_SECONDS_TO_ASK = 5.0


@metadata(
    description="Tunes one Deployment behind a service, by a tuning pod and the metrics of a proxy in each pod",
    version="2.0.0",
    license=License.apache2,
    maturity=Maturity.experimental,
)
class OpsaniDevConnector(BaseConnector):
    """Adds connectors to its servo: `kubernetes`, `prometheus`, and `kube_metrics` where the metrics API answers.

    They describe, measure and adjust; this one has the checks.
    """

    config: OpsaniDevConfiguration

    _client: Client | None = PrivateAttr(default=None)
    _added: list[str] = PrivateAttr(default_factory=list)
    _adjuster: KubernetesConnector | None = PrivateAttr(default=None)
    _tuner: KubernetesConnector | None = PrivateAttr(default=None)
    _started: bool = PrivateAttr(default=False)

    @on_event()
    async def attach(self, servo_: Any) -> None:
        """Add the connectors that this one is made of."""
        self._adjuster = KubernetesConnector(config=self.config.generate_kubernetes_config())
        parts: list[tuple[str, BaseConnector]] = [
            ("kubernetes", self._adjuster),
            ("prometheus", PrometheusConnector(config=self.config.generate_prometheus_config())),
        ]
        if await self._has_metrics_api():
            config = self.config.generate_kube_metrics_config()
            parts.append(("kube-metrics", KubeMetricsConnector(config=config)))
        for name, connector in parts:
            full = f"{_PREFIX}:{name}"
            await servo_.add_connector(full, connector)
            self._added.append(full)

    async def _has_metrics_api(self) -> bool:
        checks = KubeMetricsChecks(config=self.config.generate_kube_metrics_config())
        try:
            async with asyncio.timeout(_SECONDS_TO_ASK):
                found = await checks.run_one(id="check_metrics_api", skip_requirements=True)
        except TimeoutError:
            self.logger.info("the metrics API is slow: what pods use is not measured")
            return False
        if not found.success:
            text = f"what pods use is not measured: {found.message}"
            self.logger.info(text)
        return bool(found.success)

    @on_event()
    async def startup(self) -> None:
        """Leave the tuning pod that a check had made to the connector that adjusts it."""
        self._started = True
        if self._tuner is not None:
            tuner, self._tuner = self._tuner, None
            await tuner.detach(None)

    @on_event()
    async def shutdown(self) -> None:
        """Take note that there is no more to come."""
        self._started = False

    @on_event()
    async def detach(self, servo_: Any) -> None:
        """Take the connectors away that were added, and the tuning pod if it was only made by a check."""
        if self._tuner is not None:
            tuner, self._tuner = self._tuner, None
            await tuner.shutdown()
            await tuner.detach(None)
        for name in self._added:
            await servo_.remove_connector(name)
        self._added.clear()
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @on_event()
    async def check(
        self, matching: CheckFilter | None, halt_on: ErrorSeverity | None = ErrorSeverity.critical
    ) -> list[Check]:
        """Verify everything from the cluster to the requests that reach the tuning pod."""
        return await self.checks().run_all(matching, halt_on)

    def checks(self) -> OpsaniDevChecks:
        """Return the checks, for this connector's servo and cluster."""
        return OpsaniDevChecks(
            config=self.config,
            optimizer=self.optimizer,
            cluster=self._cluster,
            settings=self._global_config,
            ensure_tuning_pod=self._ensure_tuning_pod,
        )

    def _cluster(self) -> Client:
        if self._client is None:
            self._client = Client.open(self.config.kubeconfig, self.config.context)
        return self._client

    async def _ensure_tuning_pod(self) -> None:
        """Have a tuning pod made, also before the servo starts: what becomes of it is seen at startup, or at the end."""
        if self._started and self._adjuster is not None:
            await self._adjuster.ensure_measurable()
            return
        if self._tuner is None:
            self._tuner = KubernetesConnector(config=self.config.generate_kubernetes_config())
            await self._tuner.startup()
        await self._tuner.ensure_measurable()
