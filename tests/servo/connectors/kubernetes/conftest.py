"""A real cluster, workloads in it that do as their environment says, and agents with no more than the documented role."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from servo.connectors.kubernetes import KubernetesConfiguration, KubernetesConnector
from servo.connectors.kubernetes.options import STANDARD_PERMISSIONS, permissions
from servo.kubernetes import DEPLOYMENTS, PODS, SECRETS, SERVICE_ACCOUNTS, Client, NotFoundError, Resource
from servo.types.api import Adjustment, Control

ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
PROGRAM = """
import os, sys, time
mode = os.environ.get("MODE", "fine")
print("starting in mode", mode, flush=True)
if mode == "crash":
    print("there is no such mode", flush=True)
    sys.exit(3)
block = b"x" * (40 << 20)
if mode == "late":
    time.sleep(2)
    sys.exit(4)
time.sleep(100000)
"""
RESOURCES = {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "96Mi"}}


def pod_template(name: str, resources: Any = RESOURCES, **spec: Any) -> dict[str, Any]:
    app = {
        "name": "app",
        "image": "localhost/python:3.11",
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", PROGRAM],
        "env": [{"name": "MODE", "value": "fine"}],
        "resources": resources,
        "readinessProbe": {
            "exec": {"command": ["sh", "-c", 'test "$MODE" != unready']},
            "periodSeconds": 1,
            "initialDelaySeconds": 0,
        },
    }
    return {
        "metadata": {"labels": {"app": name, "extra": "label"}},
        "spec": {"containers": [app], "terminationGracePeriodSeconds": 0, **spec},
    }


def deployment(name: str, *, replicas: int = 1, **template: Any) -> dict[str, Any]:
    """A Deployment whose own labels are other than those it selects by."""
    return {
        "metadata": {"name": name, "labels": {"team": "shop"}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": pod_template(name, **template),
        },
    }


def stateful_set(name: str) -> dict[str, Any]:
    selector = {"matchLabels": {"app": name}}
    return {
        "metadata": {"name": name},
        "spec": {"replicas": 1, "serviceName": name, "selector": selector, "template": pod_template(name)},
    }


def target(name: str = "web", **values: Any) -> dict[str, Any]:
    """A workload in the configuration."""
    container = {
        "name": "app",
        "alias": values.pop("alias", "main"),
        "cpu": {"min": "10m", "max": "1", "step": "10m", **values.pop("cpu", {})},
        "memory": {"min": "64Mi", "max": "1Gi", "step": "32Mi", **values.pop("memory", {})},
        "env": [{"name": "MODE", "type": "enum", "values": ["fine", "other", "crash", "late", "unready"]}],
    }
    others = values.pop("others", [])
    return {"name": name, "containers": [container, *others], "replicas": {"min": 0, "max": 4}, **values}


@pytest.fixture
async def admin(cluster) -> AsyncIterator[Client]:
    """A client that may do everything."""
    async with Client.open(Path(cluster)) as client:
        yield client


@pytest.fixture
async def kubeconfig(cluster, namespace, admin, tmp_path) -> Path:
    """The kubeconfig of a service account with the permissions that are documented, in the test's namespace alone."""
    rules = [
        *STANDARD_PERMISSIONS,
        permissions("apps", "statefulsets", ("get", "list", "watch", "update")),
        permissions("argoproj.io", "rollouts", ("get", "list", "watch", "update")),
    ]
    return await account(Path(cluster), admin, namespace, rules, tmp_path)


async def account(cluster: Path, admin: Client, namespace: str, rules: list[Any], folder: Path) -> Path:
    """Make a service account, and return the kubeconfig of it."""
    name = f"agent-{secrets.token_hex(3)}"
    rows = [{"apiGroups": [each.group], "resources": each.resources, "verbs": each.verbs} for each in rules]
    await admin.create(SERVICE_ACCOUNTS, {"metadata": {"name": name}}, namespace)
    await admin.create(ROLES, {"metadata": {"name": name}, "rules": rows}, namespace)
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": ROLES.group, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }
    await admin.create(BINDINGS, binding, namespace)
    token = await _token(admin, namespace, name)
    config = yaml.safe_load(cluster.read_text())  # noqa: ASYNC240  a small file of a test
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


async def _token(admin: Client, namespace: str, name: str) -> str:
    import base64

    while True:
        found = await admin.get(SERVICE_ACCOUNTS, name, namespace)
        if names := [each["name"] for each in found.get("secrets") or ()]:
            secret = await admin.get(SECRETS, names[0], namespace)
            if "token" in (secret.get("data") or {}):
                return base64.b64decode(secret["data"]["token"]).decode()
        await asyncio.sleep(0.1)


class Cluster:
    """What a test does to its namespace, and sees of it.

    Args:
        admin: A client that may do everything.
        namespace: The test's own.
        kubeconfig: That of agents.
    """

    def __init__(self, admin: Client, namespace: str, kubeconfig: Path) -> None:
        self.admin, self.namespace, self.kubeconfig = admin, namespace, kubeconfig
        self.connectors: list[KubernetesConnector] = []

    async def make(self, body: dict[str, Any], resource: Resource = DEPLOYMENTS) -> dict[str, Any]:
        """Make a workload, and wait until its pods are ready."""
        name = body["metadata"]["name"]
        await self.admin.create(resource, body, self.namespace)
        return await self.until(resource, name, _is_ready)

    async def get(self, name: str = "web", resource: Resource = DEPLOYMENTS) -> dict[str, Any]:
        return await self.admin.get(resource, name, self.namespace)

    async def tuning(self, name: str = "web") -> dict[str, Any] | None:
        """The tuning pod, unless it is going."""
        try:
            pod = await self.admin.get(PODS, f"{name}-tuning", self.namespace)
        except NotFoundError:
            return None
        return None if pod["metadata"].get("deletionTimestamp") else pod

    async def pods(self) -> list[str]:
        return [each["metadata"]["name"] for each in (await self.admin.list(PODS, self.namespace)).items]

    async def patch(
        self, body: dict[str, Any], name: str = "web", resource: Resource = DEPLOYMENTS, **options: Any
    ) -> dict[str, Any]:
        """Change a workload as a person would."""
        return await self.admin.patch(resource, name, body, self.namespace, **options)

    async def until(
        self, resource: Resource, name: str, done: Callable[[dict[str, Any]], bool], seconds: float = 60
    ) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while not done(found := await self.admin.get(resource, name, self.namespace)):  # noqa: ASYNC110  the cluster rings no event here
                await asyncio.sleep(0.1)
        return found

    def configuration(self, **values: Any) -> KubernetesConfiguration:
        kind = "deployments" if not {"stateful_sets", "rollouts"} & values.keys() else None
        given = {
            "namespace": self.namespace,
            "kubeconfig": str(self.kubeconfig),
            "timeout": "30s",
            "lease": "60s",
        }
        return KubernetesConfiguration.model_validate(
            given | ({kind: values.pop("deployments", [target()])} if kind else {}) | values
        )

    def connector(self, **values: Any) -> KubernetesConnector:
        connector = KubernetesConnector(config=self.configuration(**values))
        self.connectors.append(connector)
        return connector


def _is_ready(workload: dict[str, Any]) -> bool:
    status = workload.get("status") or {}
    seen = status.get("observedGeneration", 0) >= workload["metadata"]["generation"]
    return seen and status.get("readyReplicas", 0) == workload["spec"]["replicas"]


@pytest.fixture
async def world(admin, namespace, kubeconfig) -> AsyncIterator[Cluster]:
    """The cluster as a test sees it; its connectors are let go at the end."""
    found = Cluster(admin, namespace, kubeconfig)
    yield found
    for connector in found.connectors:
        await connector.detach(None)


def to(component: str = "main", **values: Any) -> list[Adjustment]:
    return [
        Adjustment(component_name=component, setting_name=name, value=value) for name, value in values.items()
    ]


async def adjust(
    connector: KubernetesConnector, *adjustments: list[Adjustment], settlement: str | None = None
) -> Any:
    """What the event returns, or the one error."""
    given = [each for part in adjustments for each in part]
    try:
        (result,) = await connector.dispatch_event("adjust", given, Control(settlement=settlement))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    return result.value


def fields(workload: dict[str, Any]) -> dict[str, Any]:
    """What of the container `app` can be adjusted."""
    spec = workload["spec"]
    app = (spec["template"]["spec"] if "template" in spec else spec)["containers"][0]
    found = {
        f"{group}.{key}": value
        for group, values in (app.get("resources") or {}).items()
        for key, value in values.items()
    }
    found |= {each["name"]: each.get("value") for each in app["env"]}
    return found | ({"replicas": spec["replicas"]} if "replicas" in spec else {})


BASELINE = {
    "requests.cpu": "20m",
    "requests.memory": "64Mi",
    "limits.cpu": "500m",
    "limits.memory": "96Mi",
    "MODE": "fine",
    "replicas": 1,
}


def record(manifest: dict[str, Any]) -> dict[str, Any] | None:
    text = (manifest["metadata"].get("annotations") or {}).get("servo.trimtab/record")
    return None if text is None else json.loads(text)


@pytest.fixture(name="to")
def _to():
    return to


@pytest.fixture(name="adjust")
def _adjust():
    return adjust


@pytest.fixture(name="make")
def _make():
    """What workloads and configurations are made of."""
    return {"deployment": deployment, "stateful_set": stateful_set, "target": target, "account": account}


@pytest.fixture(name="fields")
def _fields():
    return fields


@pytest.fixture(name="record")
def _record():
    return record


@pytest.fixture
def before() -> dict[str, Any]:
    """The fields of a new workload."""
    return dict(BASELINE)
