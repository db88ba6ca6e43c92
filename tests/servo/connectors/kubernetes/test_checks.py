"""The checks of a real cluster: each fails where what it looks at is not so, and says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from servo.connectors.kubernetes.options import permissions
from servo.kubernetes import DEPLOYMENTS
from servo.types.core import ErrorSeverity

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


async def outcome(connector) -> dict[str, tuple[bool, str | None]]:
    return {each.id: (each.passed, each.message) for each in await connector.check(None, halt_on=None)}


async def test_all_pass_with_the_documented_role(world, make):
    await world.make(make["deployment"]("web"))
    found = await world.connector().check(None, halt_on=None)
    assert [(each.id, each.message) for each in found if not each.success] == []
    assert {each.severity for each in found} == set(ErrorSeverity)
    assert len(found) == 8


async def test_each_permission_that_is_missing_is_named(world, make, admin, namespace, cluster, tmp_path):
    """Reference 4.1.1: the default list says `pods/logs`, which no cluster knows."""
    await world.make(make["deployment"]("web"))
    rules = [permissions("apps", "deployments replicasets", ("get", "list", "watch")), permissions("", "namespaces", ("get",))]  # fmt: skip
    world.kubeconfig = await make["account"](Path(cluster), admin, namespace, rules, tmp_path)
    passed, message = (await outcome(world.connector()))["check_permissions"]
    assert not passed
    for expected in ("update deployments of apps", "create pods", "get pods/log", "list horizontalpodautoscalers", "update leases"):  # fmt: skip
        assert expected in message
    assert "get deployments" not in message


async def test_what_is_not_there_is_told(world, make):
    body = make["deployment"]("web", resources={})
    body["spec"] |= {"paused": True, "replicas": 2}
    await world.admin.create(DEPLOYMENTS, body, world.namespace)
    other = make["target"]("web", alias="other")
    other["containers"][0]["name"] = "nope"
    config = {"deployments": [make["target"](), make["target"]("gone", alias="gone")]}
    found = await outcome(world.connector(**config))
    assert found["check_readable_item_0"][0]
    assert "not found" in found["check_readable_item_1"][1]
    assert "without a value: cpu of app, memory of app" in found["check_requirements_item_0"][1]
    assert "paused" in found["check_adjustable_item_0"][1]
    assert not found["check_ready_item_0"][0]
    assert "no container nope; there are: app" in (await outcome(world.connector(deployments=[other])))["check_readable_item_0"][1]  # fmt: skip


async def test_a_namespace_that_is_not_there_and_a_cluster_that_does_not_answer(
    world, make, tmp_path, free_port
):
    connector = world.connector(namespace="nowhere-at-all")
    passed, message = (await outcome(connector))["check_namespaces"]
    assert not passed
    assert "nowhere-at-all" in message
    text = world.kubeconfig.read_text()
    dead = tmp_path / "dead.yaml"
    dead.write_text(text.replace("127.0.0.1:16443", f"127.0.0.1:{free_port}"))
    (found,) = await world.connector(kubeconfig=str(dead)).check(None)
    assert (found.id, found.passed) == ("check_connectivity", False)
