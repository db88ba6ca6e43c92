"""Engines as they are here, and small builds for them."""

import asyncio
import base64
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from trimtab.engines import (
    Build,
    BuildRequest,
    ContainerEngine,
    ContainerSettings,
    Engine,
    KubernetesEngine,
    ProcessEngine,
    ProcessSettings,
    Resources,
    Run,
    RunRequest,
)

MIB = 2**20
IMAGE = "localhost/python:3.11"
ROOT = Path(__file__).parents[3]

SH = '#!/bin/sh\neval "$SCRIPT"\n'
"""A script that does what a variable says: tests that only run share one build."""

ENTRYPOINT = """\
#!/bin/sh
# What a run wrapper does, in short: run the script by the stack's Python, and leave what it printed.
cd "${THOTH_AMUN_EXEC_DIR:-/home/amun}"
interpreter=venv/bin/python3
[ -x "$interpreter" ] || interpreter=python3
case $(head -c 20 script) in *sh*) interpreter=sh ;; esac
"$interpreter" script >script.stdout
code=$?
cp script.stdout "$THOTH_OUTPUT_PATH"
exit $code
"""

CONTAINERFILE = f"""\
FROM {IMAGE}
USER root
COPY entrypoint script data.txt /home/amun/
RUN ["/bin/sh", "-c", "chmod 0777 /home/amun && chmod a+x /home/amun/entrypoint"]
CMD ["/home/amun/entrypoint"]
USER 1042
WORKDIR /home/amun
"""


@dataclass
class Bench:
    """An engine, and one inspection with it.

    Attributes:
        engine: The engine.
        directory: Of the test.
        state: Of the engine.
        inspection: Its id.
        flavour: `podman`, `docker`, `process`.
        command: The command of a container engine with its environment, to look behind the engine's back.
        base: The image that it builds upon.
        cores: Of a build, and of a run unless it says otherwise.
    """

    engine: Any
    directory: Path
    state: Path
    flavour: str
    environment: dict[str, str] = field(default_factory=dict)
    program: str = ""
    inspection: str = "inspection-test-261126000000-0123456789abcdef"
    base: str = IMAGE
    cores: tuple[float, float] = (1, 1)
    shared: Build | None = None
    printed: bytearray = field(default_factory=bytearray)

    def request(self, script: str, **changes: Any) -> BuildRequest:
        context = self.directory / "context"
        shutil.rmtree(context, ignore_errors=True)
        context.mkdir()
        (context / "Containerfile").write_text(
            changes.pop("containerfile", CONTAINERFILE).replace(IMAGE, self.base)
        )
        (context / "entrypoint").write_text(ENTRYPOINT)
        (context / "script").write_text(script)
        (context / "data.txt").write_text("data\n")
        fields: dict[str, Any] = {
            "id": self.inspection,
            "context": context,
            "base": self.base,
            "resources": Resources(self.cores[0], 512 * MIB),
            "timeout": 120,
            "files": (("/home/amun/data.txt", context / "data.txt"),),
            "script": context / "script",
        }
        return BuildRequest(**(fields | changes))

    async def build(self, script: str = "print('hello')", **changes: Any) -> Build:
        return await self.engine.build(self.request(script, **changes), self.printed.extend)

    async def run(
        self,
        build: Build,
        item: int = 0,
        *,
        cpu: float | None = None,
        memory: int = 128 * MIB,
        **changes: Any,
    ) -> Run:
        output = self.directory / "results" / str(item)
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
        fields: dict[str, Any] = {"timeout": 60, "network": False, "output": output}
        request = RunRequest(
            self.inspection, item, build, Resources(cpu or self.cores[1], memory), **(fields | changes)
        )
        return await self.engine.run(request, self.printed.extend)

    async def sh(self, script: str, item: int = 0, **changes: Any) -> Run:
        """Run lines of shell with the build that tests share."""
        assert self.shared
        return await self.run(self.shared, item, environment={"SCRIPT": script}, **changes)

    def result(self, item: int = 0) -> str:
        return (self.directory / "results" / str(item) / "result").read_text()

    def ask(self, *arguments: str) -> str:
        """What the engine's own command says."""
        answer = subprocess.run(
            [self.program, *arguments],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return answer.stdout.strip()

    def containers(self, *options: str) -> str:
        """The containers of the inspection: those that run, or with `--all` the others too."""
        return self.ask("ps", "--quiet", "--filter", f"label=trimtab.inspection={self.inspection}", *options)

    def left(self) -> str:
        """All that carries the inspection's label."""
        label = ("--filter", f"label=trimtab.inspection={self.inspection}")
        return "".join(
            self.ask(*kind, "--quiet", *label)
            for kind in (("ps", "--all"), ("volume", "ls"), ("images", "--no-trunc"))
        )


@pytest.fixture(scope="session")
def archive() -> Path:
    """The image that tests build upon; made once a machine."""
    if os.getuid() != 0 or not shutil.which("podman"):
        pytest.skip("no root or no podman: there is no image to build upon (scripts/system-packages)")
    made = subprocess.run(
        [ROOT / "scripts/test-image"], env=os.environ | _podman(), capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"scripts/test-image made no image: {made.stderr.strip()[-500:]}")
    return Path(made.stdout.strip())


def _podman() -> dict[str, str]:
    """Where cgroups are of version 1, podman needs a configuration; scripts/with-services says so too."""
    if "CONTAINERS_CONF" in os.environ or Path("/sys/fs/cgroup/cgroup.controllers").exists():
        return {}
    return {"CONTAINERS_CONF": str(ROOT / "scripts/containers.conf")}


@pytest.fixture(scope="session")
def docker_host(archive) -> str:
    """The address of a Docker engine that has the image."""
    host = os.environ.get("TRIMTAB_TEST_DOCKER_HOST")
    if not host:
        pytest.skip("no Docker engine: run by scripts/with-services, or set TRIMTAB_TEST_DOCKER_HOST")
    command, environment = _docker(), os.environ | {"DOCKER_HOST": host}
    if subprocess.run(
        [command, "image", "inspect", IMAGE], env=environment, capture_output=True, check=False
    ).returncode:
        subprocess.run(
            [command, "load", "--input", archive], env=environment, check=True, capture_output=True
        )
    return host


def _docker() -> str:
    # The package's own: an older or other command of this name may come first on the path.
    return "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"


@pytest.fixture
async def podman(archive, builds, tmp_path):
    """podman, with nothing built."""
    async for bench in _container("podman", builds, tmp_path):
        yield bench
        await bench.engine.clean(bench.inspection)


@pytest.fixture
async def docker(docker_host, builds, tmp_path):
    """Docker, with nothing built."""
    async for bench in _container("docker", builds, tmp_path):
        yield bench
        await bench.engine.clean(bench.inspection)


@pytest.fixture(params=["podman", "docker"])
def container(request) -> Bench:
    """Each container engine in turn, with nothing built."""
    return request.getfixturevalue(request.param)


@dataclass
class Session:
    """What tests of one engine share: a state, and with it the cache of layers, and a build.

    Attributes:
        state: Of the engine.
        build: Runs what a variable says.
    """

    state: Path
    build: Build | None = None


@pytest.fixture(scope="session")
def builds(tmp_path_factory):
    """By engine, what its tests share; removed at the end."""
    found = {flavour: Session(tmp_path_factory.mktemp(flavour)) for flavour in ("podman", "docker")}
    yield found
    for flavour, session in found.items():
        if (session.state / "claims").exists():
            asyncio.run(ContainerEngine(flavour, session.state, _settings(flavour)).expire(0))


@pytest.fixture
async def podman_run(archive, builds, tmp_path):
    """podman, with the build that tests share."""
    async for bench in _shared("podman", builds, tmp_path):
        yield bench


@pytest.fixture
async def docker_run(docker_host, builds, tmp_path):
    """Docker, with the build that tests share."""
    async for bench in _shared("docker", builds, tmp_path):
        yield bench


@pytest.fixture(params=["podman", "docker"])
def runner(request) -> Bench:
    """Each container engine in turn, with the build that tests share."""
    return request.getfixturevalue(f"{request.param}_run")


async def _shared(flavour, builds, tmp_path):
    async for bench in _container(flavour, builds, tmp_path):
        bench.inspection = f"inspection-shared-{os.getpid()}"
        session = builds[flavour]
        session.build = session.build or await bench.build(SH)
        bench.shared = session.build
        bench.printed.clear()
        yield bench
        await bench.engine._runner.settle()
        bench.engine._claims.release(bench.inspection)


async def _container(flavour, builds, tmp_path):
    settings = _settings(flavour)
    engine = ContainerEngine(flavour, builds[flavour].state, settings)
    assert isinstance(engine, Engine)
    program = shutil.which(settings.program or flavour)
    assert program
    yield Bench(
        engine, tmp_path, builds[flavour].state, flavour, dict(settings.environment), program,
        f"inspection-{secrets.token_hex(8)}",
    )  # fmt: skip


def _settings(flavour):
    if flavour == "podman":
        program, environment = None, _podman()
    else:
        program, environment = _docker(), {"DOCKER_HOST": os.environ["TRIMTAB_TEST_DOCKER_HOST"]}
    return ContainerSettings(
        program=program, environment=environment, build_network="host", slack=0.0, grace=1.0
    )


CLUSTER = ROOT.parent / "shared" / "testbed" / "cluster"
BUILDER = "localhost/trimtab-builder"
REGISTRY = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: {directory}/images}}}}
http: {{addr: "0.0.0.0:{port}"}}
"""


@pytest.fixture(scope="session")
def builder(archive, cluster) -> str:
    """The image that builds in the cluster, which has it."""
    if not CLUSTER.is_file():
        pytest.skip(f"no {CLUSTER}: images cannot be brought into the cluster")
    saved = Path(tempfile.gettempdir()) / "trimtab-builder.tar"
    with saved.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        image = f"{BUILDER}:{_built_builder()[:16]}"
        if image not in _images(cluster):
            saved.unlink(missing_ok=True)
            for command in (
                ["podman", "tag", BUILDER, image],
                ["podman", "save", "--quiet", "--output", saved, image],
                [CLUSTER, "load", saved],
            ):
                subprocess.run(command, env=os.environ | _podman(), check=True, capture_output=True)
            saved.unlink()
    return image


def _built_builder() -> str:
    """The id of the image that builds, which podman has."""
    command = [
        "podman", "build", "--quiet", "--network=host", "--volume=/etc/ssl/certs:/etc/ssl/certs:ro",
        f"--build-arg=BASE={IMAGE}", f"--file={ROOT}/deploy/builder.Containerfile", f"--tag={BUILDER}", ROOT / "deploy",
    ]  # fmt: skip
    found = subprocess.run(command, env=os.environ | _podman(), capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"the builder's image cannot be made here: {found.stderr[-500:]}")
    return found.stdout.strip()


def _images(cluster: Path) -> str:
    """What the kubelet says that it has; it says so some seconds late."""
    asked = [
        "kubectl",
        "--kubeconfig",
        cluster,
        "get",
        "nodes",
        "--output",
        "jsonpath={.items[*].status.images}",
    ]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class ClusterRegistry:
    """A registry of this machine, for a cluster on it.

    Attributes:
        pods: As pods call it.
        nodes: As the kubelet calls it, which speaks HTTP to nobody but the machine itself.
    """

    pods: str
    nodes: str


@pytest.fixture(scope="session")
def cluster_registry(archive, cluster, tmp_path_factory):
    """A registry that has the base."""
    if not shutil.which("docker-registry"):
        pytest.skip("no docker-registry (scripts/system-packages)")
    asked = [
        "kubectl", "--kubeconfig", cluster, "get", "nodes",
        "--output", "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}",
    ]  # fmt: skip
    address = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    with socket.create_server(("", 0)) as probe:
        port = probe.getsockname()[1]
    directory = tmp_path_factory.mktemp("registry")
    (directory / "config.yml").write_text(REGISTRY.format(directory=directory, port=port))
    with (
        (directory / "log").open("wb") as log,
        subprocess.Popen(
            ["docker-registry", "serve", directory / "config.yml"], stdout=log, stderr=log
        ) as server,
    ):
        try:
            found = ClusterRegistry(f"{address}:{port}", f"localhost:{port}")
            push = [
                "podman",
                "push",
                "--quiet",
                "--tls-verify=false",
                IMAGE,
                f"docker://{found.nodes}/python:3.11",
            ]
            while subprocess.run(
                push, env=os.environ | _podman(), capture_output=True, check=False
            ).returncode:
                assert server.poll() is None, (directory / "log").read_text()
                time.sleep(0.2)
            yield found
        finally:
            server.terminate()


@pytest.fixture
def kubernetes_variables(kubernetes_account, builder, cluster_registry, namespace) -> dict[str, str]:
    """What the engine `kubernetes` is told by the environment."""
    values = {
        "KUBECONFIG": str(kubernetes_account),
        "NAMESPACE": namespace,
        "REPOSITORY": f"{cluster_registry.pods}/stacks",
        "PULL_REPOSITORY": f"{cluster_registry.nodes}/stacks",
        "REGISTRY_TLS": "false",
        "BUILDER": builder,
        "SLACK": "0",
        "GRACE": "1",
    }
    return {f"TRIMTAB_KUBERNETES_{name}": value for name, value in values.items()}


@pytest.fixture
def kubernetes_account(cluster, namespace, tmp_path) -> Path:
    """The kubeconfig of a service account that may do what the chart allows the engine, and no more."""
    config = yaml.safe_load(cluster.read_text())
    kubectl = ["kubectl", "--kubeconfig", cluster, "--namespace", namespace]
    rules = yaml.safe_load((ROOT / "deploy/chart/rbac/kubernetes-engine.yaml").read_text())
    group = "rbac.authorization.k8s.io"
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": "engine"}, "rules": rules}
    binding = {
        "apiVersion": f"{group}/v1", "kind": "RoleBinding", "metadata": {"name": "engine"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "engine"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }  # fmt: skip
    for each in (role, binding):
        subprocess.run([*kubectl, "create", "--filename", "-"], input=json.dumps(each), text=True, check=True)
    secrets = [*kubectl, "get", "secrets", "--output", "jsonpath={.items[0].data.token}"]
    token = base64.b64decode(subprocess.run(secrets, check=True, capture_output=True).stdout).decode()
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture
def kubernetes(kubernetes_variables, cluster_registry, monkeypatch, tmp_path) -> Bench:
    """The engine `kubernetes`, with nothing built, in a namespace of its own."""
    for name, value in kubernetes_variables.items():
        monkeypatch.setenv(name, value)
    return Bench(
        KubernetesEngine(tmp_path / "state"), tmp_path, tmp_path / "state", "kubernetes",
        inspection=f"inspection-{secrets.token_hex(8)}", base=f"{cluster_registry.pods}/python:3.11", cores=(0.4, 0.1),
    )  # fmt: skip


@pytest.fixture(scope="session")
def kubernetes_builds() -> list[Build]:
    """What tests in a cluster share: a build that runs what a variable says; it is in the registry."""
    return []


@pytest.fixture
async def kubernetes_run(kubernetes, kubernetes_builds) -> Bench:
    """The engine `kubernetes`, with the build that tests share."""
    if not kubernetes_builds:
        kubernetes_builds.append(await kubernetes.build(SH))
    kubernetes.shared = kubernetes_builds[0]
    kubernetes.printed.clear()
    return kubernetes


@pytest.fixture
def make_process(tmp_path) -> Callable[..., Bench]:
    """Process engines with some settings."""

    def make(**changes: Any) -> Bench:
        settings = ProcessSettings(**({"slack": 0.0, "grace": 1.0} | changes))
        return Bench(ProcessEngine(tmp_path / "state", settings), tmp_path, tmp_path / "state", "process")

    return make


@pytest.fixture(scope="session")
def sample_index(tmp_path_factory):
    """An index of ours with a package of ours, so that no test of an installation asks the network."""
    return make_index(tmp_path_factory.mktemp("index"))


PACKAGE = "trimtab-sample"


@dataclass(frozen=True)
class SampleIndex:
    """An index on disk with one package in some versions.

    Attributes:
        directory: Its root, as `file://…` the URL.
        hashes: By version.
    """

    directory: Path
    hashes: dict[str, str]

    @property
    def url(self) -> str:
        return self.directory.as_uri()

    def pipfile(self, version: str = "1.0", **changes: object) -> bytes:
        entry = {"version": f"=={version}", "hashes": [f"sha256:{self.hashes[version]}"], **changes}
        return json.dumps({"_meta": {}, "default": {PACKAGE: entry}, "develop": {}}).encode()

    def requirements(self, version: str = "1.0") -> bytes:
        return f"{PACKAGE}=={version} --hash=sha256:{self.hashes[version]}\n".encode()

    def pylock(self, version: str = "1.0") -> bytes:
        wheel = f'{{name = "x.whl", url = "https://files.example.com/x.whl", hashes = {{sha256 = "{self.hashes[version]}"}}}}'
        return f'lock-version = "1.0"\n[[packages]]\nname = "{PACKAGE}"\nversion = "{version}"\nwheels = [{wheel}]\n'.encode()

    def uv(self, version: str = "1.0") -> dict[str, bytes]:
        project = f'[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.8"\ndependencies = ["{PACKAGE}=={version}"]\n'
        lock = f"""\
version = 1
requires-python = ">=3.8"

[[package]]
name = "app"
version = "0"
source = {{ virtual = "." }}
dependencies = [{{ name = "{PACKAGE}" }}]

[package.metadata]
requires-dist = [{{ name = "{PACKAGE}", specifier = "=={version}" }}]

[[package]]
name = "{PACKAGE}"
version = "{version}"
source = {{ registry = "https://pypi.example/simple" }}
wheels = [{{ url = "https://files.pypi.example/trimtab_sample-{version}-py3-none-any.whl", hash = "sha256:{self.hashes[version]}", size = 1 }}]
"""
        return {"pyproject.toml": project.encode(), "uv.lock": lock.encode()}


def make_index(directory: Path, versions: tuple[str, ...] = ("1.0", "2.0")) -> SampleIndex:
    """Write the index."""
    place = directory / PACKAGE
    place.mkdir(parents=True)
    hashes, links = {}, []
    for version in versions:
        wheel = _wheel(place, version)
        hashes[version] = hashlib.sha256(wheel.read_bytes()).hexdigest()
        links.append(f'<a href="{wheel.name}#sha256={hashes[version]}">{wheel.name}</a>')
    (place / "index.html").write_text(f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>")
    return SampleIndex(directory, hashes)


def _wheel(directory: Path, version: str) -> Path:
    module = PACKAGE.replace("-", "_")
    information = f"{module}-{version}.dist-info"
    files = {
        f"{module}.py": f"VERSION = '{version}'\n",
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{information}/RECORD"])
    path = directory / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{information}/RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return path
