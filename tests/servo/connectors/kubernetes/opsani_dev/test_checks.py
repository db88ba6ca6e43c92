"""Each check where what it looks at is not so; test_setting_up.py has them all where it is.

Most of it needs objects alone: a Deployment of no pods is ready.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from servo.connectors.kubernetes.options import permissions
from servo.connectors.opsani_dev.checks.target import PERMISSIONS
from servo.errors import MeasurementFailedError
from servo.kubernetes import DEPLOYMENTS, PODS, Client, ConfigurationError
from servo.types.core import ErrorSeverity

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

ORDER = [
    ("check_optimizer", "critical"),
    ("check_connectivity", "critical"),
    ("check_version", "warning"),
    ("check_permissions", "critical"),
    ("check_opsani_dev_kubernetes_namespace", "critical"),
    ("check_opsani_dev_kubernetes_controller", "critical"),
    ("check_opsani_dev_kubernetes_container", "critical"),
    ("check_resource_requirements", "critical"),
    ("check_target_container_resources_within_limits", "critical"),
    ("check_controller_readiness", "critical"),
    ("check_opsani_dev_kubernetes_service", "critical"),
    ("check_opsani_dev_kubernetes_service_type", "warning"),
    ("check_opsani_dev_kubernetes_service_port", "common"),
    ("check_service_routes_traffic_to_controller", "common"),
    ("check_prometheus_config_map", "critical"),
    ("check_prometheus_sidecar_exists", "common"),
    ("check_prometheus_sidecar_is_ready", "common"),
    ("check_prometheus_restart_count", "warning"),
    ("check_prometheus_container_port", "critical"),
    ("check_prometheus_is_accessible", "critical"),
    ("check_controller_annotations", "common"),
    ("check_controller_labels", "common"),
    ("check_controller_envoy_sidecars", "critical"),
    ("check_pod_envoy_sidecars", "common"),
    ("check_prometheus_targets", "common"),
    ("check_envoy_sidecar_metrics", "common"),
    ("check_service_proxy", "critical"),
    ("check_tuning_is_running", "common"),
    ("check_traffic_metrics", "common"),
]


async def failing(checks, name: str) -> str:
    """What a check that fails says."""
    found = await checks.run_one(id=name, skip_requirements=True)
    assert not found.success, f"{name} passed: {found.message}"
    assert found.hint or name == "check_prometheus_targets" or not found.critical
    return found.message


async def passing(checks, name: str) -> str | None:
    found = await checks.run_one(id=name, skip_requirements=True)
    assert found.success, found.message
    return found.message


async def test_there_are_all_of_the_original_in_its_order(shop):
    """Reference 4.4; none of them ends the run, so that each is there, whatever it finds."""
    found = await shop.checks().run_all(halt_on=None)
    assert [(each.id, each.severity.value) for each in found] == ORDER
    assert {each.severity for each in found} == set(ErrorSeverity)
    # Without a Deployment: every failure is told, none is an exception that escaped.
    assert [each.message for each in found if "caught exception" in (each.message or "")] == []


async def test_the_optimizer_is_of_a_kind_that_there_is(shop):
    assert "neither" in await failing(shop.checks(optimizer=None), "check_optimizer")
    await passing(shop.checks(), "check_optimizer")


async def test_a_cluster_that_does_not_answer(shop, tmp_path, free_port):
    dead = tmp_path / "dead.yaml"
    dead.write_text(shop.kubeconfig.read_text().replace("127.0.0.1:16443", f"127.0.0.1:{free_port}"))
    async with Client.open(dead) as client:
        await failing(shop.checks(cluster=lambda: client), "check_connectivity")
    await passing(shop.checks(), "check_connectivity")


async def test_a_cluster_that_is_not_named_is_a_failure_of_the_check(shop):
    def nowhere() -> Client:
        raise ConfigurationError("no cluster is named")

    assert "no cluster is named" in await failing(shop.checks(cluster=nowhere), "check_connectivity")


async def test_a_cluster_that_is_too_old_is_a_warning(shop, monkeypatch):
    async def old(_):
        return 1, 15

    await passing(shop.checks(), "check_version")
    monkeypatch.setattr(Client, "version", old)
    assert "1.15" in await failing(shop.checks(), "check_version")


async def test_each_permission_that_is_missing_is_named(shop, make, admin, namespace, cluster, tmp_path):
    rules = [permissions("", "services", ("get",)), *PERMISSIONS[:-2]]
    path = await make["account"](Path(cluster), admin, namespace, rules, tmp_path)
    async with Client.open(path) as client:
        message = await failing(shop.checks(cluster=lambda: client), "check_permissions")
    assert message == f"not allowed: update services in {namespace}; get pods/proxy in {namespace}"


async def test_what_is_to_be_tuned_is_there(shop):
    assert "not found" in await failing(
        shop.checks(namespace="nowhere-at-all"), "check_opsani_dev_kubernetes_namespace"
    )
    assert "not found" in await failing(shop.checks(), "check_opsani_dev_kubernetes_controller")
    await shop.deploy()
    await passing(shop.checks(), "check_opsani_dev_kubernetes_controller")
    other = shop.checks(container="nope")
    assert "there are: app" in await failing(other, "check_opsani_dev_kubernetes_container")
    await passing(shop.checks(), "check_opsani_dev_kubernetes_container")
    await passing(shop.checks(), "check_controller_readiness")


async def test_what_is_to_be_tuned_has_a_value(shop):
    await shop.deploy(resources={"requests": {"cpu": "20m"}})
    assert await failing(shop.checks(), "check_resource_requirements") == "without a value: memory of app"
    preset = {"min": "32Mi", "max": "256Mi", "request": "64Mi"}
    await passing(shop.checks(memory=preset), "check_resource_requirements")
    await passing(shop.checks(memory=preset), "check_target_container_resources_within_limits")


async def test_what_it_has_is_within_its_range(shop):
    await shop.deploy()
    narrow = {"cpu": {"min": "1", "max": "2"}, "memory": {"min": "1Mi", "max": "16Mi", "step": "1Mi"}}
    assert await failing(shop.checks(**narrow), "check_target_container_resources_within_limits") == (
        "cpu of the container is 20m, and the range 1 to 2; memory of the container is 32Mi, and the range 1Mi to 16Mi"
    )
    await passing(shop.checks(), "check_target_container_resources_within_limits")


async def test_a_deployment_that_is_not_ready(shop):
    await shop.deploy(replicas=1, paused=True)
    assert "pods are" in await failing(shop.checks(), "check_controller_readiness")


async def test_the_service(shop):
    await shop.deploy()
    assert "not found" in await failing(shop.checks(), "check_opsani_dev_kubernetes_service")
    await shop.serve(
        ports=[{"name": "http", "port": 80, "targetPort": "http"}, {"name": "admin", "port": 81}]
    )
    await passing(shop.checks(), "check_opsani_dev_kubernetes_service")
    assert await passing(shop.checks(), "check_opsani_dev_kubernetes_service_type") == "ClusterIP"
    ambiguous = await failing(shop.checks(), "check_opsani_dev_kubernetes_service_port")
    assert ambiguous == "service web has 2 ports: name one of http (80), admin (81)"
    assert "no port 82" in await failing(shop.checks(port=82), "check_opsani_dev_kubernetes_service_port")
    for port in (80, "http"):
        found = await passing(shop.checks(port=port), "check_opsani_dev_kubernetes_service_port")
        assert found == "http 80:http/TCP"
    await passing(shop.checks(), "check_service_routes_traffic_to_controller")


async def test_a_service_that_sends_elsewhere(shop):
    await shop.deploy()
    await shop.serve(name="outside", type="ExternalName", externalName="example.com", selector=None)
    assert "ExternalName" in await failing(
        shop.checks(service="outside"), "check_opsani_dev_kubernetes_service_type"
    )
    assert "no selector" in await failing(
        shop.checks(service="outside"), "check_service_routes_traffic_to_controller"
    )
    await shop.serve(name="other", selector={"app": "web", "tier": "front"})
    lacking = await failing(shop.checks(service="other"), "check_service_routes_traffic_to_controller")
    assert "lack tier=front" in lacking


async def test_the_prometheus_beside_the_servo(shop):
    for name in ("check_prometheus_config_map", "check_prometheus_sidecar_exists", "check_prometheus_sidecar_is_ready", "check_prometheus_restart_count", "check_prometheus_container_port"):  # fmt: skip
        await failing(shop.checks(), name)
    await shop.house(port=9999, name="prometheus", readinessProbe={"exec": {"command": ["false"]}})
    assert await passing(shop.checks(), "check_prometheus_config_map") == "prometheus-config"
    await passing(shop.checks(), "check_prometheus_sidecar_exists")
    assert "not ready" in await failing(shop.checks(), "check_prometheus_sidecar_is_ready")
    assert "has 9999" in await failing(shop.checks(), "check_prometheus_container_port")
    await failing(shop.checks(), "check_prometheus_is_accessible")


async def test_a_servo_without_the_container_of_prometheus_and_one_that_ended(shop, monkeypatch):
    await shop.house(name="other", program="import time; time.sleep(1)")
    assert "no container prometheus" in await failing(shop.checks(), "check_prometheus_sidecar_exists")
    monkeypatch.setenv("POD_NAMESPACE", shop.namespace)
    monkeypatch.setenv("POD_NAME", "gone")
    assert "no servo pod" in await failing(shop.checks(), "check_prometheus_sidecar_exists")


async def test_a_prometheus_that_was_started_again_is_a_warning(shop):
    await shop.house(program="import time; time.sleep(1)")
    await shop.until_pod("servo", lambda pod: any(each["restartCount"] for each in pod["status"].get("containerStatuses") or ()))  # fmt: skip
    assert "started again" in await failing(shop.checks(), "check_prometheus_restart_count")


async def test_a_prometheus_elsewhere_is_expected_beside_nobody(shop):
    elsewhere = shop.checks(prometheus_base_url="http://prometheus.monitoring:9090")
    for name in ("check_prometheus_config_map", "check_prometheus_sidecar_exists", "check_prometheus_sidecar_is_ready", "check_prometheus_restart_count", "check_prometheus_container_port"):  # fmt: skip
        assert "none is expected" in await passing(elsewhere, name)


async def test_what_the_deployment_lacks_is_named_with_a_command_and_a_remedy(shop, monkeypatch):
    """Reference 4.4: remedies were `kubectl` and `servo` in a shell. Here no program can be found."""
    await shop.deploy()
    await shop.serve()
    checks = shop.checks()
    for name, missing in (
        ("check_controller_annotations", "is missing annotations: prometheus.opsani.com/path, prometheus.opsani.com/port, prometheus.opsani.com/scheme, prometheus.opsani.com/scrape, servo.opsani.com/optimizer"),
        ("check_controller_labels", "is missing labels: servo.opsani.com/optimizer=dev.example.com_app, sidecar.opsani.com/type=envoy"),
        ("check_controller_envoy_sidecars", "pod template spec does not include envoy sidecar container ('opsani-envoy')"),
    ):  # fmt: skip
        assert await failing(checks, name) == f"Deployment 'web' {missing}"
        found = await checks.run_one(id=name, skip_requirements=True)
        assert found.hint.startswith(("kubectl --kubeconfig", "servo inject-sidecar --kubeconfig"))
        with monkeypatch.context() as without:
            without.setenv("PATH", "")
            await found.remedy()
        await passing(checks, name)
    found = await checks.run_one(id="check_service_proxy", skip_requirements=True)
    assert "but to http" in found.message
    with pytest.raises(Exception, match="left as it is until each of its pods has a proxy"):
        await found.remedy()
    assert (await shop.service())["spec"]["ports"][0]["targetPort"] == "http"


async def test_an_annotation_that_is_there_stays_as_it_is(shop):
    await shop.deploy()
    own = {"prometheus.opsani.com/path": "/mine"}
    await shop.admin.patch(DEPLOYMENTS, "web", {"spec": {"template": {"metadata": {"annotations": own}}}}, shop.namespace)  # fmt: skip
    found = await shop.checks().run_one(id="check_controller_annotations", skip_requirements=True)
    assert "path" not in found.message
    await found.remedy()
    told = (await shop.deployment())["spec"]["template"]["metadata"]["annotations"]
    assert told["prometheus.opsani.com/path"] == "/mine"
    assert told["prometheus.opsani.com/port"] == "9901"


async def test_pods_without_a_proxy_and_no_pods_at_all(shop):
    await shop.deploy()
    assert "no pods" in await failing(shop.checks(), "check_pod_envoy_sidecars")
    await shop.admin.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 1}}, shop.namespace)
    await shop.until_ready()
    (pod,) = (await shop.admin.list(PODS, shop.namespace)).items
    assert pod["metadata"]["name"] in await failing(shop.checks(), "check_pod_envoy_sidecars")
    found = await shop.checks().run_one(id="check_envoy_sidecar_metrics", skip_requirements=True)
    assert not found.success


async def test_a_prometheus_that_scrapes_nothing(shop, prometheus):
    shop.prometheus, _ = prometheus
    checks = shop.checks()
    while not (await checks.run_one(id="check_prometheus_is_accessible", skip_requirements=True)).success:
        pass
    assert await failing(checks, "check_prometheus_targets") == "Prometheus has no active targets"
    found = await checks.run_one(id="check_envoy_sidecar_metrics", skip_requirements=True)
    assert "not reporting any traffic" in found.message
    assert "port-forward deployment/web 9980" in found.hint
    assert await failing(checks, "check_traffic_metrics") == "Envoy reports no requests of: main, tuning"
    untuned = shop.checks(create_tuning_pod=False)
    assert await failing(untuned, "check_traffic_metrics") == "Envoy reports no requests of: main"


async def test_requests_of_the_deployment_alone_are_not_enough(shop, prometheus, stub, raw_reply):
    """Reference 4.4 B: the check returned after the first of its metrics."""
    shop.prometheus, targets = prometheus
    exposition = raw_reply(
        200, b"envoy_cluster_upstream_rq_total 5\n", "Content-Type: text/plain; version=0.0.4"
    )
    stub.answer = lambda _: exposition
    targets.write_text(json.dumps([{"targets": [stub.url.removeprefix("http://")]}]))
    checks = shop.checks()
    async with asyncio.timeout(60):
        while (await checks.run_one(id="check_envoy_sidecar_metrics", skip_requirements=True)).failed:  # noqa: ASYNC110  it rings no event
            await asyncio.sleep(0.1)
    assert await passing(checks, "check_prometheus_targets") == "1 of 1 are up"
    assert await failing(checks, "check_traffic_metrics") == "Envoy reports no requests of: tuning"
    untuned = shop.checks(create_tuning_pod=False)
    assert await passing(untuned, "check_traffic_metrics") == "main 5 requests"


async def test_a_tuning_pod_that_cannot_be_made(shop):
    async def fail() -> None:
        raise MeasurementFailedError("no node takes pod web-tuning", reason="unschedulable")

    assert "no node takes" in await failing(shop.checks(ensure_tuning_pod=fail), "check_tuning_is_running")
    assert "only a servo" in await failing(shop.checks(), "check_tuning_is_running")
    untuned = shop.checks(create_tuning_pod=False)
    assert "skipped" in await passing(untuned, "check_tuning_is_running")
