"""A second API server at the store of the test bed's cluster: one that a test may kill."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from servo.kubernetes import Client, KubernetesError


def running(cluster: Path) -> list[str] | None:
    """The command line of the cluster's API server, or None where it is not a process of this machine."""
    port = str(urlsplit(yaml.safe_load(cluster.read_text())["clusters"][0]["cluster"]["server"]).port)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode().rstrip("\0").split("\0")
        except OSError:
            continue
        if words[0].endswith("/kube-apiserver") and port in words:
            return words
    return None


class ApiServer:
    """An API server of our own, with the flags of the cluster's, another port and certificates of its own.

    Args:
        command: The command line of the cluster's.
        folder: Where certificates and log go.
        cluster: The kubeconfig of one who may do everything.
    """

    def __init__(self, command: list[str], folder: Path, cluster: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.command = list(command)
        for flag, value in (("--secure-port", str(self.port)), ("--cert-dir", str(folder / "certs"))):
            self.command[self.command.index(flag) + 1] = value
        self.admin = self.kubeconfig(cluster, folder)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    async def ready(self) -> None:
        """Start it unless it runs, and wait until it answers."""
        if not self.is_alive:
            self.start()
        async with asyncio.timeout(60), Client.open(self.admin) as client:
            while not await _answers(client):  # noqa: ASYNC110  it rings no event
                await asyncio.sleep(0.2)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def kubeconfig(self, other: Path, folder: Path) -> Path:
        """The same account's kubeconfig, at this server."""
        config = yaml.safe_load(other.read_text())
        config["clusters"][0]["cluster"] = {
            "server": f"https://127.0.0.1:{self.port}",
            "insecure-skip-tls-verify": True,
        }
        path = folder / "second.yaml"
        path.write_text(yaml.safe_dump(config))
        return path


async def _answers(client: Client) -> bool:
    from servo.kubernetes import LEASES

    try:
        await client.list(LEASES, client.namespace)
    except (KubernetesError, OSError):
        return False
    return True
