"""The canary strategy on a real cluster: the workload is left alone, and its tuning pod never left behind."""

from __future__ import annotations

from typing import Any

import pytest

from servo.errors import AdjustmentFailedError, AdjustmentRejectedError, MeasurementFailedError
from servo.kubernetes import DEPLOYMENTS, PODS
from servo.types.api import Control

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

CANARY = {"type": "canary", "alias": "tuning"}


@pytest.fixture
async def canary(world, make):
    """Makes connectors with a canary; the workload is there."""
    await world.make(make["deployment"]("web"))

    def connector(of: dict[str, Any] | None = None, **values: Any):
        return world.connector(deployments=[make["target"](strategy=CANARY, **(of or {}))], **values)

    return connector


async def measured(connector) -> None:
    """Come to the point where others measure."""
    try:
        await connector.ensure_measurable(control=Control())
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def test_a_tuning_pod_is_made_to_measure_adjusted_and_removed_at_the_end(
    world, canary, adjust, to, fields, record, before
):
    workload = await world.get()
    connector = canary()
    found = await connector.describe()
    assert found.get_setting("tuning.replicas").value == 0  # describing alone makes none
    assert all(setting.pinned for setting in found.get_component("main").settings)

    await connector.startup()
    await measured(connector)
    first = await world.tuning()
    assert first["metadata"]["labels"] == {"app": "web", "extra": "label", "opsani_role": "tuning"}
    owner = first["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["uid"], owner["controller"]) == (
        "Deployment",
        workload["metadata"]["uid"],
        True,
    )

    found = await adjust(connector, to("tuning", cpu=0.03, MODE="other"))
    second = await world.tuning()
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert [found.get_setting(f"tuning.{each}").value for each in ("cpu", "MODE", "replicas")] == [0.03, "other", 1]  # fmt: skip
    assert record(second)["accepted"]["app/env/MODE"] == "other"
    await adjust(connector, to("tuning", cpu=0.03, MODE="other"))
    await measured(connector)
    assert (await world.tuning())["metadata"]["uid"] == second["metadata"]["uid"]  # nothing differs: it stays

    after = await world.get()
    assert (fields(after), after["metadata"]["generation"]) == (before, workload["metadata"]["generation"])
    await connector.shutdown()
    assert await world.tuning() is None


@pytest.mark.parametrize(
    ("values", "settlement", "within", "reason"),
    [
        ({"cpu": 500}, None, "8s", "unschedulable"),
        ({"mem": 0.03125}, "4s", "30s", "unstable"),
        ({"MODE": "crash"}, None, "30s", "unstable"),
        ({"MODE": "unready"}, None, "10s", "start-failed"),
        ({"MODE": "late"}, "8s", "30s", "unstable"),
    ],
)
async def test_what_does_not_do_is_rejected_and_the_accepted_pod_made_again(  # noqa: PLR0917  fixtures and a row
    world, canary, adjust, to, fields, record, values, settlement, within, reason
):
    connector = canary(timeout=within)
    await adjust(connector, to("tuning", cpu=0.03))
    with pytest.raises(AdjustmentRejectedError) as caught:
        await adjust(connector, to("tuning", **values), settlement=settlement)
    assert caught.value.reason == reason
    pod = await world.tuning()
    assert (fields(pod)["requests.cpu"], fields(pod)["MODE"], fields(pod)["requests.memory"]) == ("30m", "fine", "64Mi")  # fmt: skip
    assert record(pod)["trial"] is None


async def test_an_image_that_cannot_be_had_is_nobodys_settings_fault(world, make, adjust, to):
    body = make["deployment"]("web")
    absent = {"image": "localhost/nowhere:1", "imagePullPolicy": "Never"}
    body["spec"]["template"]["spec"]["containers"][0] |= absent
    await world.admin.create(DEPLOYMENTS, body, world.namespace)
    connector = world.connector(deployments=[make["target"](strategy=CANARY)], timeout="10s")
    with pytest.raises(AdjustmentFailedError) as caught:
        await adjust(connector, to("tuning", cpu=0.03))
    assert not isinstance(caught.value, AdjustmentRejectedError)
    assert (caught.value.reason, "localhost/nowhere:1" in str(caught.value)) == ("image-pull-failed", True)


async def test_what_the_cluster_does_not_take_leaves_the_pod_that_is_there(world, canary, adjust, to):
    connector = canary({"cpu": {"set": ["request"]}})
    await adjust(connector, to("tuning", cpu=0.03))
    uid = (await world.tuning())["metadata"]["uid"]
    with pytest.raises(AdjustmentRejectedError) as caught:
        await adjust(connector, to("tuning", cpu=0.9))
    assert caught.value.reason == "invalid-setting"
    assert (await world.tuning())["metadata"]["uid"] == uid


async def test_a_shutdown_makes_a_pod_with_the_baseline(world, canary, adjust, to, fields):
    connector = canary(on_failure="shutdown")
    await adjust(connector, to("tuning", cpu=0.03))
    with pytest.raises(AdjustmentRejectedError):
        await adjust(connector, to("tuning", MODE="crash"))
    assert fields(await world.tuning())["requests.cpu"] == "20m"


async def test_requirements_that_the_template_has_not_are_those_of_the_configuration(
    world, make, adjust, to, fields
):
    await world.make(make["deployment"]("web", resources={}))
    of = make["target"](
        strategy=CANARY, cpu={"request": "15m", "limit": "300m"}, memory={"request": "64Mi", "limit": "128Mi"}
    )
    connector = world.connector(deployments=[of])
    await measured(connector)
    first = await world.tuning()
    assert {key: value for key, value in fields(first).items() if "." in key} == {
        "requests.cpu": "15m",
        "limits.cpu": "300m",
        "requests.memory": "64Mi",
        "limits.memory": "128Mi",
    }


async def test_a_limit_without_a_request_restarts_nothing(world, make, adjust, to):
    """Reference 4.1.5: a pod was made anew by each adjustment. A request that the cluster fills in is no difference, either."""
    await world.make(make["deployment"]("web", resources={"limits": {"cpu": "200m", "memory": "96Mi"}}))
    connector = world.connector(deployments=[make["target"](strategy=CANARY, cpu={"set": ["limit"]})])
    await adjust(connector, to("tuning", cpu=0.3))
    uid = (await world.tuning())["metadata"]["uid"]
    await adjust(connector, to("tuning", cpu=0.3))
    assert (await world.tuning())["metadata"]["uid"] == uid


async def test_another_template_has_the_pod_made_anew_with_its_settings(world, canary, adjust, to, fields):
    connector = canary()
    await adjust(connector, to("tuning", cpu=0.03))
    await world.patch({"spec": {"template": {"metadata": {"labels": {"release": "2"}}}}})
    await measured(connector)
    pod = await world.tuning()
    assert (pod["metadata"]["labels"]["release"], fields(pod)["requests.cpu"]) == ("2", "30m")


async def test_a_pod_of_somebody_else_is_not_touched(world, canary, adjust, to):
    body = {"metadata": {"name": "web-tuning"}, "spec": {"containers": [{"name": "app", "image": "localhost/python:3.11", "command": ["sleep", "999"]}], "terminationGracePeriodSeconds": 0}}  # fmt: skip
    await world.admin.create(PODS, body, world.namespace)
    connector = canary()
    with pytest.raises(AdjustmentFailedError) as caught:
        await adjust(connector, to("tuning", cpu=0.03))
    assert caught.value.reason == "name-taken"
    with pytest.raises(MeasurementFailedError, match="none of ours"):
        await measured(connector)
    assert await world.tuning() is not None


async def test_the_pod_goes_with_its_workload(world, canary, adjust, to):
    await adjust(canary(), to("tuning", cpu=0.03))
    await world.admin.delete(DEPLOYMENTS, "web", world.namespace)
    for _ in range(100):
        if await world.tuning() is None:
            break
        import asyncio

        await asyncio.sleep(0.2)
    assert await world.tuning() is None


async def test_a_pod_that_somebody_deletes_is_made_again_to_measure(world, canary, adjust, to, fields):
    connector = canary()
    await adjust(connector, to("tuning", cpu=0.03))
    await world.admin.delete(PODS, "web-tuning", world.namespace)
    await measured(connector)
    assert fields(await world.tuning())["requests.cpu"] == "20m"  # what was accepted went with it
