"""An application behind a service, the pod of a servo with a Prometheus, and one that scrapes proxies as that would.

Debian's Prometheus is built without the discovery of Kubernetes: a thread does what the relabelling of docs/opsani-dev.md says,
and requests go to the endpoints of the service, as kube-proxy would send them.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from servo.configuration import OpsaniOptimizer
from servo.connectors.kubernetes.options import permissions
from servo.connectors.opsani_dev import OpsaniDevChecks, OpsaniDevConfiguration
from servo.connectors.opsani_dev.checks.target import PERMISSIONS
from servo.kubernetes import CONFIG_MAPS, DEPLOYMENTS, PODS, SERVICES, Client, Resource

ENDPOINTS = Resource("", "v1", "endpoints", "Endpoints")
CLUSTER = Path("/work/shared/testbed/cluster")
IMAGE = "localhost/trimtab-test-proxy:1"
APPLICATION = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
RESOURCES = {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}}


def container(name: str, program: str, **values: Any) -> dict[str, Any]:
    return {
        "name": name,
        "image": "localhost/python:3.11",
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", program],
        **values,
    }


class Shop:
    """What a test makes in its namespace: a Deployment `web` of one container `app`, and a service of that name."""

    def __init__(self, admin: Client, namespace: str, kubeconfig: Path, prometheus: str) -> None:
        self.admin, self.namespace, self.kubeconfig, self.prometheus = (
            admin,
            namespace,
            kubeconfig,
            prometheus,
        )

    async def deploy(self, *, replicas: int = 0, resources: Any = RESOURCES, **spec: Any) -> dict[str, Any]:
        """Make the Deployment; without replicas it costs nothing, and is ready."""
        app = container(
            "app",
            APPLICATION,
            resources=resources,
            ports=[{"name": "http", "containerPort": 8080}],
            readinessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        )
        template = {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [app], "terminationGracePeriodSeconds": 0},
        }
        strategy = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        body = {
            "metadata": {"name": "web"},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "strategy": strategy,
                "template": template,
                **spec,
            },
        }
        await self.admin.create(DEPLOYMENTS, body, self.namespace)
        if not spec:
            await self.until_ready()
        return await self.deployment()

    async def until_ready(self) -> None:
        async with asyncio.timeout(90):
            while True:
                found = await self.deployment()
                status, wanted = found.get("status", {}), found["spec"]["replicas"]
                seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
                counts = {status.get(key) or 0 for key in ("replicas", "readyReplicas", "updatedReplicas")}
                if seen and counts == {wanted}:
                    return
                await asyncio.sleep(0.2)

    async def deployment(self) -> dict[str, Any]:
        return await self.admin.get(DEPLOYMENTS, "web", self.namespace)

    async def serve(self, *, name: str = "web", ports: Any = None, **spec: Any) -> dict[str, Any]:
        """Make a service."""
        body = {"selector": {"app": "web"}, "ports": ports or [{"port": 80, "targetPort": "http"}], **spec}
        return await self.admin.create(SERVICES, {"metadata": {"name": name}, "spec": body}, self.namespace)

    async def service(self, name: str = "web") -> dict[str, Any]:
        return await self.admin.get(SERVICES, name, self.namespace)

    async def house(self, *, program: str = "import time; time.sleep(10000)", port: int = 9090, name: str = "prometheus", **values: Any) -> None:  # fmt: skip
        """Make the servo's pod, with what passes for a Prometheus, and its ConfigMap."""
        await self.admin.create(
            CONFIG_MAPS, {"metadata": {"name": "prometheus-config"}, "data": {}}, self.namespace
        )
        proxy = container(name, program, ports=[{"containerPort": port}], **values)
        spec = {"containers": [proxy], "terminationGracePeriodSeconds": 0}
        labels = {"app.kubernetes.io/name": "servo"}
        await self.admin.create(
            PODS, {"metadata": {"name": "servo", "labels": labels}, "spec": spec}, self.namespace
        )

    async def until_pod(self, name: str, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while not done(found := await self.admin.get(PODS, name, self.namespace)):  # noqa: ASYNC110  the cluster rings no event here
                await asyncio.sleep(0.2)
        return found

    def section(self, **values: Any) -> dict[str, Any]:
        """The section of servo.yaml."""
        return {
            "kubeconfig": str(self.kubeconfig),
            "namespace": self.namespace,
            "deployment": "web",
            "container": "app",
            "service": "web",
            "cpu": {"min": "10m", "max": "1", "step": "10m"},
            "memory": {"min": "32Mi", "max": "256Mi", "step": "32Mi"},
            "prometheus_base_url": self.prometheus,
            "envoy_sidecar_image": IMAGE,
            "timeout": "60s",
        } | values

    def config(self, **values: Any) -> OpsaniDevConfiguration:
        return OpsaniDevConfiguration.model_validate(self.section(**values))

    def checks(self, **values: Any) -> OpsaniDevChecks:
        optimizer = OpsaniOptimizer(id="dev.example.com/app", token="t")
        given = {"optimizer": optimizer, "cluster": lambda: self.admin}
        given |= {
            key: values.pop(key) for key in ("optimizer", "cluster", "ensure_tuning_pod") if key in values
        }
        return OpsaniDevChecks(config=self.config(**values), **given)


@pytest.fixture
async def shop(admin, namespace, cluster, free_port) -> Shop:
    """A shop whose Prometheus does not answer; its client may do everything."""
    return Shop(admin, namespace, Path(cluster), f"http://127.0.0.1:{free_port}")


@pytest.fixture
async def limited(shop, admin, namespace, cluster, tmp_path, make) -> Shop:
    """The same; its kubeconfig is that of an account with the documented role."""
    rules = [
        *PERMISSIONS,
        permissions("", "configmaps", ("get",)),
        permissions("metrics.k8s.io", "pods", ("list",)),
    ]
    shop.kubeconfig = await make["account"](Path(cluster), admin, namespace, rules, tmp_path)
    return shop


@pytest.fixture(scope="session")
def proxy_image(tmp_path_factory) -> str:
    """The proxy's image, in the cluster."""
    if shutil.which("podman") is None or not CLUSTER.exists():
        pytest.skip("podman and the test bed's cluster make the proxy's image")
    folder = tmp_path_factory.mktemp("proxy")
    shutil.copy(Path(__file__).with_name("proxy.py"), folder)
    (folder / "Containerfile").write_text(
        'FROM localhost/python:3.11\nCOPY proxy.py /proxy.py\nENTRYPOINT ["python3", "/proxy.py"]\n'
    )
    with Path("/tmp/trimtab-test-images.lock").open("w") as lock:  # as other tests of images
        fcntl.flock(lock, fcntl.LOCK_EX)
        archive = folder / "image.tar"
        for command in (
            [Path(__file__).parents[5] / "scripts" / "test-image"],
            ["podman", "build", "--quiet", "--tag", IMAGE, folder],
            ["podman", "save", "--quiet", "--output", archive, IMAGE],
            [CLUSTER, "load", archive],
        ):
            done = subprocess.run(command, capture_output=True, check=False, timeout=300)
            if done.returncode:
                pytest.skip(f"no image of the proxy: {done.stderr.decode()[-300:]}")
        archive.unlink()
    return IMAGE


@pytest.fixture
def prometheus(free_port, tmp_path) -> Iterator[tuple[str, Path]]:
    """A real Prometheus that scrapes twice a second what a file tells: its address, and the file."""
    if shutil.which("prometheus") is None:
        pytest.skip("no Prometheus: scripts/system-packages installs it")
    folder = tmp_path / "prometheus"
    folder.mkdir()
    targets = folder / "targets.json"
    targets.write_text("[]")
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 500ms, scrape_timeout: 500ms}\nscrape_configs:\n  - job_name: opsani-envoy-sidecars\n"
        "    metrics_path: /stats/prometheus\n"
        f"    file_sd_configs: [{{files: [{targets}], refresh_interval: 1s}}]\n"
    )
    command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{free_port}", "--log.level=warn"]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    yield f"http://127.0.0.1:{free_port}", targets
    process.kill()
    process.wait()


@pytest.fixture
async def scraped(limited, prometheus, proxy_image) -> AsyncIterator[Shop]:
    """A shop with a Prometheus that finds the pods whose annotations say so."""
    limited.prometheus, targets = prometheus
    async with asyncio.timeout(30), httpx2.AsyncClient(trust_env=False) as client:
        while True:
            with contextlib.suppress(httpx2.TransportError):
                if (await client.get(f"{limited.prometheus}/-/ready")).is_success:
                    break
            await asyncio.sleep(0.1)
    task = asyncio.create_task(_discover(limited, targets))
    yield limited
    task.cancel()


async def _discover(shop: Shop, targets: Path) -> None:
    while True:
        pods = (await shop.admin.list(PODS, shop.namespace)).items
        found = [
            {
                "targets": [f"{pod['status']['podIP']}:{told['prometheus.opsani.com/port']}"],
                "labels": {
                    **{key.replace(".", "_").replace("/", "_"): value for key, value in pod["metadata"]["labels"].items() if "-" not in key},
                    "kubernetes_pod_name": pod["metadata"]["name"],
                },
            }
            for pod in pods
            if (told := pod["metadata"].get("annotations") or {}).get("prometheus.opsani.com/scrape") == "true"
            and pod["status"].get("podIP")
        ]  # fmt: skip
        new = targets.with_suffix(".new")
        new.write_text(json.dumps(found))
        new.replace(targets)
        await asyncio.sleep(0.3)


@pytest.fixture
async def customers(scraped) -> AsyncIterator[list[int]]:
    """Requests to the endpoints of the service, ten a second each; the list has their statuses."""
    answers: list[int] = []

    async def ask() -> None:
        async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
            while True:
                for address in await _addresses(scraped):
                    with contextlib.suppress(httpx2.TransportError):
                        answers.append((await client.get(f"http://{address}/")).status_code)
                await asyncio.sleep(0.1)

    task = asyncio.create_task(ask())
    yield answers
    task.cancel()


async def _addresses(shop: Shop) -> list[str]:
    with contextlib.suppress(Exception):  # no service yet
        found = await shop.admin.get(ENDPOINTS, "web", shop.namespace)
        return [
            f"{address['ip']}:{subset['ports'][0]['port']}"
            for subset in found.get("subsets") or ()
            for address in subset.get("addresses") or ()
        ]
    return []
