"""Whenever the API server is killed, and comes back: the target has the settings that its agent last accepted, or its baseline."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from servo.connectors.kubernetes.cleaning import clean
from servo.kubernetes import LEASES

from .api_server import ApiServer, running
from .test_kill import AGENT, CANARY, EXPECTED, FIRST, ROLLING, SECOND, at, successor

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        not os.environ.get("TRIMTAB_TEST_KILL_SERVER"),
        reason="eight minutes of API servers being killed: set TRIMTAB_TEST_KILL_SERVER=1 to run them",
    ),
]

AWAY = 1.0
"""Seconds after which the server is started again."""
UNANSWERED = {
    f"unanswered write {n}": at("replace", "unanswered", kind="Deployment", count=n) for n in (1, 2, 3, 4)
}
POINTS = {name: point for name, (point, _) in ROLLING.items()} | UNANSWERED
TUNING = {
    **{
        name: CANARY[name][0]
        for name in (
            "when the pod is made",
            "while it gets ready",
            "when it is accepted",
            "when the second is made",
        )
    },
    "unanswered creation": at("create", "unanswered", kind="Pod"),
    "unanswered acceptance": at("patch", "unanswered", kind="Pod"),
    "unanswered deletion": at("delete", "unanswered", kind="Pod"),
}
BOTH = ("after the first write", "while it settles", "when it is accepted", "while the second settles")


@pytest.fixture(scope="module")
def server(cluster, tmp_path_factory):
    if (command := running(Path(cluster))) is None:
        pytest.skip("the cluster's API server is no process of this machine: a second one cannot be started")
    found = ApiServer(command, tmp_path_factory.mktemp("api-server"), Path(cluster))
    found.start()
    yield found
    found.kill()


async def adjusted(world, server: ApiServer, point: dict[str, Any], **values: Any) -> tuple[list[str], int]:
    """Let an agent adjust twice by the second server, which dies at the point; what became of both, and the agent's exit code."""
    kubeconfig = server.kubeconfig(world.kubeconfig, world.kubeconfig.parent)
    await server.ready()
    config = world.configuration(kubeconfig=str(kubeconfig), **values).plain(exclude_unset=True)
    given = {"both": False} | point | {"victims": [server.process.pid]}
    arguments = [json.dumps(each) for each in (config, [FIRST, SECOND], given)]
    run = await asyncio.create_subprocess_exec(
        sys.executable, str(AGENT), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    ended = asyncio.ensure_future(run.communicate())
    async with asyncio.timeout(180):
        while server.is_alive and not ended.done():  # noqa: ASYNC110  a process of another's rings no event
            await asyncio.sleep(0.02)
        await asyncio.sleep(AWAY)
        assert not server.is_alive, f"the point was not met: {ended.result()}"
        server.start()
        out, _ = await ended
    return [line for line in out.decode().splitlines() if line != "survived"], run.returncode or 0


def accepted(outcomes: list[str]) -> str:
    """What the target has to have, by what its agent said of both adjustments."""
    assert len(outcomes) == len(EXPECTED) - 1, outcomes
    return next(
        (name for name, each in (("second", outcomes[1]), ("first", outcomes[0])) if each == "accepted"),
        "baseline",
    )


async def nothing_left(world, connector) -> None:
    """The next agent's end leaves no lease held, and nothing to clean."""
    await connector.shutdown()
    for lease in (await world.admin.list(LEASES, world.namespace)).items:
        assert not lease["spec"].get("holderIdentity"), lease
    assert await world.tuning() is None
    await clean(world.admin, world.namespace, force=True)
    assert await clean(world.admin, world.namespace) == []


@pytest.mark.parametrize("name", POINTS)
async def test_a_workload_has_what_was_accepted_whenever_the_server_is_killed(
    world, make, fields, record, before, server, name
):
    await world.make(make["deployment"]("web"))
    outcomes, code = await adjusted(world, server, POINTS[name])
    assert code == 0
    connector = await successor(world)
    workload = await world.get()
    assert fields(workload) == before | EXPECTED[accepted(outcomes)], outcomes
    assert (record(workload) or {}).get("trial") is None
    await nothing_left(world, connector)


@pytest.mark.parametrize("name", TUNING)
async def test_no_tuning_pod_is_left_whenever_the_server_is_killed(
    world, make, fields, record, before, server, name
):
    values = {"deployments": [make["target"](strategy={"type": "canary", "alias": "main"}, alias="web")]}
    await world.make(make["deployment"]("web"))
    outcomes, code = await adjusted(world, server, TUNING[name], **values)
    assert code == 0
    connector = await successor(world, **values)
    pod = await world.tuning()
    assert pod is None or record(pod)["trial"] is None
    if pod is not None and (wanted := EXPECTED[accepted(outcomes)]):
        assert fields(pod)["requests.cpu"] == wanted["requests.cpu"], outcomes
    assert fields(await world.get()) == before
    await nothing_left(world, connector)


@pytest.mark.parametrize("name", BOTH)
async def test_a_workload_has_accepted_settings_when_agent_and_server_are_killed_at_once(
    world, make, fields, record, before, server, name
):
    point, expected = ROLLING[name]
    await world.make(make["deployment"]("web"))
    _, code = await adjusted(world, server, point | {"both": True})
    assert code == -signal.SIGKILL
    connector = await successor(world)
    workload = await world.get()
    assert fields(workload) == before | EXPECTED[expected]
    assert (record(workload) or {}).get("trial") is None
    await nothing_left(world, connector)
