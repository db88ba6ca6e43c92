"""Drives objects of builds through the phases that their controllers would give them, with real pods and real logs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from servo.connectors.builds.cluster.holding import FINALIZER
from servo.kubernetes import (
    CUSTOM_RESOURCE_DEFINITIONS,
    JOBS,
    PODS,
    AlreadyExistsError,
    Client,
    NotFoundError,
)

DEFINITIONS = Path(__file__).resolve().parents[4] / "shared" / "data" / "crds" / "builds.crds.yaml"
IMAGE = "localhost/python:3.11"
DIGEST = "sha256:" + "c" * 64
LABELS = {"role": "builder"}
SELECTOR = "role=builder"
BASE = "registry.example/base:1"
_PARAMS = {"params": [{"name": "BASE_IMAGE", "value": BASE}]}
SPECS = {
    "openshift-builds": {
        "strategy": {"type": "Docker", "dockerStrategy": {"from": {"kind": "DockerImage", "name": BASE}}}
    },
    "tekton-taskruns": _PARAMS,
    "tekton-pipelineruns": _PARAMS,
    "shipwright-buildruns": {"build": {"name": "app"}},
}
CUSTOM = {
    "openshift-builds": ("build.openshift.io", "builds"),
    "tekton-taskruns": ("tekton.dev", "taskruns"),
    "tekton-pipelineruns": ("tekton.dev", "pipelineruns"),
    "shipwright-buildruns": ("shipwright.io", "buildruns"),
}


async def install(client: Client) -> None:
    """Have the cluster know the kinds of builds."""
    for definition in yaml.safe_load_all(DEFINITIONS.read_text("utf-8")):
        if definition:
            try:
                await client.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
            except AlreadyExistsError:
                continue
    for group, plural in CUSTOM.values():
        await eventually(lambda group=group, plural=plural: _is_known(group, plural))


async def _is_known(group: str, plural: str) -> bool:
    async with Client.open() as fresh:  # a client keeps what it discovered
        return await fresh.find(group, plural) is not None


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def eventually(is_so: Callable[[], Awaitable[object]], *, seconds: float = 60.0) -> None:
    """Wait for something that a cluster tells of only when it is asked."""
    async with asyncio.timeout(seconds):
        while not await is_so():  # noqa: ASYNC110 - others' state: there is no event of it
            await asyncio.sleep(0.05)


def pod_spec(lines: list[str], *, exit_code: int = 0, seconds: float = 0.0) -> dict[str, Any]:
    program = f"import sys, time\nfor line in {lines!r}: print(line, flush=True)\ntime.sleep({seconds})\nsys.exit({exit_code})"
    container = {
        "name": "build",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", program],
    }
    return {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}


class Bed:
    """A namespace in which builds are made."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.client, self.namespace = client, namespace

    async def resource(self, kind: str) -> Any:
        found = (
            await self.client.find(*CUSTOM[kind]) if kind in CUSTOM else {"jobs": JOBS, "pods": PODS}[kind]
        )
        assert found is not None
        return found

    async def pod(self, name: str, labels: dict[str, str], lines: list[str], **how: Any) -> None:
        metadata = {"name": name, "namespace": self.namespace, "labels": labels}
        await self.client.create(PODS, {"metadata": metadata, "spec": pod_spec(lines, **how)}, self.namespace)

    async def pod_ended(self, name: str) -> None:
        async def ended() -> bool:
            pod = await self.client.get(PODS, name, self.namespace)
            return pod["status"]["phase"] in {"Succeeded", "Failed"}

        await eventually(ended)

    async def begin(self, kind: str, name: str, lines: list[str], *, pod: bool = True, **how: Any) -> None:
        """Begin a build; its pod prints these lines."""
        if kind in CUSTOM:
            resource, spec = await self.resource(kind), SPECS[kind]
            await self.client.create(resource, {"metadata": {"name": name}, "spec": spec}, self.namespace)
            await self.tell(kind, name, status_of(kind, name, None))
            if pod:
                await self.pod(*pod_of(kind, name), lines, **how)
            return
        annotations = {"builds.servo/base-image": BASE, "builds.servo/output-image": "registry.example/app:1"}
        metadata = {"name": name, "labels": LABELS, "annotations": annotations}
        spec = pod_spec(lines, **how)
        if kind == "jobs":
            spec = {"backoffLimit": 0, "template": {"spec": spec}}
        await self.client.create(
            await self.resource(kind), {"metadata": metadata, "spec": spec}, self.namespace
        )

    async def end(self, kind: str, name: str, *, good: bool = True, wait: bool = True) -> None:
        """Say how it ended, when its pod did; of others the cluster itself says so."""
        if kind in CUSTOM:
            if wait:
                await self.pod_ended(pod_of(kind, name)[0])
            await self.tell(kind, name, status_of(kind, name, good))

    async def tell(self, kind: str, name: str, status: dict[str, Any]) -> None:
        """Do what a controller does."""
        resource = await self.resource(kind)
        body = {"status": status}
        await self.client.patch(resource, name, body, self.namespace, kind="merge", subresource="status")

    async def delete(self, kind: str, name: str, **how: Any) -> None:
        await self.client.delete(await self.resource(kind), name, self.namespace, **how)

    async def is_there(self, kind: str, name: str) -> bool:
        try:
            await self.client.get(await self.resource(kind), name, self.namespace)
        except NotFoundError:
            return False
        return True

    async def is_gone(self, kind: str, name: str) -> bool:
        return not await self.is_there(kind, name)

    async def is_held(self, kind: str, name: str) -> bool:
        obj = await self.client.get(await self.resource(kind), name, self.namespace)
        return FINALIZER in obj["metadata"].get("finalizers", ())

    async def job_is_over(self) -> bool:
        return bool(
            (await self.client.get(JOBS, "brief", self.namespace)).get("status", {}).get("conditions")
        )


def pod_of(kind: str, name: str) -> tuple[str, dict[str, str]]:
    """Return name and labels that the pod of a build has."""
    if kind == "openshift-builds":
        return f"{name}-build", {}
    label = {
        "tekton-taskruns": "tekton.dev/taskRun",
        "tekton-pipelineruns": "tekton.dev/pipelineRun",
        "shipwright-buildruns": "buildrun.shipwright.io/name",
    }[kind]
    return f"{name}-pod", {label: name}


def status_of(kind: str, name: str, good: bool | None) -> dict[str, Any]:
    """Return the status of a build that ended well or badly, or goes on."""
    if kind == "openshift-builds":
        return _openshift(good)
    return _shipwright(good) if kind == "shipwright-buildruns" else _tekton(kind, name, good)


def _openshift(good: bool | None) -> dict[str, Any]:
    if good is None:
        return {"phase": "Running", "startTimestamp": now()}
    output = {
        "outputDockerImageReference": "registry.example/app:1",
        "output": {"to": {"imageDigest": DIGEST}},
    }
    return {"phase": "Complete" if good else "Failed", "completionTimestamp": now(), **output}


def _conditions(good: bool | None) -> dict[str, Any]:
    status, reason = {None: ("Unknown", "Running"), True: ("True", "Succeeded"), False: ("False", "Failed")}[
        good
    ]
    found: dict[str, Any] = {"conditions": [{"type": "Succeeded", "status": status, "reason": reason}]}
    return found | ({"startTime": now()} if good is None else {"completionTime": now()})


def _tekton(kind: str, name: str, good: bool | None) -> dict[str, Any]:
    declared = {"results": [{"name": "IMAGE_URL"}, {"name": "IMAGE_DIGEST"}]}
    is_task = kind == "tekton-taskruns"
    found = _conditions(good) | {"taskSpec" if is_task else "pipelineSpec": declared}
    if is_task:
        found["podName"] = f"{name}-pod"
    if good:
        values = {"IMAGE_URL": "registry.example/app:1", "IMAGE_DIGEST": DIGEST}
        found["results"] = [{"name": key, "value": value} for key, value in values.items()]
    return found


def _shipwright(good: bool | None) -> dict[str, Any]:
    spec = {
        "output": {"image": "registry.example/app:1"},
        "paramValues": [{"name": "base-image", "value": BASE}],
    }
    return _conditions(good) | {"buildSpec": spec} | ({"output": {"digest": DIGEST}} if good else {})
