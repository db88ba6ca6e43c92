"""The `kube_metrics` connector against a real cluster, with the kubelet's own figures."""

import asyncio
import contextlib
import fcntl
import sys
import tempfile
from pathlib import Path

import pytest

from servo.connectors.kube_metrics import KubeMetric, KubeMetricsConfiguration, KubeMetricsConnector
from servo.errors import MeasurementFailedError
from servo.kubernetes import DEPLOYMENTS, PODS, NotFoundError, Resource, UnreachableError
from servo.types.api import Control

pytestmark = pytest.mark.integration

API_SERVICES = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", namespaced=False)
NAME = "v1beta1.metrics.k8s.io"
BURNS = "dd if=/dev/zero of=/dev/null bs=64k & sleep 600"


@contextlib.contextmanager
def alone():
    """Only one metrics API can be registered in a cluster: tests that need one, or none, wait for each other."""
    with Path(tempfile.gettempdir(), "trimtab-test-metrics-api.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
async def metrics_api(client, kubectl, cluster, tmp_path):
    """A metrics API, registered in the cluster."""
    with alone():
        sys.path.insert(0, str(Path(__file__).parent))
        try:
            from metrics_api import MetricsAPI
        finally:
            sys.path.pop(0)
        serving = MetricsAPI(cluster, tmp_path)
        # The name is looked up on the API server's machine, which is this one.
        kubectl(
            "create",
            "service",
            "externalname",
            "metrics",
            "--external-name=localhost",
            f"--tcp={serving.port}:{serving.port}",
        )
        spec = {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "service": {"namespace": client.namespace, "name": "metrics", "port": serving.port},
            "insecureSkipTLSVerify": True,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        }
        await client.create(API_SERVICES, {"metadata": {"name": NAME}, "spec": spec})
        try:
            kubectl("wait", "--for=condition=Available", f"apiservice/{NAME}", "--timeout=40s")
            yield serving
        finally:
            await client.delete(API_SERVICES, NAME)
            await asyncio.to_thread(serving.close)


@pytest.fixture
async def deployment(client, kubectl):
    """A Deployment of two pods, of which each burns what it may."""
    resources = {"requests": {"cpu": "50m", "memory": "16Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}}
    container = {
        "name": "app",
        "image": "localhost/python:3.11",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", BURNS],
        "resources": resources,
    }
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    made = await client.create(DEPLOYMENTS, {"metadata": {"name": "web"}, "spec": spec})
    kubectl("rollout", "status", "deployment/web", "--timeout=50s")
    return made


@pytest.fixture
def connector(cluster, namespace):
    def make(**values):
        config = {
            "namespace": namespace,
            "name": "web",
            "kubeconfig": cluster,
            "metric_collection_frequency": "1s",
            **values,
        }
        return KubeMetricsConnector(config=KubeMetricsConfiguration.model_validate(config))

    return make


async def known(metrics_api, namespace, count):
    """Wait until the kubelet has figures of so many pods: it takes them every ten seconds or so."""
    async with asyncio.timeout(50):
        while len(await asyncio.to_thread(metrics_api._items, namespace, "app=web")) < count:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.5)


async def test_pods_and_the_tuning_pod_are_measured_apart(
    client, metrics_api, deployment, connector, kubectl, namespace
):
    template = deployment["spec"]["template"]
    labels = {**template["metadata"]["labels"], "opsani_role": "tuning"}
    await client.create(
        PODS, {"metadata": {"name": "web-tuning", "labels": labels}, "spec": template["spec"]}
    )
    kubectl("wait", "--for=condition=Ready", "pod/web-tuning", "--timeout=50s")
    await known(metrics_api, namespace, 3)
    measured = await connector().measure(control=Control(duration="3s"))
    by_metric = {}
    for series in measured.readings:
        by_metric.setdefault(series.metric.name, {})[series.id] = series
    assert set(by_metric) == {str(each) for each in KubeMetric}
    assert list(by_metric["tuning_cpu_usage"]) == ["web-tuning"]
    pods = set(by_metric["main_cpu_usage"])
    assert len(pods) == 2
    assert all(name.startswith("web-") for name in pods - {"web-tuning"})
    assert "web-tuning" not in pods
    for series in by_metric["main_cpu_usage"].values():
        # It may use a tenth of a core, and burns all of it; how much it gets, this machine decides.
        assert 0 < series.data_points[-1].value <= 0.15
        assert len(series) >= 3
    for name, value in {
        "main_cpu_request": 0.05,
        "main_cpu_limit": 0.1,
        "main_mem_request": 16 / 1024,
        "main_mem_limit": 64 / 1024,
        "tuning_pod_restart_count": 0,
    }.items():
        assert {point.value for series in by_metric[name].values() for point in series} == {value}
    usage = by_metric["tuning_cpu_usage"]["web-tuning"].data_points[0].value
    saturation = by_metric["tuning_cpu_saturation"]["web-tuning"].data_points[0].value
    assert saturation == pytest.approx(100 * usage / 0.05)
    told = measured.__opsani_repr__()["metrics"]["main_cpu_usage"]
    assert {each["id"] for each in told["values"]} == pods


async def test_what_is_in_the_pods_needs_no_metrics_api(deployment, connector):
    wanted = ["main_cpu_limit", "main_pod_restart_count"]
    with alone():
        measured = await connector(metrics_to_collect=wanted).measure(control=Control(duration="0s"))
    assert {series.metric.name for series in measured.readings} == set(wanted)


async def test_without_a_metrics_api_the_measurement_fails_and_says_how_to_mend_it(
    deployment, connector, client
):
    with alone():
        if await client.find("metrics.k8s.io", "pods"):
            pytest.skip("this cluster has a metrics API")
        with pytest.raises(MeasurementFailedError, match="install metrics-server"):
            await connector().measure(control=Control(duration="0s"))
        checks = await connector().check(None, None)
    assert {check.id: check.success for check in checks} == {
        "check_target": True,
        "check_metrics_api_permissions": True,
        "check_metrics_api": False,
        "check_container": True,
    }
    assert "metrics-server" in checks[2].hint


async def test_an_api_that_is_away_for_a_while_costs_a_look(metrics_api, deployment, connector, namespace):
    await known(metrics_api, namespace, 2)
    measuring = asyncio.create_task(connector().measure(control=Control(duration="4s")))
    await asyncio.sleep(1.5)
    metrics_api.failing = True
    await asyncio.sleep(1)
    metrics_api.failing = False
    measured = await measuring
    assert {len(series) for series in measured.readings if series.metric.name == "main_cpu_usage"} <= {
        2,
        3,
        4,
        5,
    }


async def test_nothing_measured_is_a_failure_that_says_why(
    metrics_api, client, deployment, connector, kubectl
):
    kubectl("scale", "deployment/web", "--replicas=0")
    kubectl("wait", "--for=delete", "pods", "-l", "app=web", "--timeout=50s")
    with pytest.raises(
        MeasurementFailedError, match="nothing was measured of Deployment web: it has no pods"
    ) as caught:
        await connector().measure(control=Control(duration="0s"))
    assert caught.value.reason == "no-metrics"


async def test_all_checks_pass_where_all_is_there(metrics_api, deployment, connector):
    checks = await connector().check(None, None)
    assert [(check.id, check.success, check.critical) for check in checks] == [
        ("check_target", True, True),
        ("check_metrics_api_permissions", True, True),
        ("check_metrics_api", True, True),
        ("check_container", True, True),
    ]


async def test_a_workload_that_is_not_there_is_told(connector, namespace):
    with pytest.raises(MeasurementFailedError, match=r'deployments\.apps "web" not found'):
        await connector(metrics_to_collect=["main_cpu_limit"]).measure(control=Control(duration="0s"))
    checks = await connector().check(None)
    assert [check.success for check in checks] == [False]
    assert "namespace" in checks[0].hint


async def test_a_container_must_be_named_where_there_are_several(deployment, connector, client):
    sidecar = {"name": "sidecar", "image": "localhost/python:3.11", "command": ["sleep", "600"]}
    spec = {"template": {"spec": {"containers": [sidecar]}}}
    await client.patch(DEPLOYMENTS, "web", {"spec": spec})
    found = (await connector().check(None, None))[-1]
    assert (found.success, found.hint) == (False, "set `container` to one of: app, sidecar") or (
        found.success,
        found.hint,
    ) == (False, "set `container` to one of: sidecar, app")
    assert (await connector(container="app").check(None, None))[-1].success


async def test_a_cluster_that_is_away_fails_the_measurement(connector, tmp_path, cluster):
    away = tmp_path / "config"
    away.write_text(cluster.read_text().replace("server: ", "server: https://127.0.0.1:9/ #"))
    with pytest.raises((MeasurementFailedError, UnreachableError, NotFoundError)):
        await connector(kubeconfig=away).measure(control=Control(duration="0s"))
