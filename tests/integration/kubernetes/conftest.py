"""What the tests against a real cluster share."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from servo.kubernetes import PODS, Client

IMAGE = "localhost/python:3.11"


@pytest.fixture
async def client(cluster, namespace) -> AsyncIterator[Client]:
    """A client whose namespace is the test's own."""
    async with Client.open(cluster) as opened:
        opened.namespace = namespace
        yield opened


@pytest.fixture
def kubectl(cluster, namespace) -> Callable[..., str]:
    """Runs kubectl in the test's namespace: what we made is looked at by somebody else."""

    def run(*arguments: str, stdin: str | None = None) -> str:
        command = ["kubectl", "--kubeconfig", str(cluster), "-n", namespace, *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def make_pod(client) -> Callable[..., Any]:
    """Makes a pod that runs a shell script, and waits until it is in a phase."""

    async def make(
        name: str, script: str, *, phase: str = "Running", containers: int = 1, **spec: Any
    ) -> Any:
        command = ["sh", "-c", script]
        made = [
            {
                "name": f"c{number}" if number else "app",
                "image": IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "command": command,
                "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
            }
            for number in range(containers)
        ]
        body = {
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "containers": made,
                **spec,
            },
        }
        await client.create(PODS, body)
        async with asyncio.timeout(50):
            while True:
                found = await client.get(PODS, name)
                if found["status"].get("phase") == phase:
                    return found
                await asyncio.sleep(0.2)

    return make
