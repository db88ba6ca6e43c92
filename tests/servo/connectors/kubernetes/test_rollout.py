"""Rollouts of Argo are found by asking the cluster; their controller is played by the test, as it is not to be had here."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from servo.errors import AdjustmentFailedError, AdjustmentRejectedError
from servo.kubernetes import CUSTOM_RESOURCE_DEFINITIONS, AlreadyExistsError, Resource

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

ROLLOUTS = Resource("argoproj.io", "v1alpha1", "rollouts", "Rollout")
NAMES = {"plural": "rollouts", "singular": "rollout", "kind": "Rollout", "listKind": "RolloutList"}
VERSION = {
    "name": "v1alpha1",
    "served": True,
    "storage": True,
    "subresources": {"status": {}},
    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
}
DEFINITION = {
    "metadata": {"name": "rollouts.argoproj.io"},
    "spec": {"group": "argoproj.io", "scope": "Namespaced", "names": NAMES, "versions": [VERSION]},
}


@pytest.fixture
async def rollout(world, make):
    """A Rollout, and a controller of it: its phase is what the test says for each mode."""
    with contextlib.suppress(AlreadyExistsError):
        await world.admin.create(CUSTOM_RESOURCE_DEFINITIONS, DEFINITION)
    named = CUSTOM_RESOURCE_DEFINITIONS, "rollouts.argoproj.io"
    async with asyncio.timeout(30):
        while not any(each["type"] == "Established" and each["status"] == "True" for each in ((await world.admin.get(*named)).get("status") or {}).get("conditions") or ()):  # fmt: skip  # noqa: ASYNC110  as in `until`
            await asyncio.sleep(0.1)
    body = make["deployment"]("web")
    del body["spec"]["strategy"]
    await world.admin.create(ROLLOUTS, body, world.namespace)
    phases = {"fine": "Healthy", "other": "Healthy", "crash": "Degraded", "late": "Paused"}
    controller = asyncio.create_task(_control(world, phases))
    yield
    controller.cancel()
    await asyncio.gather(controller, return_exceptions=True)


async def _control(world, phases: dict[str, str]) -> None:
    while True:
        found = await world.get("web", ROLLOUTS)
        mode = found["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"]
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), found["spec"]["replicas"])  # fmt: skip
        status: dict[str, Any] = {"phase": phases[mode], "message": "as told", "observedGeneration": str(found["metadata"]["generation"]), **counts}  # fmt: skip
        if found.get("status") != status:
            await world.admin.patch(ROLLOUTS, "web", {"status": status}, world.namespace, kind="merge", subresource="status")  # fmt: skip
        await asyncio.sleep(0.2)


async def test_a_rollout_is_adjusted_and_taken_back(world, rollout, make, adjust, to, fields, before):
    connector = world.connector(rollouts=[make["target"]()])
    await adjust(connector, to(cpu=0.03, MODE="other"))
    after = before | {"requests.cpu": "30m", "limits.cpu": "30m", "MODE": "other"}
    assert fields(await world.get("web", ROLLOUTS)) == after
    with pytest.raises(AdjustmentRejectedError, match="degraded: as told") as caught:
        await adjust(connector, to(MODE="crash"))
    assert caught.value.reason == "start-failed"
    with pytest.raises(AdjustmentFailedError) as caught:
        await adjust(connector, to(MODE="late"))
    assert caught.value.reason == "paused"
    assert fields(await world.get("web", ROLLOUTS)) == after


async def test_a_kind_or_workload_that_is_not_there_is_told_at_once(world, make, adjust, to):
    for values in ({"rollouts": [make["target"]("gone")]}, {"stateful_sets": [make["target"]("gone")]}):
        with pytest.raises(AdjustmentFailedError) as caught:
            await adjust(world.connector(**values), to(cpu=0.03))
        assert caught.value.reason == "target-missing"
