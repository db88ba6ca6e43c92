"""How long an adjustment in a cluster takes, from the command until its pods are ready, against ``kubectl`` by hand.

In the cluster of KUBECONFIG, in a namespace that is made for it: a Deployment of one pod, whose cpu and memory are changed in turns by
``kubectl set resources`` with ``kubectl rollout status``, and by the connector ``kubernetes``; and a pod of the same kind that is made
anew, by ``kubectl`` with ``delete``, ``apply`` and ``wait``, and by the connector as its tuning pod. Each way the same number of times, one
after the other. Then, of settings that do not do, the time until the adjustment is rejected and what was accepted is ready again; what
cannot get ready at all counts from the end of its time, which is 10 s here.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

AIM = 1.25
IMAGE = "localhost/python:3.11"
PROGRAM = """
import os, sys, time
mode = os.environ["MODE"]
if mode == "crash":
    sys.exit(3)
block = b"x" * (40 << 20)
time.sleep(100000)
"""
TIMEOUT = 10
REJECTED: dict[str, tuple[dict[str, Any], str | None]] = {
    "more cpu than a node has": ({"cpu": 500}, None),
    "too little memory: OOM kill": ({"mem": 0.03125}, "4s"),
    "crash loop": ({"MODE": "crash"}, None),
    "never ready": ({"MODE": "unready"}, None),
}


def run() -> dict[str, Any]:
    """Measure, and return rows of `what`, `way`, `median_s`, `low_s`, `high_s`, `ratio`, `times`."""
    rounds = 2 if os.environ.get("TRIMTAB_BENCH_QUICK") else 12
    with tempfile.TemporaryDirectory() as folder:
        namespace = f"bench-{secrets.token_hex(4)}"
        _kubectl("create", "namespace", namespace)
        try:
            rows = asyncio.run(_measured(namespace, Path(folder), rounds))
        finally:
            _kubectl("delete", "namespace", namespace, "--wait=false")
    ratios = {row["what"]: row["ratio"] for row in rows if row["way"] == "connector" and row["ratio"]}
    aims = {
        f"{what}: at most {AIM:g} times kubectl's time": {"measured": f"{ratio:.2f}", "reached": ratio <= AIM}
        for what, ratio in ratios.items()
    }
    return {"name": "adjust", "rows": rows, "aims": aims}


async def _measured(namespace: str, folder: Path, rounds: int) -> list[dict[str, Any]]:
    _apply(_deployment(), namespace)
    _kubectl("-n", namespace, "rollout", "status", "deployment/web", "--timeout=120s")
    rolling = _connector(namespace, "default")
    rows = await _turns("rolling: the Deployment", rounds, _by_kubectl(namespace), _by(rolling))
    for what, (values, settlement) in REJECTED.items():
        times = [await _rejected(rolling, values, settlement) for _ in range(max(1, rounds // 4))]
        rows.append(_row(f"rejected, and back: {what}", "connector", times, None))
    await _end(rolling)
    canary = _connector(namespace, {"type": "canary", "alias": "main"})
    rows += await _turns("canary: one pod", rounds, _pod_by_kubectl(namespace, folder), _by(canary))
    await _end(canary)
    return rows


async def _end(connector: Any) -> None:
    await connector.shutdown()
    await connector.detach(None)


Way = Callable[[int], Awaitable[None]]


async def _turns(what: str, rounds: int, by_hand: Way, ours: Way) -> list[dict[str, Any]]:
    """Both ways in turn, so that what else the machine does meets both."""
    times: dict[str, list[float]] = {"kubectl": [], "connector": []}
    for number in range(rounds + 1):
        for name, way in (("kubectl", by_hand), ("connector", ours)):
            began = time.perf_counter()
            await way(number)
            if number:  # the first is to warm up
                times[name].append(time.perf_counter() - began)
    floor = statistics.median(times["kubectl"])
    return [_row(what, "kubectl", times["kubectl"], None), _row(what, "connector", times["connector"], floor)]


def _row(what: str, way: str, times: list[float], floor: float | None) -> dict[str, Any]:
    median = statistics.median(times)
    return {
        "what": what,
        "way": way,
        "median_s": median,
        "low_s": min(times),
        "high_s": max(times),
        "ratio": None if floor is None else median / floor,
        "times": len(times),
    }


def _by_kubectl(namespace: str) -> Way:
    async def change(number: int) -> None:
        amounts = f"cpu={20 + 10 * (number % 2)}m,memory=64Mi"
        await _asked(
            "-n",
            namespace,
            "set",
            "resources",
            "deployment/web",
            f"--requests={amounts}",
            f"--limits={amounts}",
        )
        await _asked("-n", namespace, "rollout", "status", "deployment/web", "--timeout=120s")

    return change


def _pod_by_kubectl(namespace: str, folder: Path) -> Way:
    async def change(number: int) -> None:
        template = _template(f"{20 + 10 * (number % 2)}m")
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "byhand"}, "spec": template["spec"]}
        file = folder / "pod.json"
        await asyncio.to_thread(file.write_text, json.dumps(body))
        await _asked("-n", namespace, "delete", "pod/byhand", "--ignore-not-found")
        await _asked("-n", namespace, "apply", "--filename", str(file))
        await _asked("-n", namespace, "wait", "--for=condition=Ready", "pod/byhand", "--timeout=120s")

    return change


def _by(connector: Any) -> Way:
    started = False

    async def change(number: int) -> None:
        nonlocal started
        if not started:
            await connector.startup()
            started = True
        await _adjust(connector, {"cpu": 0.05 + 0.01 * (number % 2)})

    return change


async def _adjust(connector: Any, values: dict[str, Any], settlement: str | None = None) -> None:
    from servo.types.api import Adjustment, Control

    wanted = [
        Adjustment(component_name="main", setting_name=name, value=value) for name, value in values.items()
    ]
    await connector.adjust(wanted, Control(settlement=settlement))


async def _rejected(connector: Any, values: dict[str, Any], settlement: str | None) -> float:
    from servo.errors import AdjustmentRejectedError

    began = time.perf_counter()
    try:
        await _adjust(connector, values, settlement)
    except AdjustmentRejectedError:
        return time.perf_counter() - began
    raise RuntimeError(f"{values} was not rejected")


def _connector(namespace: str, strategy: Any) -> Any:
    from servo.connectors.kubernetes import KubernetesConfiguration, KubernetesConnector

    container = {
        "name": "app",
        "alias": "web" if strategy != "default" else "main",
        "cpu": {"min": "10m", "max": "1", "step": "10m"},
        "memory": {"min": "64Mi", "max": "1Gi", "step": "32Mi"},
        "env": [{"name": "MODE", "type": "enum", "values": ["fine", "crash", "unready"]}],
    }
    target = {
        "name": "web",
        "containers": [container],
        "replicas": {"min": 0, "max": 4},
        "strategy": strategy,
    }
    given = {"namespace": namespace, "timeout": f"{TIMEOUT}s", "deployments": [target]}
    return KubernetesConnector(config=KubernetesConfiguration.model_validate(given))


def _deployment() -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": _template("20m"),
        },
    }


def _template(cpu: str) -> dict[str, Any]:
    amounts = {"cpu": cpu, "memory": "64Mi"}
    app = {
        "name": "app",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", PROGRAM],
        "env": [{"name": "MODE", "value": "fine"}],
        "resources": {"requests": amounts, "limits": {"cpu": "500m", "memory": "96Mi"}},
        "readinessProbe": {"exec": {"command": ["sh", "-c", 'test "$MODE" != unready']}, "periodSeconds": 1},
    }
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [app]},
    }


def _apply(body: dict[str, Any], namespace: str) -> None:
    _kubectl("-n", namespace, "apply", "--filename", "-", given=json.dumps(body))


def _kubectl(*arguments: str, given: str | None = None) -> None:
    subprocess.run(["kubectl", *arguments], input=given, check=True, capture_output=True, text=True)


async def _asked(*arguments: str) -> None:
    await asyncio.to_thread(_kubectl, *arguments)
