"""Whatever dies, and whenever: the target is at its baseline or at accepted settings, and nothing is left over."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from servo.connectors.kubernetes.cleaning import clean
from servo.kubernetes import LEASES

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

AGENT = Path(__file__).with_name("agent.py")
FIRST, SECOND = [["main", "cpu", 0.03]], [["main", "cpu", 0.04], ["main", "MODE", "other"]]
BAD = [["main", "MODE", "crash"]]


def at(call: str, when: str = "before", **more: Any) -> dict[str, Any]:
    return {"call": call, "when": when, **more}


async def killed(world, point: dict[str, Any], *adjustments: Any, **values: Any) -> None:
    """Run an agent until it is killed at a point."""
    config = world.configuration(**values)
    arguments = [json.dumps(each) for each in (config.plain(exclude_unset=True), adjustments, point)]
    agent = await asyncio.create_subprocess_exec(
        sys.executable, str(AGENT), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(agent.communicate(), 150)
    assert agent.returncode == -signal.SIGKILL, f"it came to its end: {out.decode()} {err.decode()[-3000:]}"


async def run_out(world) -> None:
    """Do as if the time of the leases had passed; another test waits for it."""
    for each in (await world.admin.list(LEASES, world.namespace)).items:
        body = {"spec": {"holderIdentity": ""}}
        await world.admin.patch(LEASES, each["metadata"]["name"], body, world.namespace, kind="merge")


async def successor(world, **values: Any):
    """The next agent, once it has the targets."""
    await run_out(world)
    connector = world.connector(**values)
    await connector.startup()
    for target in connector.targets:
        await target.right.held(20)
    return connector


ROLLING = {
    "before the lease is had": (at("create", kind="Lease"), "baseline"),
    "when the lease is had": (at("create", "after", kind="Lease"), "baseline"),
    "before the first write": (at("replace", kind="Deployment"), "baseline"),
    "after the first write": (at("replace", "after", kind="Deployment"), "baseline"),
    "while pods are replaced": (at("until_ready"), "baseline"),
    "while it settles": (at("stay_ready"), "baseline"),
    "before it is accepted": (at("replace", kind="Deployment", count=2), "baseline"),
    "when it is accepted": (at("replace", "after", kind="Deployment", count=2), "first"),
    "before the second write": (at("replace", kind="Deployment", count=3), "first"),
    "after the second write": (at("replace", "after", kind="Deployment", count=3), "first"),
    "while the second settles": (at("stay_ready", count=2), "first"),
    "when the second is accepted": (at("replace", "after", kind="Deployment", count=4), "second"),
}
EXPECTED = {
    "baseline": {},
    "first": {"requests.cpu": "30m", "limits.cpu": "30m"},
    "second": {"requests.cpu": "40m", "limits.cpu": "40m", "MODE": "other"},
}


@pytest.mark.parametrize("name", ROLLING)
async def test_a_workload_has_accepted_settings_whenever_its_agent_is_killed(
    world, make, fields, record, before, name
):
    point, expected = ROLLING[name]
    await world.make(make["deployment"]("web"))
    await killed(world, point, FIRST, SECOND)
    await successor(world)
    workload = await world.get()
    assert fields(workload) == before | EXPECTED[expected]
    assert (record(workload) or {}).get("trial") is None


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_kill_while_a_bad_adjustment_is_taken_back(world, make, fields, before, when):
    await world.make(make["deployment"]("web"))
    await killed(world, at("replace", when, kind="Deployment", count=2), BAD)
    await successor(world)
    assert fields(await world.get()) == before


@pytest.mark.parametrize("count", [3, 4])
async def test_a_kill_between_two_acceptances_leaves_both_accepted(world, make, fields, record, count):
    """Two targets: the third write accepts one of them, and the fourth the other."""
    await world.make(make["deployment"]("web"))
    await world.make(make["deployment"]("api"))
    values = {"deployments": [make["target"](), make["target"]("api", alias="api")]}
    adjustment = [["main", "cpu", 0.03], ["api", "cpu", 0.03]]
    await killed(world, at("replace", "after", kind="Deployment", count=count), adjustment, **values)
    await successor(world, **values)
    for name in ("web", "api"):
        workload = await world.get(name)
        assert (fields(workload)["requests.cpu"], record(workload)["trial"]) == ("30m", None)


CANARY = {
    "before the pod is made": (at("create", kind="Pod"), None),
    "when the pod is made": (at("create", "after", kind="Pod"), "20m"),
    "while it gets ready": (at("until_ready"), "20m"),
    "before it is accepted": (at("patch", kind="Pod"), "20m"),
    "when it is accepted": (at("patch", "after", kind="Pod"), "30m"),
    "before the pod is deleted for the second": (at("delete", kind="Pod"), "30m"),
    "when the pod is deleted for the second": (at("delete", "after", kind="Pod"), None),
    "when the second is made": (at("create", "after", kind="Pod", count=2), "30m"),
}


@pytest.mark.parametrize("name", CANARY)
async def test_a_tuning_pod_has_accepted_settings_whenever_its_agent_is_killed(
    world, make, fields, record, before, name
):
    """Where it was gone in that moment, there is none; and the next agent's end leaves none in any case."""
    point, expected = CANARY[name]
    strategy = {"type": "canary", "alias": "main"}
    values = {"deployments": [make["target"](strategy=strategy, alias="web")]}
    await world.make(make["deployment"]("web"))
    await killed(world, point, FIRST, SECOND, **values)
    connector = await successor(world, **values)
    pod = await world.tuning()
    assert (pod and fields(pod)["requests.cpu"]) == expected
    assert pod is None or record(pod)["trial"] is None
    assert fields(await world.get()) == before
    await connector.shutdown()
    assert await world.tuning() is None


async def test_the_next_agent_waits_for_the_lease_of_the_one_that_was_killed(world, make, fields, before):
    await world.make(make["deployment"]("web"))
    await killed(world, at("stay_ready"), FIRST, lease="5s")
    connector = world.connector(lease="5s")
    await connector.startup()
    assert fields(await world.get())["requests.cpu"] == "30m"
    await connector.targets[0].right.held(30)
    assert fields(await world.get()) == before


async def test_what_an_agent_left_for_good_is_cleaned_by_hand(world, make, fields, record, before):
    await world.make(make["deployment"]("web"))
    await killed(world, at("stay_ready", count=2), FIRST, SECOND)
    held = await clean(world.admin, world.namespace)
    assert [each.action for each in held] == ["held"]  # its lease has not run out
    planned = await clean(world.admin, world.namespace, force=True, dry_run=True)
    assert [(each.kind, each.action) for each in planned] == [
        ("Deployment", "restored"),
        ("Lease", "deleted"),
    ]
    assert fields(await world.get())["requests.cpu"] == "40m"
    await clean(world.admin, world.namespace, force=True)
    workload = await world.get()
    assert fields(workload) == before | EXPECTED["first"]
    assert record(workload) is None
    assert (await world.admin.list(LEASES, world.namespace)).items == []
    assert await clean(world.admin, world.namespace) == []


async def test_accepted_settings_are_taken_back_where_that_is_wished(world, make, fields, before):
    await world.make(make["deployment"]("web"))
    await killed(world, at("stay_ready", count=2), FIRST, SECOND)
    await clean(world.admin, world.namespace, baseline=True, force=True)
    assert fields(await world.get()) == before
