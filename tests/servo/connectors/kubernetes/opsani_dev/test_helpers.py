"""`servo.connectors.kubernetes_helpers` (reference 4.1.8), by objects of a real cluster."""

from __future__ import annotations

import asyncio

import pytest

from servo.connectors.kubernetes.patience import UnfitError
from servo.connectors.kubernetes.resources import Requirement
from servo.connectors.kubernetes_helpers import (
    ContainerHelper,
    DeploymentHelper,
    NamespaceHelper,
    PodHelper,
    ReplicasetHelper,
    ServiceHelper,
    StatefulSetHelper,
    dict_to_selector,
    find_container,
    get_containers,
)
from servo.kubernetes import ConflictError, NotFoundError, label_selector

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


async def test_a_deployment_and_what_is_of_it(shop):
    client, where = shop.admin, shop.namespace
    await shop.deploy(replicas=1)
    assert (await NamespaceHelper.read(client, where))["metadata"]["name"] == where
    web = await DeploymentHelper.read(client, "web", where)
    assert await DeploymentHelper.is_ready(client, web)
    (pod,) = await DeploymentHelper.get_latest_pods(client, web)
    assert await PodHelper.is_ready(client, pod)
    assert await DeploymentHelper.get_restart_count(client, web) == 0
    await DeploymentHelper.raise_for_status(client, web)
    assert [each["name"] for each in get_containers(web)] == ["app"]
    assert find_container(web, "nope") is None

    sets = await client.list(ReplicasetHelper.resource, where, labels=label_selector(web["spec"]["selector"]))
    assert (await ReplicasetHelper.read(client, sets.items[0]["metadata"]["name"], where))["spec"][
        "replicas"
    ] == 1
    app = find_container(web, "app")
    ContainerHelper.set_environment_variable(app, "A", 1)
    changed = await DeploymentHelper.patch(client, web)
    assert ContainerHelper.get_environment_variable(find_container(changed, "app"), "A") == "1"
    with pytest.raises(ConflictError):
        await DeploymentHelper.patch(client, web)
    await DeploymentHelper.wait_until_ready(client, changed, timeout=60)
    await PodHelper.wait_until_deleted(client, pod, timeout=60)
    with pytest.raises(NotFoundError):
        await PodHelper.read(client, pod["metadata"]["name"], where)
    with pytest.raises(TimeoutError):
        await DeploymentHelper.wait_until_deleted(client, changed, timeout=0.5)


async def test_one_that_does_not_get_ready(shop):
    await shop.house(readinessProbe={"exec": {"command": ["false"]}})
    pod = await shop.until_pod("servo", lambda pod: bool((pod["status"].get("containerStatuses") or [{}])[0].get("started")))  # fmt: skip
    assert not await PodHelper.is_ready(shop.admin, pod)
    with pytest.raises(UnfitError, match="is not ready"):
        await PodHelper.raise_for_status(shop.admin, pod)
    with pytest.raises(UnfitError):
        await PodHelper.wait_until_ready(shop.admin, pod, timeout=0.5)


async def test_one_is_watched_alone(shop):
    web = await shop.deploy()
    changes = shop.admin.follow(**DeploymentHelper.watch_args(web))
    async with asyncio.timeout(20):
        first = await anext(changes)
    await changes.aclose()
    assert first.object["metadata"]["name"] == "web"


async def test_ports_and_selectors(shop):
    service = await shop.serve()
    assert ServiceHelper.find_port(service, 80)["targetPort"] == "http"
    assert ServiceHelper.find_port(service, "nope") is None
    assert dict_to_selector({"a": "1", "b": "2"}) == "a=1,b=2"
    assert StatefulSetHelper.resource.kind == "StatefulSet"


async def test_a_proxy_is_put_in_and_taken_out(shop):
    web = await shop.deploy()
    await shop.serve()
    assert await DeploymentHelper.inject_sidecar(shop.admin, web, "opsani-envoy", "i:1", service="web")
    assert find_container(await shop.deployment(), "opsani-envoy") is not None
    assert await DeploymentHelper.eject_sidecar(shop.admin, web) == []


def test_resources_and_variables_of_a_container():
    container = {"name": "app"}
    both = {Requirement.request: "1", Requirement.limit: "2"}
    ContainerHelper.set_resource_requirements(container, "cpu", both)
    assert ContainerHelper.get_resource_requirements(container, "cpu") == both
    ContainerHelper.set_resource_requirements(container, "cpu", {Requirement.limit: None})
    assert container["resources"] == {"requests": {"cpu": "1"}, "limits": {}}
    container["env"] = [{"name": "A", "valueFrom": {}}]
    assert ContainerHelper.get_environment_variable(container, "A") is None
    ContainerHelper.set_environment_variable(container, "A", 2)
    assert container["env"] == [{"name": "A", "value": "2"}]
