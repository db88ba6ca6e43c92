"""From a Deployment that nobody prepared to a tuned one, by the loop of checks and their remedies alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from servo.connectors.kubernetes.sidecar import Sidecar, inject
from servo.connectors.opsani_dev import OpsaniDevConnector
from servo.errors import ServoError
from servo.kubernetes import PODS, Client, NotFoundError
from servo.logging import logger
from servo.servo import Servo
from servo.types.api import Adjustment, Control

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


@pytest.fixture
def servo_of(make_servo, scripted):
    """A servo with the connector alone; its optimizer answers."""

    def make(shop, **checks) -> Servo:
        settings = {"wait": "3m", "delay": "1s"} | checks
        kinds = {"opsani_dev": OpsaniDevConnector}
        return make_servo(scripted(), kinds, opsani_dev=shop.section(), checks=settings)

    return make


@pytest.fixture
async def kubeconfig_client(limited) -> AsyncIterator[Client]:
    """A client of the account with the documented role."""
    async with Client.open(limited.kubeconfig) as client:
        yield client


async def names(servo: Servo, event: str, *arguments, **options) -> dict:
    results = await servo.dispatch_event(event, *arguments, **options)
    return {result.connector.name: result.value for result in results}


async def tuning_pod(shop) -> dict | None:
    try:
        return await shop.admin.get(PODS, "web-tuning", shop.namespace)
    except NotFoundError:
        return None


async def test_the_loop_prepares_a_deployment_that_is_then_measured_and_adjusted(
    scraped, customers, servo_of
):
    shop = scraped
    await shop.deploy(replicas=1)
    await shop.serve()
    await shop.house()
    servo = servo_of(shop)
    await servo.attach()
    assert [each.name for each in servo.connectors][:3] == [
        "opsani_dev",
        "opsani-dev:kubernetes",
        "opsani-dev:prometheus",
    ]
    assert await servo.check_servo()
    template = (await shop.deployment())["spec"]["template"]
    assert template["metadata"]["labels"]["sidecar.opsani.com/type"] == "envoy"
    assert [each["name"] for each in template["spec"]["containers"]] == ["app", "opsani-envoy"]
    assert (await shop.service())["spec"]["ports"][0]["targetPort"] == 9980
    # Nobody was answered by an error, though the pods were replaced and the service led elsewhere.
    assert set(customers) == {200}
    made = await tuning_pod(shop)
    assert made is not None

    await servo.startup()
    running = servo.get_connector("opsani_dev").checks()
    assert (await running.run_one(id="check_tuning_is_running", skip_requirements=True)).success
    described = await names(servo, "describe", Control())
    assert [each.name for each in described["opsani-dev:kubernetes"].components] == ["main", "tuning"]
    await names(
        servo, "adjust", [Adjustment(component_name="tuning", setting_name="cpu", value="0.03")], Control()
    )
    measured = await names(servo, "measure", control=Control(duration="4s"))
    values = {
        reading.metric.name: reading.data_points[-1].value
        for reading in measured["opsani-dev:prometheus"].readings
        if reading.data_points
    }
    assert values["total_request_rate"] > 0
    assert values["main_success_rate"] > 0
    assert values["main_error_rate"] == 0
    assert values["main_instance_count"] == 1
    assert 0 < values["main_p50_latency"] < 10_000
    changed = await tuning_pod(shop)
    assert changed["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "30m"
    await servo.shutdown("the test is over")
    found = await tuning_pod(shop)
    assert found is None or found["metadata"].get("deletionTimestamp")


async def test_what_only_a_check_made_goes_when_nothing_starts(limited, servo_of):
    shop = limited
    await shop.deploy(replicas=1)
    servo = servo_of(shop)
    await servo.attach()
    connector = servo.get_connector("opsani_dev")
    found = await connector.checks().run_one(id="check_tuning_is_running", skip_requirements=True)
    assert found.success, found.message
    assert await tuning_pod(shop) is not None
    again = await connector.checks().run_one(id="check_tuning_is_running", skip_requirements=True)
    assert again.success
    errors: list[str] = []
    sink = logger.add(errors.append, level="ERROR")
    await servo.detach_connectors()
    logger.remove(sink)
    assert errors == []
    left = await tuning_pod(shop)
    assert left is None or left["metadata"].get("deletionTimestamp")
    assert servo.connectors == []


async def test_a_restart_makes_the_connectors_anew(limited, servo_of):
    """The optimizer and the servo were out of step: the servo begins again in place."""
    shop = limited
    await shop.deploy()
    servo = servo_of(shop)
    await servo.attach()
    before = [each.name for each in servo.connectors]
    await servo.startup()
    await servo.restart()
    assert [each.name for each in servo.connectors] == before
    await servo.shutdown("the test is over")


async def test_remedies_may_be_left_to_people(limited, servo_of):
    shop = limited
    await shop.deploy()
    await shop.serve()
    servo = servo_of(shop, remedy=False, wait="0s", halt_on=None)
    await servo.attach()
    before = (await shop.deployment())["metadata"]["generation"]
    assert not await servo.check_servo()
    assert (await shop.deployment())["metadata"]["generation"] == before
    await servo.detach_connectors()


async def test_many_remedies_at_once_and_one_that_is_killed_leave_the_deployment_whole(shop):
    """Each is one request: whatever is broken off is there as a whole, or not at all."""
    await shop.deploy()
    await shop.serve()

    async def remedies() -> None:
        checks = shop.checks()
        for name in (
            "check_controller_annotations",
            "check_controller_labels",
            "check_controller_envoy_sidecars",
        ):
            found = await checks.run_one(id=name, skip_requirements=True)
            if found.remedy is not None:
                await found.remedy()

    for moment in (0.01, 0.02, 0.03, 0.05, 0.08):
        tasks = [asyncio.create_task(remedies()) for _ in range(3)]
        await asyncio.sleep(moment)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(remedies() for _ in range(3)))
    template = (await shop.deployment())["spec"]["template"]
    assert [each["name"] for each in template["spec"]["containers"]] == ["app", "opsani-envoy"]
    assert len(template["metadata"]["annotations"]) == 5
    assert json.dumps(template).count("OPSANI_ENVOY_PROXIED_CONTAINER_PORT") == 1


async def test_requests_of_the_remedy_reach_each_proxy(limited, proxy_image, kubeconfig_client):
    """Through the API server, with the documented role; what the application answers is of no matter."""
    shop = limited
    await shop.deploy(replicas=1)
    await inject(shop.admin, shop.namespace, "web", Sidecar(proxy_image), port=8080)
    await shop.until_ready()
    async with asyncio.timeout(60):
        while len(pods := (await shop.admin.list(PODS, shop.namespace)).items) > 1:  # noqa: ASYNC110  it rings no event
            await asyncio.sleep(0.2)
    checks = shop.checks(cluster=lambda: kubeconfig_client)
    await checks._remedies().send()
    async with httpx2.AsyncClient(trust_env=False) as client:
        page = (await client.get(f"http://{pods[0]['status']['podIP']}:9901/stats/prometheus")).text
    assert 'envoy_cluster_upstream_rq_total{envoy_cluster_name="opsani_proxied"} 20' in page
    assert (
        'envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="opsani_proxied"} 20'
        in page
    )


async def test_a_proxy_that_does_not_answer_fails_the_remedy_and_not_the_loop(shop):
    await shop.deploy()
    found = shop.checks()._remedies()
    with pytest.raises(ServoError, match="no pod of deployment web has a proxy yet"):
        await found.send()
