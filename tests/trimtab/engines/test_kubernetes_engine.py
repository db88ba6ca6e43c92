"""Builds and runs in a real cluster, with a real registry, by an account that has the chart's Role."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from servo.kubernetes import JOBS, NODES, PODS, Client
from trimtab.engines import (
    BuildFailedError,
    BuildGoneError,
    EngineLostError,
    EngineUnavailableError,
    FailureKind,
    KubernetesEngine,
    KubernetesSettings,
    RefusedError,
    UnmetError,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]
MIB = 2**20
IMAGE = "localhost/python:3.11"
LONG = "echo begun >&2; sleep 300"

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


@asynccontextmanager
async def looking(cluster):
    """A client that may do everything, in the namespace of the test."""
    async with Client.open(cluster) as client:
        client.namespace = os.environ["TRIMTAB_KUBERNETES_NAMESPACE"]
        yield client


def left(cluster) -> str:
    """What carries an inspection's label in the namespace of the test."""
    asked = [
        "kubectl", "--kubeconfig", cluster, "--namespace", os.environ["TRIMTAB_KUBERNETES_NAMESPACE"],
        "get", "jobs,pods,secrets,configmaps,networkpolicies", "--selector", "engine.trimtab/inspection", "--output", "name",
    ]  # fmt: skip
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


async def until(is_so, seconds=120.0):
    """Wait until something is so; of what a cluster does, nobody has an event."""
    async with asyncio.timeout(seconds):
        while not await is_so():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.2)


async def nothing_left(cluster) -> None:
    """All is removed, as soon as the cluster gets to it."""

    async def is_gone():
        return not await asyncio.to_thread(left, cluster)

    await until(is_gone)


def begin(bench, coroutine):
    """A task, and what waits until it has printed that it has begun."""
    task = asyncio.ensure_future(coroutine)

    async def begun():
        return b"\nbegun" in b"\n" + bench.printed or task.done()

    return task, until(begun)


async def test_a_build_and_its_runs_confined(kubernetes, cluster):
    """Each run is an ordinary user's without privileges or account, its results are fetched, and nothing stays but the image."""
    capabilities = await kubernetes.engine.prepare()
    assert (capabilities.name, capabilities.images) == ("kubernetes", True)
    build = await kubernetes.build(LOOK_AROUND)
    assert build.reference.endswith(f"/stacks@{build.digest}")
    assert b"COPY entrypoint" in build.log.read_bytes()
    for item, network in ((0, False), (1, True)):
        run = await kubernetes.run(build, item, network=network, environment={"ODD": "$(HOME) $$ $(X"})
        assert (run.exit_code, run.signal, run.lost, run.notes) == (0, None, None, ()), run
        assert (run.oom_killed, run.timed_out) == (False, False)
        found = json.loads(kubernetes.result(item))
        assert (found["user"], found["home"], found["cwd"]) == (1042, "/home/amun", "/home/amun")
        assert found["data"] == "data\n"
        assert found["root"] == "Permission denied"
        assert (found["capabilities"], found["privileges"], found["account"]) == (0, "1", False)
        assert found["odd"] == "$(HOME) $$ $(X"
        assert found["files"] == ["data.txt", "entrypoint", "results", "script", "script.stdout", "written"]
    assert "networkpolicy" in left(cluster)
    again = await kubernetes.build(LOOK_AROUND)
    # buildah 1.28 finds nothing behind an ARG, which the certificates of a machine may need.
    assert again.cached or b"\n--> Cache pulled from remote" in again.log.read_bytes(), again.log.read_text()
    await kubernetes.engine.clean(kubernetes.inspection)
    await nothing_left(cluster)
    await kubernetes.engine.clean(kubernetes.inspection)


async def test_how_runs_end(kubernetes_run, cluster):
    """An exit code, a kill for memory, a time limit, an image that is gone: each is told as a local engine tells it."""
    failed = await kubernetes_run.sh("echo to the log; echo to another >&2; exit 3")
    assert (failed.exit_code, failed.lost, failed.timed_out) == (3, None, False)
    assert b"to another" in failed.log.read_bytes()

    hog = await kubernetes_run.sh("python3 -c 'x = bytearray(500 << 20)'; exit $?", memory=64 * MIB)
    assert hog.lost is None
    assert hog.oom_killed or any("memory limit" in note for note in hog.notes), hog

    slow = await kubernetes_run.sh(f"trap '' TERM; {LONG}", timeout=15)
    assert (slow.timed_out, slow.exit_code, slow.lost) == (True, None, None)
    assert b"begun" in slow.log.read_bytes()

    gone = replace(kubernetes_run.shared, reference=kubernetes_run.shared.reference[:-8] + "00000000")
    with pytest.raises(BuildGoneError, match="cannot be had"):
        await kubernetes_run.run(gone, 1)
    await kubernetes_run.engine.clean(kubernetes_run.inspection)
    await nothing_left(cluster)


async def test_what_no_node_takes_ends_with_the_schedulers_words(kubernetes_run):
    """Too many cores, a label that no node has, hardware by its label, hardware without one, a kept container."""
    settings = KubernetesSettings(patience=2)
    kubernetes_run.engine = KubernetesEngine(kubernetes_run.state, settings)
    build, request = kubernetes_run.shared, kubernetes_run.request("x")

    async def building(**changes):
        await kubernetes_run.engine.build(replace(request, **changes), kubernetes_run.printed.extend)

    with pytest.raises(UnmetError, match="Insufficient cpu"):
        await kubernetes_run.run(build, cpu=500)
    with pytest.raises(UnmetError, match="didn't match"):
        await building(resources=replace(request.resources, hardware={"cpu_family": "6"}))
    with pytest.raises(UnmetError, match="no label of nodes is set for the hardware 'processor'"):
        await building(running=replace(request.resources, hardware={"processor": "quick"}))
    with pytest.raises(RefusedError, match="one container"):
        await kubernetes_run.run(build, reuse=True)


async def test_builds_that_fail(kubernetes):
    """A failed instruction is the stack's, a base that is not there the base's, a long one a timeout, and each has its log."""
    with pytest.raises(BuildFailedError) as failed:
        await kubernetes.build(containerfile=f"FROM {IMAGE}\nRUN echo so; exit 7\n")
    assert (failed.value.kind, failed.value.exit_code) == (FailureKind.STACK, 7), failed.value
    assert "so" in failed.value.excerpt
    with pytest.raises(BuildFailedError) as failed:
        await kubernetes.build(containerfile=f"FROM {kubernetes.base}-not\n")
    assert failed.value.kind is FailureKind.BASE, failed.value
    with pytest.raises(BuildFailedError) as failed:
        await kubernetes.build(containerfile=f"FROM {IMAGE}\nRUN sleep 300\n", timeout=5)
    assert failed.value.kind is FailureKind.TIMEOUT


async def test_what_the_builder_or_the_registry_cannot_do_is_not_the_stacks(kubernetes):
    """A seccomp profile without user namespaces is named with its setting; a registry that does not answer is the infrastructure's."""
    settings = KubernetesSettings(builder_seccomp="RuntimeDefault")
    engine, kubernetes.engine = kubernetes.engine, KubernetesEngine(kubernetes.state, settings)
    with pytest.raises(EngineUnavailableError, match="TRIMTAB_KUBERNETES_BUILDER_SECCOMP"):
        await kubernetes.build()
    host, _, _ = kubernetes.base.partition(":")
    for cache in (True, False):
        settings = KubernetesSettings(repository=f"{host}:1/stacks", build_cache=cache)
        kubernetes.engine = KubernetesEngine(kubernetes.state, settings)
        with pytest.raises(EngineLostError, match="connection refused"):
            await kubernetes.build(containerfile="FROM scratch\nCOPY data.txt /\n")
    kubernetes.engine = engine


async def test_a_pod_that_is_deleted_is_the_infrastructures(kubernetes_run, cluster):
    """Its run is lost, and not failed."""
    running, begun = begin(kubernetes_run, kubernetes_run.sh(LONG, timeout=None))
    await begun
    async with looking(cluster) as client:
        for pod in (await client.list(PODS)).items:
            await client.delete(PODS, pod["metadata"]["name"], grace=0)
    assert "its pod was deleted" in str((await running).lost)


async def test_a_node_that_is_gone_is_the_infrastructures(kubernetes_run, cluster):
    """A run that a node has taken which is no more is lost: the cluster removes its pod."""
    node = f"gone-{kubernetes_run.inspection[-8:]}"
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ready = {"type": "Ready", "status": "True", "reason": "Test", "lastHeartbeatTime": now}
    amounts = {"cpu": "4", "memory": "8Gi", "pods": "10", "ephemeral-storage": "100Gi"}
    output = kubernetes_run.directory / "results" / "7"
    output.mkdir(parents=True)
    async with looking(cluster) as client:
        await client.create(NODES, {"metadata": {"name": node, "labels": {"trimtab-test": node}}})
        try:
            status = {"conditions": [ready], "capacity": amounts, "allocatable": amounts}
            await client.patch(NODES, node, {"status": status}, subresource="status")
            waiting = asyncio.create_task(
                kubernetes_run.engine.run(_request(kubernetes_run, node, output), len)
            )

            async def is_taken():
                pods = (await client.list(PODS)).items
                return any(pod["spec"].get("nodeName") == node for pod in pods) or waiting.done()

            await until(is_taken)
        finally:
            await client.delete(NODES, node)
        assert "deleted" in str((await waiting).lost)


def _request(bench, node, output):
    from trimtab.engines import Resources, RunRequest

    resources = Resources(0.1, 64 * MIB, node_selector={"trimtab-test": node})
    return RunRequest(bench.inspection, 7, bench.shared, resources, 60, True, output)


async def test_what_a_killed_process_left_is_ended(kubernetes_run, cluster):
    """Its runs are ended by whoever comes next with the same state, and by nobody else."""
    running, begun = begin(kubernetes_run, kubernetes_run.sh(LONG))
    await begun
    stranger = KubernetesEngine(kubernetes_run.directory / "another")
    assert await stranger.expire(0) == []
    assert await kubernetes_run.engine.expire(0) == [], "somebody works on it"
    kubernetes_run.engine._claims.release(kubernetes_run.inspection)  # as the kernel does when a process ends
    assert await KubernetesEngine(kubernetes_run.state).expire(0) == [kubernetes_run.inspection]
    assert "deleted" in str((await running).lost)
    await nothing_left(cluster)


async def test_cancelled_it_leaves_nothing(kubernetes_run, cluster):
    """A build and a run that are cancelled are ended in the cluster; what nobody would remove has an end, an age, and an owner."""
    building = partial(kubernetes_run.build, containerfile=f"FROM {IMAGE}\nRUN echo begun && sleep 300\n")
    for make in (building, partial(kubernetes_run.sh, LONG, timeout=30)):
        kubernetes_run.printed.clear()
        working, begun = begin(kubernetes_run, make())
        await begun
        async with looking(cluster) as client:
            (job,) = [
                each for each in (await client.list(JOBS)).items
                if not each["metadata"].get("deletionTimestamp")
            ]  # fmt: skip
        assert job["spec"].get("ttlSecondsAfterFinished") in {None, 3600}, "servers before 1.21 drop it"
        assert job["spec"]["activeDeadlineSeconds"] > 30
        (owner,) = job["metadata"]["ownerReferences"]
        assert owner["kind"] == "ConfigMap"
        working.cancel()
        await asyncio.wait({working})
        assert working.cancelled()
    await kubernetes_run.engine.clean(kubernetes_run.inspection)
    await nothing_left(cluster)


async def test_what_is_not_set_or_not_allowed_is_said(kubernetes, cluster, tmp_path):
    """A missing setting is named with its variable, a cluster that does not answer by its address, a right by its verb."""
    settings = KubernetesSettings()

    def refusal(**changes):
        engine = KubernetesEngine(tmp_path / "a", settings.model_copy(update=changes))
        return pytest.raises(EngineUnavailableError), engine

    for changes, said in (
        ({"repository": None}, "TRIMTAB_KUBERNETES_REPOSITORY"),
        ({"context": "nobody"}, "cluster cannot be used"),
        ({"namespace": "kube-system"}, "create jobs"),
    ):
        expected, engine = refusal(**changes)
        with expected as refused:
            await engine.prepare()
        assert said in str(refused.value)


SPECIFICATION = {
    "identifier": "kubernetes",
    "batch_size": 5,
    "script": "import json, time\ntime.sleep(0.5)\nprint(json.dumps({'value': 1}))\n",
    "build": {"requests": {"cpu": "300m", "memory": "512Mi"}},
    "run": {"requests": {"cpu": "100m", "memory": "128Mi"}},
}
TRIMTAB = [str(Path(sys.executable).with_name("trimtab"))]


def trimtab(variables, *arguments):
    """What a command prints, as JSON."""
    found = subprocess.run(
        [*TRIMTAB, *arguments, "--output", "json"], env=variables, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def kill(command, variables, progress: Path, said: str) -> None:
    """Kill a command when it has said something."""
    with (
        progress.open("w") as file,
        subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=file) as killed,
    ):
        while said not in progress.read_text():
            assert killed.poll() is None, progress.read_text()
            time.sleep(0.1)
        killed.send_signal(signal.SIGKILL)


async def test_five_runs_as_jobs_are_like_the_local_engines(kubernetes, cluster, tmp_path):
    """Killed while it builds and while it runs, and resumed, five runs give documents of the same shape as the engine `process`."""
    variables = os.environ | {"TRIMTAB_HOME": str(tmp_path / "home")}
    for name, base in (("there", kubernetes.base), ("here", "debian:12")):
        (tmp_path / f"{name}.json").write_text(json.dumps({**SPECIFICATION, "base": base}))
    inspect = [*TRIMTAB, "inspect", "--engine", "kubernetes", "--follow", str(tmp_path / "there.json")]
    resume = [*TRIMTAB, "inspections", "resume"]
    kill(inspect, variables, tmp_path / "building", "STEP 2")
    kill(resume, variables, tmp_path / "running", "run 2 of 5 is under way")
    there = await asyncio.to_thread(trimtab, variables, "inspections", "resume")
    here = trimtab(variables, "inspect", "--engine", "process", str(tmp_path / "here.json"))
    assert there["state"] == here["state"] == "succeeded"
    assert sorted(there["runs"][-1]) == sorted(here["runs"][-1])
    assert documents(tmp_path / "home", there) == documents(tmp_path / "home", here)
    await nothing_left(cluster)


def documents(home, report):
    """The keys of each run's result, and of the values in it."""
    found = sorted((home / "store").rglob(f"*{report['inspection_id']}*/results/*/result"))
    assert len(found) == 5, found
    read = [json.loads(path.read_text()) for path in found]
    return [
        {key: sorted(value) if isinstance(value, dict) else None for key, value in each.items()}
        for each in read
    ]
