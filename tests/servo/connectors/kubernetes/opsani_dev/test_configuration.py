"""The section of servo.yaml, and those of other connectors that follow from it."""

from __future__ import annotations

import pytest
import yaml
from pydantic import ValidationError

from servo.connectors.opsani_dev import OpsaniDevConfiguration

IGNITE = """
namespace: shop
deployment: web
container: app
service: web
port: 80
cpu: {min: 250m, max: "4"}
memory: {min: 256 MiB, max: 4.0 GiB}
"""
"""What opsani-ignite writes (reference, appendix C)."""


def configuration(**values):
    return OpsaniDevConfiguration.model_validate(yaml.safe_load(IGNITE) | values)


def test_an_original_section_loads_with_the_original_defaults():
    found = configuration()
    assert (found.workload_name, found.workload_kind, found.port) == ("web", "Deployment", 80)
    assert (str(found.cpu.step), str(found.memory.step)) == ("125m", "128Mi")
    assert (found.prometheus_base_url, found.envoy_sidecar_image) == ("http://localhost:9090", "opsani/envoy-proxy:v1.24.0")  # fmt: skip
    assert found.timeout == configuration(timeout="5m").timeout
    assert found.create_tuning_pod


def test_the_workload_is_written_as_deployment_and_read_by_either_name():
    values = yaml.safe_load(IGNITE)
    values["workload_name"] = values.pop("deployment")
    found = OpsaniDevConfiguration.model_validate(values)
    written = yaml.safe_load(found.yaml())
    assert written["deployment"] == "web"
    assert "workload_name" not in written
    assert OpsaniDevConfiguration.model_validate(written) == found


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"workload_kind": "StatefulSet"}, "only a Deployment"),
        ({"port": 0}, "no port"),
        ({"port": "Not A Port"}, "neither the number nor the name"),
        ({"namespace": "UPPER"}, "namespace"),
        ({"prometheus_base_url": "ftp://x"}, "http://"),
        ({"create_tuning_pod": False, "static_environment_variables": {"A": "1"}}, "those of a tuning pod"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_cannot_be_is_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        configuration(**values)


def test_a_tuning_pod_is_tuned_and_the_deployment_is_not():
    section = configuration(
        settlement="1m", static_environment_variables={"A": "1"}
    ).generate_kubernetes_config()
    (target,) = section.deployments
    assert (section.namespace, target.name, target.canary.alias) == ("shop", "web", "tuning")
    (container,) = target.containers
    assert (container.name, container.alias, container.static_environment_variables) == (
        "app",
        "main",
        {"A": "1"},
    )
    assert (target.replicas.min, target.replicas.max, target.replicas.pinned) == (0, 1, True)
    assert target.settlement == section.settlement == configuration(settlement="1m").settlement
    assert not container.cpu.pinned


def test_without_a_tuning_pod_everything_is_pinned():
    (target,) = configuration(create_tuning_pod=False).generate_kubernetes_config().deployments
    assert target.canary is None
    assert (target.replicas.min, target.replicas.max, target.replicas.pinned) == (0, 99_999, True)
    assert target.containers[0].cpu.pinned
    assert target.containers[0].memory.pinned


def test_metrics_are_those_of_the_original():
    section = configuration().generate_prometheus_config()
    assert {each.name: each.unit.value for each in section.metrics} == {
        "main_instance_count": "",
        "tuning_instance_count": "",
        "total_request_rate": "rps",
        **{
            f"{role}_{what}_rate": "rps"
            for role in ("main", "tuning")
            for what in ("request", "success", "error")
        },
        **{f"{role}_p{part}_latency": "ms" for role in ("main", "tuning") for part in (50, 90)},
    }
    zero = {each.name for each in section.metrics if each.absent == "zero"}
    assert zero == {"tuning_success_rate", "main_error_rate", "tuning_error_rate"}
    queries = {each.name: each.query for each in section.metrics}
    assert queries["total_request_rate"] == "sum(rate(envoy_cluster_upstream_rq_total[1m]))"
    assert (
        queries["main_request_rate"]
        == 'avg(rate(envoy_cluster_upstream_rq_total{opsani_role!="tuning"}[1m]))'
    )
    untuned = configuration(create_tuning_pod=False).generate_prometheus_config().metrics
    assert [each.name for each in untuned] == [
        each.name for each in section.metrics if "tuning" not in each.name
    ]


def test_metrics_come_from_the_prometheus_that_is_configured():
    """Reference 4.4 B: the generated section ignored prometheus_base_url."""
    found = configuration(prometheus_base_url="https://prometheus.monitoring:9090/")
    assert found.generate_prometheus_config().base_url == "https://prometheus.monitoring:9090"


@pytest.mark.parametrize(
    ("url", "beside"),
    [
        ("http://localhost:9090", True),
        ("http://127.0.0.1:9090", True),
        ("http://[::1]:9090", True),
        ("http://prometheus:9090", False),
        ("http://10.0.0.1:9090", False),
    ],
)
def test_a_prometheus_of_this_host_is_beside_the_servo(url, beside):
    assert configuration(prometheus_base_url=url).has_prometheus_beside is beside


def test_the_sample_is_valid():
    assert OpsaniDevConfiguration.generate().generate_kube_metrics_config().container == "app"
    assert OpsaniDevConfiguration.generate(workload_name="other").workload_name == "other"
