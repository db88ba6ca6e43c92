"""The images, built from the Containerfile, run as compose and the chart run them; and in a real cluster."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]

ROOT = Path(__file__).parents[3]
CLUSTER = ROOT.parent / "shared" / "testbed" / "cluster"
VERSION = yaml.safe_load((ROOT / "deploy" / "chart" / "Chart.yaml").read_text())["appVersion"]
HARDENED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--tmpfs=/tmp"]
TOKEN, ADMIN = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
TOKENS = f"shop:agent:{TOKEN}\nme:admin:{ADMIN}\n"


@pytest.fixture(scope="session")
def podman() -> Callable[..., str]:
    """Runs podman, which has a base image."""
    if os.getuid() != 0 or not shutil.which("podman"):
        pytest.skip("no root or no podman (scripts/system-packages)")
    environment = dict(os.environ)
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():  # where control groups are of version 1
        environment.setdefault("CONTAINERS_CONF", str(ROOT / "scripts/containers.conf"))
    made = subprocess.run([ROOT / "scripts/test-image"], env=environment, capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"scripts/test-image made no image: {made.stderr.decode()[-300:]}")

    def run(*arguments: str, check: bool = True, timeout: float = 120) -> str:
        found = subprocess.run(
            ["podman", *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )  # fmt: skip
        assert not check or found.returncode == 0, found.stderr[-3000:]
        return found.stdout.strip()

    return run


@pytest.fixture(scope="session")
def image(podman) -> Callable[[str], str]:
    """The name of an image, built; processes that test at the same time build it once."""

    def build(target: str) -> str:
        name = f"localhost/trimtab-{target}:{VERSION}"
        with Path("/tmp/trimtab-test-images.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            podman(
                "build", "--quiet", "--network=host", "--volume=/etc/ssl/certs:/etc/ssl/certs:ro",
                "--build-arg=BASE=localhost/python:3.11", f"--file={ROOT}/deploy/Containerfile", f"--target={target}",
                f"--tag={name}", "--timestamp=0", str(ROOT), timeout=1200,
            )  # fmt: skip
        return name

    return build


@pytest.fixture
def start(podman, image) -> Iterator[Callable[..., str]]:
    """Starts containers that see this machine's loopback; they are removed at the end."""
    running = []

    def run(target: str, *arguments: str, options: list[str]) -> str:
        name = f"trimtab-test-{secrets.token_hex(4)}"
        running.append(name)
        podman(
            "run", "--detach", f"--name={name}", "--network=host", *HARDENED, *options, image(target), *arguments
        )  # fmt: skip
        return name

    yield run
    for name in running:
        podman("rm", "--force", "--volumes", "--time=1", name, check=False)


def wait_for(what: Callable[[], Any], seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.2)
    return found


def status(url: str, token: str | None = None) -> int | None:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def create_session(url: str) -> None:
    """Without one the backend does not know the agent's application."""
    program = Path(sys.executable).with_name("trimtab")
    command = ["sessions", "create", "--server", url, "--application", "example.com/shop"]
    subprocess.run(
        [program, *command, "--objective", "maximize throughput"],
        env=os.environ | {"TRIMTAB_TOKEN": ADMIN},
        check=True,
        capture_output=True,
        timeout=120,
    )


@pytest.mark.parametrize(("target", "program"), [("agent", "servo"), ("backend", "trimtab")])
def test_an_image_is_small_and_its_program_is_nobodys_and_writes_nowhere(podman, image, target, program):
    name = image(target)
    (found,) = json.loads(podman("image", "inspect", name))
    assert found["Config"]["User"] == "65532:65532"
    assert found["Config"]["Entrypoint"] == [program]
    (base,) = json.loads(podman("image", "inspect", "localhost/python:3.11"))
    assert found["Size"] - base["Size"] < {"agent": 120, "backend": 900}[target] * 1_000_000
    run = ("run", "--rm", "--network=none", *HARDENED)
    assert VERSION in podman(*run, name, "version" if target == "agent" else "--version")
    inside = "id -u; touch /opt/trimtab/x || echo refused; ls /build /tools /wheel || echo gone"
    said = podman(*run, "--entrypoint=sh", name, "-c", inside).splitlines()
    assert said == ["65532", "refused", "gone"]


def test_the_same_sources_give_the_same_image(podman, image):
    """Built anew in its last steps, those that hold the sources of Trimtab and what is compiled of them."""
    name = image("agent")
    digest = podman("image", "inspect", "--format={{.RootFS.Layers}}", name)
    copy = f"{name}-again"
    podman(
        "build", "--quiet", "--no-cache", "--network=host", "--volume=/etc/ssl/certs:/etc/ssl/certs:ro",
        "--build-arg=BASE=localhost/python:3.11", f"--file={ROOT}/deploy/Containerfile", "--target=agent",
        f"--tag={copy}", "--timestamp=0", str(ROOT), timeout=1200,
    )  # fmt: skip
    again = podman("image", "inspect", "--format={{.RootFS.Layers}}", copy)
    podman("rmi", copy)
    assert again == digest


def test_agent_and_backend_find_each_other(start, podman, tmp_path, unused_tcp_port_factory):
    """As compose runs them: not root, a file system that cannot be written, secrets as files."""
    port, health = unused_tcp_port_factory(), unused_tcp_port_factory()
    (tmp_path / "tokens").write_text(TOKENS)
    (tmp_path / "token").write_text(TOKEN)
    config = yaml.safe_load((ROOT / "deploy" / "servo.yaml").read_text())
    config["optimizer"]["base_url"] = f"http://127.0.0.1:{port}"
    (tmp_path / "servo.yaml").write_text(yaml.safe_dump(config))
    for each in tmp_path.iterdir():
        each.chmod(0o644)
    backend = start(
        "backend",
        options=[
            "--volume=/var/lib/trimtab", f"--volume={tmp_path}/tokens:/run/secrets/tokens:ro",
            "--env=TRIMTAB_TOKEN_FILE=/run/secrets/tokens", f"--env=TRIMTAB_PORT={port}",
        ],
    )  # fmt: skip
    wait_for(lambda: status(f"http://127.0.0.1:{port}/readyz") == 200)
    assert status(f"http://127.0.0.1:{port}/api/v1/sessions") == 401
    create_session(f"http://127.0.0.1:{port}")
    agent = start(
        "agent", "run", "--check",
        options=[
            f"--volume={tmp_path}/servo.yaml:/servo/servo.yaml:ro", f"--volume={tmp_path}/token:/run/secrets/token:ro",
            "--env=OPSANI_TOKEN_FILE=/run/secrets/token", f"--env=SERVO_RUN_HEALTH=127.0.0.1:{health}",
        ],
    )  # fmt: skip
    wait_for(lambda: status(f"http://127.0.0.1:{health}/readyz") == 200)
    assert status(f"http://127.0.0.1:{health}/healthz") == 200
    for name in (agent, backend):
        podman("stop", "--time=60", name)
        assert podman("inspect", "--format={{.State.ExitCode}}", name) == "0", podman("logs", name)


def test_compose_says_what_is_built_here():
    """Targets of the Containerfile, nobody's user, and no port that other machines reach."""
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    targets = {
        line.split(" AS ")[1] for line in (ROOT / "deploy" / "Containerfile").read_text().splitlines() if " AS " in line
    }  # fmt: skip
    for name, service in compose["services"].items():
        assert service["build"]["target"] in targets
        assert service["image"] == f"trimtab-{name}:{VERSION}"
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        assert {*service["secrets"]} <= compose["secrets"].keys()
        volumes = {volume.partition(":")[0] for volume in service["volumes"]}
        assert {each for each in volumes if not each.startswith(".")} <= compose["volumes"].keys()


@pytest.fixture
def namespace(kubectl):
    """A namespace of our own."""
    name = f"images-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def loaded(podman, image, kubectl, tmp_path) -> None:
    """Both images are in the cluster."""
    if not CLUSTER.exists():
        pytest.skip(f"no {CLUSTER}, which loads images into the cluster")
    for target in ("agent", "backend"):
        archive = tmp_path / f"{target}.tar"
        podman("save", f"--output={archive}", image(target), timeout=300)
        subprocess.run([CLUSTER, "load", archive], check=True, capture_output=True, timeout=300)
        archive.unlink()


def test_the_chart_runs_in_a_real_cluster(loaded, render, kubectl, namespace):
    """Every probe passes, with the restricted profile; the agent is ready, which it is when the backend knows it."""
    images = {
        each: {"image": {"repository": f"localhost/trimtab-{each}", "pullPolicy": "Never"}}
        for each in ("agent", "backend")
    }
    values = {"agent": images["agent"], "backend": images["backend"] | {"persistence": {"enabled": False}}}

    def apply(manifests) -> None:
        for each in manifests:
            each["metadata"]["namespace"] = namespace
        kubectl("apply", "-f", "-", input=yaml.safe_dump_all(manifests))

    def pods(name: str) -> list[dict]:
        found = kubectl("get", "pods", "-n", namespace, "-l", f"app.kubernetes.io/name={name}", "-o", "json")
        return json.loads(found)["items"]

    def ready(name: str) -> dict | None:
        for pod in pods(name):
            conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
            if conditions.get("Ready") == "True":
                return pod
        return None

    kubectl(
        "create",
        "secret",
        "generic",
        "trimtab-tokens",
        "-n",
        namespace,
        f"--from-literal=tokens={TOKENS}",
    )
    kubectl("create", "secret", "generic", "trimtab-agent", "-n", namespace, f"--from-literal=token={TOKEN}")
    apply(render(values | {"agent": {"enabled": False}}))
    backend = wait_for(lambda: ready("trimtab-backend"), 300)
    url = f"http://{backend['status']['podIP']}:8080"
    create_session(url)
    # There is no cluster DNS in the test bed: the agent is told the pod's address.
    config = {
        "optimizer": {"id": "example.com/shop", "base_url": url},
        "connectors": ["wait"],
        "wait": {"measure_enabled": True},
    }
    apply(render({"agent": images["agent"] | {"config": config}, "backend": {"enabled": False}}))
    agent = wait_for(lambda: ready("trimtab-agent"), 300)
    assert all(
        each["restartCount"] == 0 for pod in (agent, backend) for each in pod["status"]["containerStatuses"]
    )
    assert "INFO" in kubectl("logs", "-n", namespace, agent["metadata"]["name"])
