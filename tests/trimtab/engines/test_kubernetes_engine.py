"""Builds and runs in a real cluster, with a real registry."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from servo.kubernetes import JOBS, NODES, PODS, Client, NotFoundError
from trimtab.engines import (
    BuildFailedError,
    BuildGoneError,
    EngineUnavailableError,
    FailureKind,
    KubernetesEngine,
    KubernetesSettings,
    RefusedError,
    UnmetError,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]
MIB = 2**20

LOOK_AROUND = """\
import json, os
def refused(action):
    try:
        action()
    except OSError as error:
        return error.strerror
    return None
open("written", "w").close()
open("/tmp/written", "w").close()
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
print(json.dumps({
    "user": os.getuid(), "home": os.environ["HOME"], "cwd": os.getcwd(), "data": open("data.txt").read(),
    "root": refused(lambda: open("/opt/written", "w")), "capabilities": int(status["CapBnd"], 16),
    "privileges": status["NoNewPrivs"].strip(), "odd": os.environ["ODD"],
    "account": os.path.exists("/var/run/secrets/kubernetes.io/serviceaccount"), "files": sorted(os.listdir(".")),
}))
"""


def left(bench, cluster) -> str:
    """What carries the inspection's label in the namespace of the test."""
    kinds = "jobs,pods,secrets,configmaps,networkpolicies"
    asked = [
        "kubectl", "--kubeconfig", cluster, "--namespace", os.environ["TRIMTAB_KUBERNETES_NAMESPACE"],
        "get", kinds, "--selector", "engine.trimtab/inspection", "--output", "name",
    ]  # fmt: skip
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


async def nothing_left(bench, cluster) -> None:
    """All is removed, as soon as the cluster gets to it."""
    deadline = time.monotonic() + 60
    while found := left(bench, cluster):
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.5)


async def test_a_build_and_its_runs_confined(kubernetes, cluster):
    """Each run is an ordinary user's without privileges or account, its results are fetched, and nothing stays but the image."""
    capabilities = await kubernetes.engine.prepare()
    assert (capabilities.name, capabilities.images) == ("kubernetes", True)
    build = await kubernetes.build(LOOK_AROUND)
    assert build.reference.endswith(f"/stacks@{build.digest}")
    assert b"COPY entrypoint" in build.log.read_bytes()
    for item, network in ((0, False), (1, True)):
        run = await kubernetes.run(build, item, network=network, environment={"ODD": "$(HOME) $$ $(X"})
        assert (run.exit_code, run.signal, run.lost, run.oom_killed, run.timed_out) == (
            0,
            None,
            None,
            False,
            False,
        )
        assert run.notes == ()
        found = json.loads(kubernetes.result(item))
        assert (found["user"], found["home"], found["cwd"]) == (1042, "/home/amun", "/home/amun")
        assert found["data"] == "data\n"
        assert found["root"] == "Permission denied"
        assert (found["capabilities"], found["privileges"], found["account"]) == (0, "1", False)
        assert found["odd"] == "$(HOME) $$ $(X"
        assert found["files"] == ["data.txt", "entrypoint", "results", "script", "script.stdout", "written"]
    assert "networkpolicy" in left(kubernetes, cluster)
    again = await kubernetes.build(LOOK_AROUND)
    assert again.cached, again.log.read_text()
    await kubernetes.engine.clean(kubernetes.inspection)
    await nothing_left(kubernetes, cluster)
    await kubernetes.engine.clean(kubernetes.inspection)


async def test_how_runs_end(kubernetes, cluster):
    """An exit code, a kill for memory, a time limit, too much on disk: each is told as a local engine tells it."""
    build = await kubernetes.build('#!/bin/sh\neval "$SCRIPT"\n')
    kubernetes.shared = build

    failed = await kubernetes.sh("echo to the log; echo to another >&2; exit 3")
    assert (failed.exit_code, failed.lost, failed.timed_out) == (3, None, False)
    assert b"to another" in failed.log.read_bytes()

    hog = await kubernetes.sh("python3 -c 'x = bytearray(500 << 20)'; exit $?", memory=64 * MIB)
    assert hog.lost is None
    assert hog.oom_killed or any("memory limit" in note for note in hog.notes), hog

    slow = await kubernetes.sh("trap '' TERM; echo begun >&2; sleep 300", timeout=3)
    assert (slow.timed_out, slow.exit_code, slow.lost) == (True, None, None)
    assert b"begun" in slow.log.read_bytes()

    with pytest.raises(BuildGoneError, match="cannot be had"):
        await kubernetes.run(replace(build, reference=build.reference[:-8] + "00000000"), 1)
    await kubernetes.engine.clean(kubernetes.inspection)
    await nothing_left(kubernetes, cluster)


async def test_what_no_node_takes_ends_with_the_schedulers_words(kubernetes, cluster, monkeypatch):
    """Too many cores, a label that no node has, hardware by its label, hardware without one, a kept container."""
    build = await kubernetes.build('#!/bin/sh\neval "$SCRIPT"\n')
    with pytest.raises(UnmetError, match="Insufficient cpu"):
        await kubernetes.run(build, cpu=500)
    request = kubernetes.request("x")
    resources = replace(request.resources, hardware={"cpu_family": "6"})
    with pytest.raises(UnmetError, match="didn't match"):
        await kubernetes.engine.build(replace(request, resources=resources), kubernetes.printed.extend)
    resources = replace(request.resources, hardware={"processor": "quick"})
    with pytest.raises(UnmetError, match="no label of nodes is set for the hardware 'processor'"):
        await kubernetes.engine.build(replace(request, running=resources), kubernetes.printed.extend)
    with pytest.raises(RefusedError, match="one container"):
        await kubernetes.run(build, reuse=True)


async def test_builds_that_fail(kubernetes):
    """A failed instruction is the stack's, a base that is not there the base's, a long one a timeout, and each has its log."""
    with pytest.raises(BuildFailedError) as failed:
        await kubernetes.build(containerfile="FROM localhost/python:3.11\nRUN echo so; exit 7\n")
    assert (failed.value.kind, failed.value.exit_code) == (FailureKind.STACK, 7)
    assert "so" in failed.value.excerpt
    with pytest.raises(BuildFailedError) as failed:
        await kubernetes.build(containerfile=f"FROM {kubernetes.base}-not\n")
    assert failed.value.kind is FailureKind.BASE, failed.value
    with pytest.raises(BuildFailedError) as failed:
        await kubernetes.build(containerfile="FROM localhost/python:3.11\nRUN sleep 300\n", timeout=5)
    assert failed.value.kind is FailureKind.TIMEOUT


async def test_a_pod_or_a_node_that_goes_is_the_infrastructures(kubernetes, cluster):
    """A run whose pod was deleted, or whose node is gone, is lost, and not failed."""
    build = await kubernetes.build('#!/bin/sh\neval "$SCRIPT"\n')
    namespace = os.environ["TRIMTAB_KUBERNETES_NAMESPACE"]
    async with Client.open(cluster) as client:
        client.namespace = namespace
        running = asyncio.create_task(
            kubernetes.run(build, environment={"SCRIPT": "echo begun >&2; sleep 300"}, timeout=None)
        )
        while b"begun" not in kubernetes.printed:
            await asyncio.sleep(0.2)
        for pod in (await client.list(PODS)).items:
            await client.delete(PODS, pod["metadata"]["name"], grace=0)
        assert "its pod was deleted" in str((await running).lost)

        node = f"gone-{kubernetes.inspection[-8:]}"
        await client.create(NODES, {"metadata": {"name": node, "labels": {"trimtab-test": node}}})
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ready = {"type": "Ready", "status": "True", "reason": "Test", "lastHeartbeatTime": now}
        amounts = {"cpu": "4", "memory": "8Gi", "pods": "10", "ephemeral-storage": "100Gi"}
        status = {"conditions": [ready], "capacity": amounts, "allocatable": amounts}
        await client.patch(NODES, node, {"status": status}, subresource="status")
        request = kubernetes.request("x").resources
        waiting = asyncio.create_task(
            kubernetes.engine.run(
                replace(
                    await _request(kubernetes, build),
                    resources=replace(request, node_selector={"trimtab-test": node}),
                ),
                kubernetes.printed.extend,
            )
        )
        try:
            async with asyncio.timeout(60):
                while not any(pod["spec"].get("nodeName") == node for pod in (await client.list(PODS)).items):
                    await asyncio.sleep(0.3)
        finally:
            await client.delete(NODES, node)
        assert "deleted" in str((await waiting).lost)


async def _request(bench, build):
    from trimtab.engines import Resources, RunRequest

    output = bench.directory / "results" / "7"
    output.mkdir(parents=True)
    return RunRequest(bench.inspection, 7, build, Resources(0.1, 64 * MIB), 60, True, output)


async def test_what_a_killed_process_left_is_ended(kubernetes, cluster):
    """Its runs are ended by whoever comes next with the same state, and by nobody else."""
    build = await kubernetes.build('#!/bin/sh\neval "$SCRIPT"\n')
    running = asyncio.create_task(kubernetes.run(build, environment={"SCRIPT": "echo begun >&2; sleep 300"}))
    while b"begun" not in kubernetes.printed:
        await asyncio.sleep(0.2)
    stranger = KubernetesEngine(kubernetes.directory / "another")
    assert await stranger.expire(0) == []
    assert await kubernetes.engine.expire(0) == [], "somebody works on it"
    kubernetes.engine._claims.release(kubernetes.inspection)  # as the kernel does when a process ends
    assert await KubernetesEngine(kubernetes.state).expire(0) == [kubernetes.inspection]
    assert "deleted" in str((await running).lost)
    await nothing_left(kubernetes, cluster)


async def test_cancelled_it_leaves_nothing(kubernetes, cluster):
    """A build and a run that are cancelled are ended in the cluster."""
    building = asyncio.create_task(
        kubernetes.build(containerfile="FROM localhost/python:3.11\nRUN echo begun && sleep 300\n")
    )
    while b"\nbegun" not in kubernetes.printed:
        await asyncio.sleep(0.2)
    building.cancel()
    await asyncio.wait({building})
    assert building.cancelled()
    await kubernetes.engine.clean(kubernetes.inspection)
    await nothing_left(kubernetes, cluster)


async def test_what_is_not_set_or_not_allowed_is_said(kubernetes, cluster, tmp_path):
    """A missing setting is named with its variable, a cluster that does not answer by its address."""
    settings = KubernetesSettings()
    with pytest.raises(EngineUnavailableError, match="TRIMTAB_KUBERNETES_REPOSITORY"):
        await KubernetesEngine(tmp_path / "a", settings.model_copy(update={"repository": None})).prepare()
    with pytest.raises(EngineUnavailableError, match="cluster cannot be used"):
        await KubernetesEngine(tmp_path / "b", settings.model_copy(update={"context": "nobody"})).prepare()


SPECIFICATION = {
    "identifier": "kubernetes",
    "batch_size": 5,
    "script": "import json, time\ntime.sleep(0.5)\nprint(json.dumps({'value': 1}))\n",
    "build": {"requests": {"cpu": "500m", "memory": "512Mi"}},
    "run": {"requests": {"cpu": "100m", "memory": "128Mi"}},
}


def test_five_runs_as_jobs_are_like_the_local_engines(kubernetes, cluster, tmp_path):
    """Killed in the middle and resumed, five runs give documents of the same shape as the engine `process`, and nothing stays."""
    variables = os.environ | {"TRIMTAB_HOME": str(tmp_path / "home")}
    (tmp_path / "there.json").write_text(json.dumps({**SPECIFICATION, "base": kubernetes.base}))
    (tmp_path / "here.json").write_text(json.dumps({**SPECIFICATION, "base": "debian:12"}))
    trimtab = [sys.executable, "-m", "trimtab.cli"]
    command = [
        *trimtab,
        "inspect",
        "--engine",
        "kubernetes",
        "--output",
        "json",
        str(tmp_path / "there.json"),
    ]
    with (tmp_path / "progress").open("w+") as progress:
        with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=progress) as killed:
            while "run 2 of 5 is under way" not in (tmp_path / "progress").read_text():
                assert killed.poll() is None, (tmp_path / "progress").read_text()
                time.sleep(0.1)
            killed.send_signal(signal.SIGKILL)
    resume = [*trimtab, "inspections", "resume", "--output", "json"]
    found = subprocess.run(resume, env=variables, capture_output=True, text=True, check=False, timeout=300)
    assert found.returncode == 0, found.stderr
    local = subprocess.run(
        [*trimtab, "inspect", "--engine", "process", "--output", "json", str(tmp_path / "here.json")],
        env=variables, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert local.returncode == 0, local.stderr
    there, here = json.loads(found.stdout), json.loads(local.stdout)
    assert there["state"] == here["state"] == "succeeded"
    assert [run["state"] for run in there["runs"]] == ["succeeded"] * 5
    assert shape(there["runs"][0]) == shape(here["runs"][0])
    shapes = [documents(tmp_path / "home", report) for report in (there, here)]
    assert shapes[0] == shapes[1]


def shape(document):
    """Its keys, down to what differs from machine to machine."""
    return sorted(document)


def documents(home, report):
    """The keys of each run's result."""
    found = sorted((home / "store").rglob(f"*{report['id']}*/results/*/result"))
    assert len(found) == 5, found
    return [sorted(json.loads(path.read_text())["result"]) for path in found]


async def test_jobs_go_by_themselves(kubernetes, cluster):
    """A Job that nobody removes has an end, an age, and an owner."""
    build = await kubernetes.build('#!/bin/sh\neval "$SCRIPT"\n')
    running = asyncio.create_task(
        kubernetes.run(build, environment={"SCRIPT": "echo begun >&2; sleep 20"}, timeout=30)
    )
    async with Client.open(cluster) as client:
        client.namespace = os.environ["TRIMTAB_KUBERNETES_NAMESPACE"]
        while b"begun" not in kubernetes.printed:
            await asyncio.sleep(0.2)
        (job,) = (await client.list(JOBS)).items
        assert job["spec"]["ttlSecondsAfterFinished"] == 3600
        assert job["spec"]["activeDeadlineSeconds"] > 30
        (owner,) = job["metadata"]["ownerReferences"]
        assert owner["kind"] == "ConfigMap"
        running.cancel()
        await asyncio.wait({running})
        with pytest.raises(NotFoundError):
            while await client.get(JOBS, job["metadata"]["name"]):
                await asyncio.sleep(0.2)
