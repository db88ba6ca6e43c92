"""Whenever the API server is killed, and comes back: the target is at its baseline or at accepted settings."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from .api_server import ApiServer, running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

AGENT = Path(__file__).with_name("agent.py")
FIRST, SECOND = [["main", "cpu", 0.03]], [["main", "cpu", 0.04], ["main", "MODE", "other"]]


@pytest.fixture(scope="module")
def server(cluster, tmp_path_factory):
    if (command := running(Path(cluster))) is None:
        pytest.skip("the cluster's API server is no process of this machine: a second one cannot be started")
    found = ApiServer(command, tmp_path_factory.mktemp("api-server"), Path(cluster))
    found.start()
    yield found
    found.kill()


async def agent(world, server: ApiServer, folder: Path, point: dict[str, Any], **values: Any) -> list[str]:
    """Run an agent by the second server, which dies at the point and is back a second later; what was accepted."""
    kubeconfig = server.kubeconfig(world.kubeconfig, folder)
    await server.ready()
    config = world.configuration(kubeconfig=str(kubeconfig), **values).plain(exclude_unset=True)
    both = point.pop("both", False)
    given = point | {"victims": [server.process.pid], "both": both}
    arguments = [json.dumps(each) for each in (config, [FIRST, SECOND], given)]
    run = await asyncio.create_subprocess_exec(
        sys.executable, str(AGENT), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    ended = asyncio.ensure_future(run.communicate())
    async with asyncio.timeout(150):
        while server.is_alive and not ended.done():  # noqa: ASYNC110  a process of another's rings no event
            await asyncio.sleep(0.02)
        if server.is_alive:  # the agent may be gone a moment earlier than the server
            await asyncio.sleep(1)
        assert not server.is_alive, f"the point was not met: {ended.result()}"
        await asyncio.sleep(1)
        server.start()
        out, err = await ended
    assert both or run.returncode == 0, err.decode()[-3000:]
    return out.decode().splitlines()


def points(kind: str, *calls: tuple[str, int]) -> list[Any]:
    return [
        pytest.param({"call": call, "kind": kind, "count": n, "when": when}, id=f"{when}-{call}-{kind}-{n}")
        for call, n in calls
        for when in ("before", "during", "after")
    ]


WAITS = [
    pytest.param({"call": call, "count": n, "when": "before"}, id=f"{call}-{n}")
    for call in ("until_ready", "stay_ready")
    for n in (1, 2)
]
ROLLING = [
    *points("Lease", ("create", 1)),
    *points("Deployment", *(("replace", n) for n in (1, 2, 3, 4))),
    *WAITS,
]
CANARY = [*points("Pod", ("create", 1), ("patch", 1), ("delete", 1), ("create", 2)), *WAITS[:3]]
ACCEPTED = [
    {},
    {"requests.cpu": "30m", "limits.cpu": "30m"},
    {"requests.cpu": "40m", "limits.cpu": "40m", "MODE": "other"},
]


async def successor(world, **values: Any) -> Any:
    from .test_kill import successor as of

    return await of(world, **values)


@pytest.mark.parametrize("both", [False, True], ids=["server", "server-and-agent"])
@pytest.mark.parametrize("point", ROLLING)
async def test_a_workload_has_accepted_settings_whenever_the_server_is_killed(
    world, make, fields, record, before, server, point, both
):
    await world.make(make["deployment"]("web"))
    said = await agent(world, server, server.folder, point | {"both": both})
    await successor(world)
    workload = await world.get()
    assert fields(workload) in [before | each for each in ACCEPTED], said
    assert (record(workload) or {}).get("trial") is None
    if said[-2:-1] == ["accepted"]:
        assert fields(workload) == before | ACCEPTED[2]


@pytest.mark.parametrize("point", CANARY)
async def test_no_tuning_pod_is_left_whenever_the_server_is_killed(
    world, make, fields, record, before, server, tmp_path, point
):
    values = {"deployments": [make["target"](strategy={"type": "canary", "alias": "main"}, alias="web")]}
    await world.make(make["deployment"]("web"))
    await agent(world, server, tmp_path, dict(point), **values)
    connector = await successor(world, **values)
    pod = await world.tuning()
    assert pod is None or (
        record(pod)["trial"] is None and fields(pod)["requests.cpu"] in {"20m", "30m", "40m"}
    )
    assert fields(await world.get()) == before
    await connector.shutdown()
    assert await world.tuning() is None
