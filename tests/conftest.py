"""Services that tests of several folders use."""

import asyncio
import base64
import contextlib
import gzip
import hashlib
import http.server
import io
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# How long an example takes says more of what else the machine does than of the code.
hypothesis.settings.register_profile("trimtab", deadline=None)
hypothesis.settings.load_profile("trimtab")

# A shell's background job ignores Ctrl-C, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _no_event_loop_by_asking_for_one() -> None:
    """Tell the policy that there is none, before pytest-asyncio asks it.

    Never told, it makes one, up to Python 3.13, which nobody closes; the warning of that would fail the run.
    """
    asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def postgresql_url() -> str:
    """A PostgreSQL that tests may fill with databases of their own; scripts/with-services starts one."""
    url = os.environ.get("TRIMTAB_TEST_POSTGRESQL_URL")
    if not url:
        pytest.skip("no PostgreSQL: run by scripts/with-services, or set TRIMTAB_TEST_POSTGRESQL_URL")
    return url


@pytest.fixture
def new_postgresql(postgresql_url) -> Iterator[Callable[[], str]]:
    """Makes empty databases, and drops them at the end."""
    import sqlalchemy as sa

    server = sa.create_engine(
        sa.make_url(postgresql_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    names: list[str] = []

    def make() -> str:
        name = f"test_{secrets.token_hex(8)}"
        names.append(name)
        with server.connect() as connection:
            connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
        return server.url.set(database=name).render_as_string(hide_password=False)

    yield make
    with server.connect() as connection:
        for name in names:
            connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    server.dispose()


@pytest.fixture(scope="session")
def cluster() -> Path:
    """A kubeconfig of a cluster whose pods really run, in which tests may have namespaces of their own."""
    named = os.environ.get("KUBECONFIG", "")
    remedy = "start one: shared/testbed/cluster up, and set KUBECONFIG"
    if not named or not Path(named).is_file():
        pytest.skip(f"no Kubernetes: {remedy}")
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl makes the namespaces of tests, and is not installed")
    asked = subprocess.run(
        ["kubectl", "get", "--raw", "/readyz"], capture_output=True, timeout=30, check=False
    )
    if asked.returncode:
        pytest.skip(f"the Kubernetes of {named} does not answer: {remedy}")
    return Path(named)


@pytest.fixture
def namespace(cluster) -> Iterator[str]:
    """A namespace with its service account; it is deleted at the end, with all that is in it."""
    name = f"test-{secrets.token_hex(6)}"

    def kubectl(*arguments: str) -> str:
        command = ["kubectl", "--kubeconfig", str(cluster), *arguments]
        return subprocess.run(command, capture_output=True, timeout=60, check=True, text=True).stdout

    kubectl("create", "namespace", name)
    try:
        # Without the account no pod is admitted.
        while not kubectl("-n", name, "get", "serviceaccounts", "-o", "jsonpath={.items[*].secrets[*].name}"):
            time.sleep(0.1)
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


STATUS = b"Package: a\nStatus: install ok installed\nVersion: 1\n"


def sha(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Registry:
    """A registry over HTTP, whose answers are set by path: status, headers, body; or a function of the handler."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def push(
        self,
        name: str = "app",
        tag: str = "1",
        files: dict[str, bytes] | None = None,
        labels: dict[str, str] | None = None,
    ) -> str:
        """Put an image of one layer there; its digest."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for path, content in (files or {"var/lib/dpkg/status": STATUS}).items():
                member = tarfile.TarInfo(path)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        layer = gzip.compress(out.getvalue(), mtime=0)
        defaults = {"Env": ["A=1"], "Labels": labels}
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": defaults}).encode()
        media = "application/vnd.oci.image"
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{media}.manifest.v1+json",
            "config": {"mediaType": f"{media}.config.v1+json", "digest": sha(config), "size": len(config)},
            "layers": [{"mediaType": f"{media}.layer.v1.tar+gzip", "digest": sha(layer), "size": len(layer)}],
        }
        document = json.dumps(manifest).encode()
        told = {"Docker-Content-Digest": sha(document), "Content-Type": manifest["mediaType"]}
        for version in (tag, sha(document)):
            self.answers[f"/v2/{name}/manifests/{version}"] = (200, told, document)
        for blob in (config, layer):
            self.answers[f"/v2/{name}/blobs/{sha(blob)}"] = (200, {}, blob)
        self.layer = f"/v2/{name}/blobs/{sha(layer)}"
        return sha(document)


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry that this machine alone reaches."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found.asked.append((self.path, dict(self.headers)))
            answer = found.answers.get(self.path.partition("?")[0], (404, {}, b""))
            status, headers, body = answer(self) if callable(answer) else answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            """Clients that are ended close their connections."""

    served = Server(("127.0.0.1", 0), Handler)
    found = Registry(served.server_port)
    thread = threading.Thread(target=served.serve_forever, args=(0.01,))
    thread.start()
    yield found
    served.shutdown()
    served.server_close()
    thread.join()


SECURED = ("docker-registry", "htpasswd", "skopeo", "openssl")
CONFIGURATION = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {directory}/data}}, delete: {{enabled: true}}}}
http:
  addr: 127.0.0.1:{port}
  tls: {{certificate: {directory}/cert.pem, key: {directory}/key.pem}}
auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}
"""


@dataclass(frozen=True)
class SecuredRegistry:
    """Debian's docker-registry, with TLS and passwords, which deletes what it is told to.

    Attributes:
        directory: Of its files; `secrets/team.json` in it holds what `podman login` would keep.
        host: With its port.
        user, password: That it lets in.
    """

    directory: Path
    host: str
    user: str = "reader"
    password: str = "a-secret-word"

    @property
    def certificate(self) -> Path:
        return self.directory / "cert.pem"

    @property
    def secrets(self) -> Path:
        return self.directory / "secrets"

    @property
    def auth_file(self) -> Path:
        return self.secrets / "team.json"

    def push(self, source: str, name: str) -> str:
        """Copy an image there by skopeo; what it is called then."""
        target = f"{self.host}/{name}"
        options = ["--dest-authfile", str(self.auth_file), "--dest-tls-verify=false"]
        _run("skopeo", "copy", *options, source, f"docker://{target}")
        return target


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def secured_registry(tmp_path_factory) -> Iterator[SecuredRegistry]:
    """A real registry with TLS and passwords, empty at the beginning of each module."""
    if missing := [each for each in SECURED if not shutil.which(each)]:
        pytest.skip(f"no {', '.join(missing)}: run scripts/system-packages")
    directory = tmp_path_factory.mktemp("registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = SecuredRegistry(directory, f"localhost:{port}")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    key = ["-keyout", str(directory / "key.pem"), "-out", str(found.certificate)]
    _run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *key)
    _run("htpasswd", "-Bbc", str(directory / "htpasswd"), found.user, found.password)
    (directory / "config.yml").write_text(CONFIGURATION.format(directory=directory, port=port))
    pair = base64.b64encode(f"{found.user}:{found.password}".encode()).decode()
    found.secrets.mkdir()
    found.auth_file.write_text(json.dumps({"auths": {found.host: {"auth": pair}}}))
    with (directory / "log").open("wb") as log:
        command = ["docker-registry", "serve", str(directory / "config.yml")]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_for(port, process, directory / "log")
        yield found
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    pytest.fail("the registry does not listen")
