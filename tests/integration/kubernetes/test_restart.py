"""Following a real API server that is killed and started anew."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from servo.kubernetes import CONFIG_MAPS, NAMESPACES, Client, KubernetesError
from servo.kubernetes.access import Access
from servo.kubernetes.credentials import StoredCredentials

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

TOKEN = "a-token-of-this-test"


def binary(name):
    """One of the test bed's programs; KUBEBUILDER_ASSETS may say where else they are."""
    places = (os.environ.get("KUBEBUILDER_ASSETS"), Path.home() / ".cache" / "test-cluster" / "bin")
    found = next((Path(place, name) for place in places if place and Path(place, name).is_file()), None)
    if found is None and (on_path := shutil.which(name)):
        return on_path
    if found is None:
        pytest.skip(
            f"no {name}: set KUBEBUILDER_ASSETS to where it is, or build it: shared/testbed/cluster build"
        )
    return str(found)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ControlPlane:
    """etcd and an API server of this test alone: they may be killed."""

    def __init__(self, directory):
        self.directory = directory
        self.port, self._etcd_port = free_port(), free_port()
        self._log = (directory / "log").open("ab")
        (directory / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n")
        subprocess.run(
            ["openssl", "genrsa", "-out", str(directory / "sa.key"), "2048"], check=True, capture_output=True
        )
        etcd, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{free_port()}"
        self._etcd = self._start(
            binary("etcd"), "--data-dir", directory / "etcd", "--unsafe-no-fsync",
            "--listen-client-urls", etcd, "--advertise-client-urls", etcd, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
        )  # fmt: skip
        self.start()

    def _start(self, *command):
        return subprocess.Popen(
            [str(part) for part in command], stdout=self._log, stderr=self._log, cwd=self.directory
        )

    def start(self):
        key = self.directory / "sa.key"
        self._server = self._start(
            binary("kube-apiserver"), "--etcd-servers", f"http://127.0.0.1:{self._etcd_port}",
            "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--secure-port", self.port,
            "--cert-dir", "certs", "--authorization-mode", "RBAC", "--token-auth-file", "tokens.csv",
            "--service-account-key-file", key, "--service-account-signing-key-file", key,
            "--service-account-issuer", "https://kubernetes.default.svc",
            "--service-cluster-ip-range", "10.96.0.0/16", "--endpoint-reconciler-type", "none",
        )  # fmt: skip

    def kill(self):
        """As a machine that loses its power: nothing is said to anybody."""
        self._server.send_signal(signal.SIGKILL)
        self._server.wait()

    def close(self):
        self.kill()
        self._etcd.kill()
        self._etcd.wait()
        self._log.close()


@pytest.fixture
def control_plane(tmp_path):
    for name in ("etcd", "kube-apiserver"):
        binary(name)
    started = ControlPlane(tmp_path)
    yield started
    started.close()


class Gate:
    """A way to the API server that can be shut, whatever goes over it: a process, with all its connections."""

    def __init__(self, target):
        self.port = free_port()
        self._command = [
            "socat",
            f"TCP-LISTEN:{self.port},bind=127.0.0.1,fork,reuseaddr",
            f"TCP:127.0.0.1:{target}",
        ]
        self.open()

    def open(self):
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL, start_new_session=True)

    def shut(self):
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def gate(control_plane):
    if shutil.which("socat") is None:
        pytest.skip("socat cuts the way to the server, and is not installed")
    made = Gate(control_plane.port)
    yield made
    made.shut()


def client_at(port):
    access = Access(
        f"https://127.0.0.1:{port}", "a test", insecure=True, credentials=StoredCredentials(f"Bearer {TOKEN}")
    )
    return Client(access, timeout=5)


async def answering(client):
    """Wait until the API server serves."""
    async with asyncio.timeout(100):
        while True:
            with contextlib.suppress(KubernetesError):
                return await client.get(NAMESPACES, "default")
            await asyncio.sleep(0.2)


def made(name, value):
    return {"metadata": {"name": name, "labels": {"made-by": "test"}}, "data": {"value": value}}


class Followed:
    """What a follower tells, in the background."""

    def __init__(self, client):
        self._told: asyncio.Queue = asyncio.Queue()
        self._task = asyncio.create_task(self._follow(client))

    async def _follow(self, client):
        async with contextlib.aclosing(client.follow(CONFIG_MAPS, labels="made-by=test")) as changes:
            async for change in changes:
                await self._told.put((change.type, change.object["metadata"].get("name")))

    async def until(self, *wanted):
        """Wait for some changes; all that were told meanwhile."""
        seen = []
        async with asyncio.timeout(90):
            while not set(wanted) <= set(seen):
                seen.append(await self._told.get())
        return seen

    async def close(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_what_happened_while_the_server_was_away_is_told_in_the_end(control_plane, gate, monkeypatch):
    """Cut off and restarted with its memory of versions lost, the server answers 410 to where the follower was."""
    monkeypatch.setattr("servo.kubernetes.watching.MAX_DELAY", 1.0)
    async with contextlib.AsyncExitStack() as stack:
        direct = await stack.enter_async_context(client_at(control_plane.port))
        through = await stack.enter_async_context(client_at(gate.port))
        await answering(direct)
        for name in ("same", "changed", "gone"):
            await direct.create(CONFIG_MAPS, made(name, "1"))
        followed = Followed(through)
        stack.push_async_callback(followed.close)
        await followed.until(*(("ADDED", name) for name in ("same", "changed", "gone")), ("BOOKMARK", None))
        gate.shut()
        await direct.delete(CONFIG_MAPS, "gone")
        await direct.patch(CONFIG_MAPS, "changed", {"data": {"value": "2"}})
        await direct.create(CONFIG_MAPS, made("new", "1"))
        await direct.create(CONFIG_MAPS, made("came-and-went", "1"))
        await direct.delete(CONFIG_MAPS, "came-and-went")
        control_plane.kill()
        control_plane.start()
        await answering(direct)
        gate.open()
        seen = await followed.until(("DELETED", "gone"), ("MODIFIED", "changed"), ("ADDED", "new"))
        assert ("MODIFIED", "same") not in seen
        # Killed under an open stream, it goes on just so.
        control_plane.kill()
        control_plane.start()
        await answering(direct)
        await direct.delete(CONFIG_MAPS, "same")
        await followed.until(("DELETED", "same"))
