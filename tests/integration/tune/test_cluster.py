"""The shop in a real cluster, with a real Prometheus: `servo run` against `trimtab serve` tunes it, rolling and canary."""

import asyncio
import contextlib
import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import yaml

from servo.kubernetes import DEPLOYMENTS, LEASES, PODS, Client

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "kubernetes"
CLUSTER = ROOT.parent / "shared" / "testbed" / "cluster"
IMAGE = "localhost/trimtab-shop:test"
PROGRAMS = Path(sys.executable).parent
PORT = 8370
TRIALS = 7
SHARED = "requests: {cpu: 10m, memory: 256Mi}"
"""The node of a test is shared with others: what is had is limited, and not reserved."""


@pytest.fixture(scope="session")
def shop_image(cluster) -> str:
    """The shop's image, which the cluster has."""
    if os.getuid() != 0 or not shutil.which("podman") or not CLUSTER.is_file():
        pytest.skip("no root, no podman or no test bed: the shop's image cannot be brought into the cluster")
    environment = dict(os.environ)
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():  # where control groups are of version 1
        environment.setdefault("CONTAINERS_CONF", str(ROOT / "scripts/containers.conf"))

    def run(*command):
        found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if found.returncode:
            pytest.skip(f"the shop's image cannot be made here: {found.stderr[-500:]}")

    saved = Path(tempfile.gettempdir()) / "trimtab-shop.tar"
    with saved.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(ROOT / "scripts/test-image")
        run(
            "podman", "build", "--quiet", "--network=host", "--volume=/etc/ssl/certs:/etc/ssl/certs:ro",
            "--build-arg=BASE=localhost/python:3.11", f"--file={EXAMPLE}/Containerfile", f"--tag={IMAGE}",
            ROOT / "examples" / "shop",
        )  # fmt: skip
        saved.unlink(missing_ok=True)
        run("podman", "save", "--quiet", "--output", saved, IMAGE)
        run(CLUSTER, "load", saved)
        saved.unlink()
    return IMAGE


@pytest.fixture
async def client(cluster, namespace):
    async with Client.open(cluster) as opened:
        opened.namespace = namespace
        yield opened


@pytest.fixture
async def shop(client, shop_image, kubectl_apply):
    """The shop's Deployment, ready."""
    text = (EXAMPLE / "shop.yaml").read_text().replace("registry.example/shop:1", shop_image)
    text = text.replace("requests: {cpu: 300m, memory: 256Mi}", SHARED)
    kubectl_apply(text)
    async with asyncio.timeout(120):
        while (await client.get(DEPLOYMENTS, "shop"))["status"].get("readyReplicas") != 2:  # noqa: ASYNC110  the cluster rings no event here
            await asyncio.sleep(0.3)
    return await client.get(DEPLOYMENTS, "shop")


@pytest.fixture
def kubectl_apply(cluster, namespace):
    def run(text: str) -> None:
        command = ["kubectl", "--kubeconfig", cluster, "--namespace", namespace, "apply", "--filename", "-"]
        subprocess.run(command, input=text, check=True, capture_output=True, text=True, timeout=60)

    return run


@pytest.fixture
async def service(client, shop):
    """What a Service would be where there is a kube-proxy: each connection goes to the next pod that is ready."""
    turn = 0

    async def serve(reader, writer):
        nonlocal turn
        turn += 1
        upstream = None
        try:
            pods = [each for each in (await client.list(PODS, labels="app=shop")).items if _is_ready(each)]
            back, upstream = await asyncio.open_connection(pods[turn % len(pods)]["status"]["podIP"], PORT)
            await asyncio.gather(_pipe(reader, upstream), _pipe(back, writer))
        except (OSError, ZeroDivisionError):
            writer.transport.abort()
        finally:
            for each in filter(None, (writer, upstream)):
                each.close()
                with contextlib.suppress(OSError):
                    await each.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _pipe(reader, writer):
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


def _is_ready(pod) -> bool:
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", ())}
    return conditions.get("Ready") == "True" and not pod["metadata"].get("deletionTimestamp")


@pytest.fixture
def started(tmp_path):
    """Starts programs, and ends them."""
    running = []

    def start(name, *command, **environment):
        log = (tmp_path / f"{name}.log").open("w")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("TRIMTAB_", "SERVO_"))}
        process = subprocess.Popen(command, env=kept | environment, cwd=tmp_path, stdout=log, stderr=log)
        running.append(process)
        log.close()
        return process

    yield start
    for process in reversed(running):
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()


@pytest.fixture
async def prometheus(client, shop, started, tmp_path):
    """Debian's Prometheus, which reads the shop's pods. It is built without knowing Kubernetes: it is told in a file what there is."""
    if not shutil.which("prometheus"):
        pytest.skip("no prometheus (scripts/system-packages)")
    document = yaml.safe_load((EXAMPLE / "prometheus.yaml").read_text())
    (job,) = document["scrape_configs"]
    del job["kubernetes_sd_configs"], job["relabel_configs"]
    job["file_sd_configs"] = [{"files": [str(tmp_path / "targets.json")], "refresh_interval": "1s"}]
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(document))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    telling = asyncio.create_task(_tell_targets(client, tmp_path / "targets.json"))
    process = started(
        "prometheus", "prometheus", f"--config.file={tmp_path}/prometheus.yaml",
        f"--storage.tsdb.path={tmp_path}/tsdb", f"--web.listen-address=127.0.0.1:{port}",
    )  # fmt: skip
    yield f"http://127.0.0.1:{port}"
    telling.cancel()
    assert process.poll() is None, (tmp_path / "prometheus.log").read_text()


async def _tell_targets(client, file: Path) -> None:
    """Write down the pods that run, with the labels that the example's relabelling gives them."""
    while True:
        pods = [each for each in (await client.list(PODS, labels="app=shop")).items if _is_ready(each)]
        targets = [
            {
                "targets": [f"{pod['status']['podIP']}:{PORT}"],
                "labels": {
                    "pod": pod["metadata"]["name"],
                    "role": pod["metadata"]["labels"].get("opsani_role", ""),
                },
            }
            for pod in pods
        ]
        file.with_suffix(".new").write_text(json.dumps(targets))
        file.with_suffix(".new").replace(file)
        await asyncio.sleep(0.5)


class Backend:
    """`trimtab serve`."""

    def __init__(self, started, folder: Path) -> None:
        self._started, self._folder = started, folder
        self.port = "0"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._process = self._started(
            "serve", PROGRAMS / "trimtab", "serve", TRIMTAB_HOME=str(self._folder / "home"),
            TRIMTAB_PORT=self.port, TRIMTAB_SLEEP="1",
        )  # fmt: skip
        log = self._folder / "serve.log"
        async with asyncio.timeout(60):
            while not (found := re.search(r"running on http://\S+:(\d+)", log.read_text())):
                assert self._process.poll() is None, log.read_text()
                await asyncio.sleep(0.1)
        self.port = found[1]


@pytest.fixture
async def backend(started, tmp_path) -> Backend:
    """A server of this test."""
    found = Backend(started, tmp_path)
    await found.start()
    return found


@pytest.fixture
def agent(cluster, namespace, service, prometheus, backend, started, tmp_path):
    """Starts `servo run` by one of the example's configurations."""

    def start(name: str):
        document = yaml.safe_load((EXAMPLE / name).read_text())
        document["optimizer"]["base_url"] = backend.url
        document["kubernetes"] |= {"namespace": namespace, "kubeconfig": str(cluster)}
        document["kubernetes"]["deployments"][0]["containers"][0]["cpu"] |= {
            "get": ["limit"],
            "set": ["limit"],
        }
        document["load"]["url"] = document["load"]["url"].replace("http://shop:8370", service)
        document["prometheus"]["base_url"] = prometheus
        (tmp_path / name).write_text(yaml.safe_dump(document))
        return started(
            "servo", PROGRAMS / "servo", "--config-file", tmp_path / name, "run", OPSANI_TOKEN="unused"
        )

    return start


async def tuned(backend, tmp_path, agent, *options) -> dict:
    """What a session finds, as its report tells it."""
    trimtab = [PROGRAMS / "trimtab", "sessions"]
    environment = os.environ | {"TRIMTAB_SERVER": backend.url}

    async def ask(*arguments) -> dict:
        command = [*trimtab, *arguments, "--output", "json"]
        for _ in range(20):  # it may be slow at this moment
            process = await asyncio.create_subprocess_exec(
                *command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            out, err = await process.communicate()
            if process.returncode == 0:
                return json.loads(out)
            await asyncio.sleep(0.5)
        raise AssertionError(err.decode())

    made = await ask(
        "create", "--application", "example.com/shop", "--trials", str(TRIALS), "--duration", "5s", "--warmup", "2s",
        "--slo", "error_rate <= 5%", *options,
    )  # fmt: skip
    deadline = time.monotonic() + 600
    while (found := await ask("show", made["id"]))["state"] not in {"finished", "failed", "cancelled"}:
        assert agent.poll() is None, (tmp_path / "servo.log").read_text()[-5000:]
        assert time.monotonic() < deadline, (found, (tmp_path / "servo.log").read_text()[-3000:])
        await asyncio.sleep(2)
    report = await ask("report", made["id"], "--directory", tmp_path / "report")
    assert found["state"] == "finished", (found, (tmp_path / "servo.log").read_text()[-5000:])
    assert "better" in (tmp_path / "report" / "report.html").read_text()
    return report


async def stopped(agent) -> None:
    """The agent, ended as a cluster would end it."""
    agent.terminate()
    await asyncio.to_thread(agent.wait, 60)


def settings_of(deployment) -> tuple[int, str, str]:
    limits = deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    return deployment["spec"]["replicas"], limits["cpu"], limits["memory"]


async def test_rolling(agent, backend, client, shop, tmp_path):
    """The Deployment is given fewer replicas and less of cpu and memory; the report shows the gain, and it is what is in place."""
    running = agent("rolling.yaml")
    report = await tuned(
        backend, tmp_path, running,
        "--objective", "minimize `web.replicas` * (60 * `web.cpu` + 8 * `web.mem`)", "--slo", "latency_p90 <= 3s",
    )  # fmt: skip
    assert report["verdict"] == "improved", report
    assert report["improvement"] > 0.1, report
    assert report["probability"] > 0.9, report
    await stopped(running)
    found = await client.get(DEPLOYMENTS, "shop")
    assert settings_of(found) != settings_of(shop)
    replicas, cpu, _ = settings_of(found)
    assert replicas == report["settings"]["web.replicas"]
    assert cpu == f"{report['settings']['web.cpu'] * 1000:g}m"
    assert {pod["metadata"]["labels"].get("opsani_role") for pod in (await client.list(PODS)).items} == {None}


async def test_canary(agent, backend, client, shop, tmp_path):
    """A tuning pod is given less, measured by Prometheus; the Deployment is left alone, and the pod goes with the agent."""
    running = agent("canary.yaml")
    report = await tuned(
        backend, tmp_path, running,
        "--objective", "minimize 60 * `tuning.cpu` + 8 * `tuning.mem`", "--slo", "wait <= 3s",
    )  # fmt: skip
    assert report["verdict"] == "improved", report
    assert report["improvement"] > 0.1, report
    assert report["probability"] > 0.9, report
    assert settings_of(await client.get(DEPLOYMENTS, "shop")) == settings_of(shop)
    await stopped(running)
    async with asyncio.timeout(60):
        while any(pod["metadata"]["name"] == "shop-tuning" for pod in (await client.list(PODS)).items):  # noqa: ASYNC110  the cluster rings no event here
            await asyncio.sleep(0.5)
    for lease in (await client.list(LEASES)).items:
        assert not lease["spec"].get("holderIdentity"), lease
