"""The default strategy on a real cluster: what is adjusted arrives, what does not do is taken back, and why is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from servo.errors import AdjustmentFailedError, AdjustmentRejectedError, EventAbortedError
from servo.kubernetes import DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, STATEFUL_SETS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


async def test_everything_at_once_arrives_and_is_described(world, make, adjust, to, fields, record, before):
    """Reference 4.1.1: only the first container was used. Cores out of their range, memory, replicas and a variable, of two."""
    body = make["deployment"]("web")
    side = {
        key: body["spec"]["template"]["spec"]["containers"][0][key]
        for key in ("image", "command", "env", "imagePullPolicy")
    }
    body["spec"]["template"]["spec"]["containers"].append({"name": "side", **side})
    await world.make(body)
    other = {"name": "side", "cpu": {"min": "10m", "max": "1", "step": "10m", "set": ["request"]}, "memory": {"min": "64Mi", "max": "1Gi", "step": "32Mi"}}  # fmt: skip
    connector = world.connector(deployments=[make["target"](others=[other])])
    given = to(cpu=0.005, mem=0.125, replicas=2, MODE="other")
    found = await adjust(connector, given, to("web/side", cpu=0.01))

    workload = await world.get()
    assert fields(workload) == {
        "requests.cpu": "5m",
        "limits.cpu": "5m",
        "requests.memory": "128Mi",
        "limits.memory": "128Mi",
        "MODE": "other",
        "replicas": 2,
    }
    assert workload["spec"]["template"]["spec"]["containers"][1]["resources"] == {"requests": {"cpu": "10m"}}
    assert workload["status"]["readyReplicas"] == 2
    main = found.get_component("main")
    assert [main.get_setting(each).value for each in ("cpu", "mem", "replicas", "MODE")] == [0.005, 0.125, 2, "other"]  # fmt: skip
    assert found.get_component("web/side").get_setting("cpu").value == 0.01
    written = record(workload)
    assert written["trial"] is None
    assert written["baseline"]["app/requests/cpu"] == "20m"
    assert written["accepted"]["app/requests/cpu"] == "5m"

    generation = workload["metadata"]["generation"]
    await adjust(connector, given)
    assert (await world.get())["metadata"]["generation"] == generation  # the same again restarts nothing


@pytest.mark.parametrize(
    ("values", "settlement", "within", "reason", "said"),
    [
        ({"cpu": 500}, None, "3s", "unschedulable", "Insufficient cpu. (adjusted: main.cpu=500)"),
        ({"mem": 0.03125}, "4s", "30s", "unstable", "OOMKilled"),
        ({"MODE": "crash"}, None, "30s", "unstable", "there is no such mode"),
        ({"MODE": "unready"}, None, "8s", "start-failed", "is not ready (reason ContainersNotReady)"),
        ({"MODE": "late"}, "8s", "30s", "unstable", "in mode late"),
    ],
)
async def test_what_does_not_do_is_rejected_and_taken_back(  # noqa: PLR0917  fixtures and a row
    world, make, adjust, to, fields, record, before, values, settlement, within, reason, said
):
    await world.make(make["deployment"]("web"))
    connector = world.connector(timeout=within)
    with pytest.raises(AdjustmentRejectedError) as caught:
        await adjust(connector, to(**values), settlement=settlement)
    assert (caught.value.reason, said in str(caught.value)) == (reason, True), str(caught.value)
    workload = await world.get()
    assert fields(workload) == before
    assert record(workload)["trial"] is None
    assert workload["status"]["readyReplicas"] == workload["status"]["updatedReplicas"] == 1


async def test_what_the_cluster_does_not_take_touches_nothing(world, make, adjust, to, fields, before):
    await world.make(make["deployment"]("web"))
    connector = world.connector(deployments=[make["target"](cpu={"set": ["request"]})])
    with pytest.raises(AdjustmentRejectedError) as caught:
        await adjust(connector, to(cpu=0.9))  # more than its limit
    assert caught.value.reason == "invalid-setting"
    assert fields(await world.get()) == before
    with pytest.raises(AdjustmentRejectedError, match="no such setting"):
        await adjust(connector, to(nonsense=1))


async def test_an_image_that_cannot_be_had_is_nobodys_settings_fault(world, make, adjust, to):
    body = make["deployment"]("web")
    body["spec"]["template"]["spec"]["containers"][0] |= {
        "image": "localhost/nowhere:1",
        "imagePullPolicy": "Never",
    }
    await world.admin.create(DEPLOYMENTS, body, world.namespace)
    with pytest.raises(AdjustmentFailedError) as caught:
        await adjust(world.connector(timeout="10s"), to(cpu=0.03))
    assert not isinstance(caught.value, AdjustmentRejectedError)
    assert (caught.value.reason, "localhost/nowhere:1" in str(caught.value)) == ("image-pull-failed", True)


async def test_a_workload_is_shut_down_where_that_is_configured_and_comes_back(
    world, make, adjust, to, fields, before
):
    await world.make(make["deployment"]("web"))
    connector = world.connector(on_failure="shutdown")
    with pytest.raises(AdjustmentRejectedError):
        await adjust(connector, to(MODE="crash"))
    assert fields(await world.get()) == before | {"replicas": 0}
    await adjust(connector, to(cpu=0.03))
    assert fields(await world.get()) == before | {"requests.cpu": "30m", "limits.cpu": "30m"}


async def test_a_target_is_left_as_it_failed_where_that_is_configured(
    world, make, adjust, to, fields, before
):
    """And the next adjustment starts from what was accepted, not from that."""
    await world.make(make["deployment"]("web"))
    connector = world.connector(on_failure="exception")
    with pytest.raises(AdjustmentRejectedError):
        await adjust(connector, to(MODE="crash"))
    assert fields(await world.get())["MODE"] == "crash"
    await adjust(connector, to(cpu=0.03))
    assert fields(await world.get()) == before | {"requests.cpu": "30m", "limits.cpu": "30m"}


async def test_of_two_targets_neither_is_changed_if_one_fails(world, make, adjust, to, fields, before):
    """Reference 4.1.5: the handler of each target was invoked, and one error reported."""
    await world.make(make["deployment"]("web"))
    await world.make(make["deployment"]("api"))
    connector = world.connector(deployments=[make["target"](), make["target"]("api", alias="api")])
    with pytest.raises(AdjustmentRejectedError) as caught:
        await adjust(connector, to(cpu=0.03), to("api", MODE="crash"))
    assert caught.value.reason == "unstable"
    assert [fields(await world.get(name)) for name in ("web", "api")] == [before, before]


async def test_a_failure_that_is_to_be_ignored_keeps_no_other_target_from_being_adjusted(
    world, make, adjust, to, fields
):
    await world.make(make["deployment"]("web"))
    await world.make(make["deployment"]("api"))
    ignored = make["target"]("api", alias="api", on_failure="ignore")
    connector = world.connector(deployments=[make["target"](), ignored])
    await adjust(connector, to(cpu=0.03), to("api", MODE="crash"))
    assert fields(await world.get())["requests.cpu"] == "30m"
    assert fields(await world.get("api"))["MODE"] == "crash"


async def _set(world, **values: Any) -> None:
    env = [{"name": name, "value": value} for name, value in values.items()]
    await world.patch({"spec": {"template": {"spec": {"containers": [{"name": "app", "env": env}]}}}})


async def test_somebody_elses_change_in_the_middle_is_told_and_not_fought(
    world, make, adjust, to, fields, before
):
    await world.make(make["deployment"]("web"))
    connector = world.connector()
    trying = asyncio.create_task(adjust(connector, to(cpu=0.03), settlement="20s"))
    await world.until(DEPLOYMENTS, "web", lambda found: fields(found)["requests.cpu"] == "30m")
    await _set(world, OTHERS="x")
    with pytest.raises(AdjustmentFailedError, match="has another pod template, by") as caught:
        await trying
    assert caught.value.reason == "target-changed"
    # Ours is taken back, and theirs stays.
    assert fields(await world.get()) == before | {"OTHERS": "x"}


async def test_somebody_elses_value_of_what_was_tried_stays(world, make, adjust, to, fields):
    await world.make(make["deployment"]("web"))
    trying = asyncio.create_task(adjust(world.connector(), to(MODE="other", cpu=0.03), settlement="20s"))
    await world.until(DEPLOYMENTS, "web", lambda found: fields(found)["MODE"] == "other")
    await _set(world, MODE="theirs")
    with pytest.raises(AdjustmentFailedError):
        await trying
    found = fields(await world.get())
    assert (found["MODE"], found["requests.cpu"]) == ("theirs", "20m")


async def test_somebody_elses_change_between_two_adjustments_is_the_new_baseline(
    world, make, adjust, to, fields, record
):
    await world.make(make["deployment"]("web"))
    connector = world.connector()
    await adjust(connector, to(cpu=0.03))
    await _set(world, MODE="other")
    with pytest.raises(AdjustmentRejectedError):
        await adjust(connector, to(MODE="crash"))
    workload = await world.get()
    assert (fields(workload)["MODE"], fields(workload)["requests.cpu"]) == ("other", "30m")
    assert record(workload)["baseline"]["app/env/MODE"] == "other"


async def test_replicas_that_an_autoscaler_sets_are_its_own(world, make, adjust, to, fields):
    await world.make(make["deployment"]("web"))
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {
        "scaleTargetRef": reference,
        "minReplicas": 1,
        "maxReplicas": 3,
        "targetCPUUtilizationPercentage": 80,
    }
    await world.admin.create(HORIZONTAL_POD_AUTOSCALERS, {"metadata": {"name": "scaler"}, "spec": spec}, world.namespace)  # fmt: skip
    connector = world.connector()
    assert (await connector.describe()).get_setting("main.replicas").pinned
    with pytest.raises(AdjustmentRejectedError, match="autoscaler scaler") as caught:
        await adjust(connector, to(replicas=2))
    assert caught.value.reason == "autoscaled"
    await adjust(connector, to(replicas=1, cpu=0.03))
    assert fields(await world.get())["requests.cpu"] == "30m"
    told = world.connector(autoscaler="ignore", lease=None)
    await adjust(told, to(replicas=2))
    assert fields(await world.get())["replicas"] == 2


async def test_a_stateful_set_is_adjusted_and_its_failures_are_told(world, make, adjust, to, fields, before):
    """Reference 6.1 #13: failures of stateful sets could not be classified."""
    await world.make(make["stateful_set"]("db"), STATEFUL_SETS)
    connector = world.connector(stateful_sets=[make["target"]("db")])
    await adjust(connector, to(cpu=0.03))
    after = before | {"requests.cpu": "30m", "limits.cpu": "30m"}
    assert fields(await world.get("db", STATEFUL_SETS)) == after
    with pytest.raises(AdjustmentRejectedError) as caught:
        await adjust(connector, to(MODE="crash"))
    assert caught.value.reason == "unstable"
    assert fields(await world.get("db", STATEFUL_SETS)) == after


async def test_an_adjustment_that_is_cancelled_is_taken_back(world, make, adjust, to, fields, record, before):
    await world.make(make["deployment"]("web"))
    trying = asyncio.create_task(adjust(world.connector(), to(cpu=0.03), settlement="30s"))
    await world.until(DEPLOYMENTS, "web", lambda found: fields(found)["requests.cpu"] == "30m")
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    workload = await world.get()
    assert fields(workload) == before
    assert record(workload)["trial"] is None


async def test_a_shutdown_in_the_middle_takes_the_adjustment_back(world, make, adjust, to, fields, before):
    await world.make(make["deployment"]("web"))
    connector = world.connector()
    await connector.startup()
    trying = asyncio.create_task(adjust(connector, to(cpu=0.03), settlement="30s"))
    await world.until(DEPLOYMENTS, "web", lambda found: fields(found)["requests.cpu"] == "30m")
    await connector.shutdown()
    with pytest.raises((asyncio.CancelledError, EventAbortedError)):
        await trying
    assert fields(await world.get()) == before
