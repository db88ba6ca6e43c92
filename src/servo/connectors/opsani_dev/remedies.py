"""What is done for checks that fail, and the command by which a person would do the same.

Nothing here starts a program or a shell: the API is asked, and the commands are for people to read.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Mapping
from typing import Any

from servo.connectors.kubernetes import routing
from servo.connectors.kubernetes.manifests import Manifest
from servo.connectors.kubernetes.sidecar import ENVOY_SIDECAR_DEFAULT_PORT, Sidecar, find, inject
from servo.connectors.kubernetes.writing import rewrite
from servo.connectors.opsani_dev.configuration import OpsaniDevConfiguration
from servo.kubernetes import (
    DEPLOYMENTS,
    PODS,
    AnswerError,
    ApiError,
    Client,
    ForbiddenError,
    KubernetesError,
    label_selector,
)

__all__ = ["Remedies"]

_REQUESTS = 20
_SECONDS_OF_TRAFFIC = 8.0  # the loop of checks gives a remedy ten


class Remedies:
    """Changes of the Deployment and the service that checks ask for.

    Args:
        config: What they are.
        client: The cluster.
    """

    def __init__(self, config: OpsaniDevConfiguration, client: Client) -> None:
        self.config, self.client = config, client

    async def annotate(self, annotations: Mapping[str, str]) -> None:
        """Set annotations of the pod template that are not there."""
        await self._mark("annotations", annotations, keep=True)

    async def label(self, labels: Mapping[str, str]) -> None:
        """Set labels of the pod template."""
        await self._mark("labels", labels, keep=False)

    async def _mark(self, what: str, marks: Mapping[str, str], *, keep: bool) -> None:
        def mark(workload: Manifest) -> bool:
            metadata = workload["spec"]["template"].setdefault("metadata", {})
            before = metadata.get(what) or {}
            metadata[what] = {**marks, **before} if keep else {**before, **marks}
            return bool(metadata[what] != before)

        await rewrite(self.client, DEPLOYMENTS, self.config.workload_name, self.config.namespace, mark)

    def marking_command(self, what: str, marks: Mapping[str, str]) -> str:
        """Return the command that sets annotations or labels of the pod template."""
        patch = json.dumps({"spec": {"template": {"metadata": {what: dict(marks)}}}})
        return self._kubectl(
            "patch", f"deployment/{self.config.workload_name}", "--type=merge", f"--patch={patch}"
        )

    async def inject(self) -> None:
        """Put the proxy in front of the container."""
        config = self.config
        sidecar = Sidecar(config.envoy_sidecar_image)
        await inject(
            self.client,
            config.namespace,
            config.workload_name,
            sidecar,
            service=config.service,
            port=config.port,
        )

    def injecting_command(self) -> str:
        """Return the command that does so."""
        config = self.config
        arguments = ["servo", *self._cluster_options("inject-sidecar"), "--namespace", config.namespace]
        arguments += ["--service", config.service]
        arguments += ["--port", str(config.port)] if config.port is not None else []
        return shlex.join(
            [*arguments, "--image", config.envoy_sidecar_image, f"deployment/{config.workload_name}"]
        )

    async def lead(self) -> None:
        """Let the service lead to the proxies."""
        await routing.lead_through(self.client, self.config.namespace, self.config.service, self.config.port)

    def leading_command(self, port: Mapping[str, Any]) -> str:
        """Return the command that does so for a port."""
        patch = json.dumps(
            {"spec": {"ports": [{"port": port["port"], "targetPort": ENVOY_SIDECAR_DEFAULT_PORT}]}}
        )
        return self._kubectl(
            "patch", f"service/{self.config.service}", "--type=strategic", f"--patch={patch}"
        )

    async def send(self) -> None:
        """Send some requests to each proxy, through the API server, whatever the application answers.

        Raises:
            KubernetesError: No request got as far as a proxy.
        """
        pods = [pod for pod in await self.pods() if find(pod) is not None]
        if not pods:
            raise KubernetesError(f"no pod of deployment {self.config.workload_name} has a proxy yet")
        async with asyncio.timeout(_SECONDS_OF_TRAFFIC):
            await asyncio.gather(*(self._send_to(pod) for pod in pods))

    async def pods(self) -> list[Manifest]:
        """Return the Deployment's pods that are not going."""
        workload = await self.client.get(DEPLOYMENTS, self.config.workload_name, self.config.namespace)
        chosen = label_selector(workload["spec"]["selector"])
        found = (await self.client.list(PODS, self.config.namespace, labels=chosen)).items
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    async def _send_to(self, pod: Manifest) -> None:
        name = f"{pod['metadata']['name']}:{ENVOY_SIDECAR_DEFAULT_PORT}"
        path = f"{PODS.path(self.config.namespace, name, 'proxy')}/"
        for _ in range(_REQUESTS):
            try:
                await self.client.request("GET", path)
            except ForbiddenError:
                raise
            except (ApiError, AnswerError) as error:
                if getattr(error, "transient", False):
                    raise  # the proxy does not answer yet
                # An answer of the application: an error of its own, or no JSON.

    def sending_command(self) -> str:
        """Return the command that gives a way to the proxies, for requests by any means."""
        return self._kubectl(
            "port-forward", f"deployment/{self.config.workload_name}", str(ENVOY_SIDECAR_DEFAULT_PORT)
        )

    def _kubectl(self, *arguments: str) -> str:
        return shlex.join(
            ["kubectl", *self._cluster_options(), "--namespace", self.config.namespace, *arguments]
        )

    def _cluster_options(self, *command: str) -> list[str]:
        options = [*command]
        options += ["--kubeconfig", str(self.config.kubeconfig)] if self.config.kubeconfig else []
        return [*options, *(["--context", self.config.context] if self.config.context else [])]
