"""The `kube_metrics` connector against a real cluster, with the kubelet's own figures."""

import asyncio
import contextlib
import fcntl
import json
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import yaml

from servo.connectors.kube_metrics import KubeMetric
from servo.errors import MeasurementFailedError
from servo.kubernetes import DEPLOYMENTS, PODS
from servo.types.api import Control

# A cluster takes its time to believe in an API that is registered; and whoever wants none waits for its end.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

NAME = "v1beta1.metrics.k8s.io"


@pytest.fixture(scope="module")
def metrics_api(cluster, tmp_path_factory):
    """A metrics API, registered in the cluster. There can be one only: whoever wants one, or none, waits for its end."""

    def kubectl(*arguments, stdin=None):
        command = ["kubectl", "--kubeconfig", str(cluster), *arguments]
        return subprocess.run(
            command, input=stdin, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    with contextlib.ExitStack() as stack:
        file = stack.enter_context(Path(tempfile.gettempdir(), "trimtab-test-metrics-api.lock").open("w"))
        fcntl.flock(file, fcntl.LOCK_EX)
        sys.path.insert(0, str(Path(__file__).parent))
        stack.callback(sys.path.remove, str(Path(__file__).parent))
        from metrics_api import MetricsAPI

        serving = MetricsAPI(cluster, tmp_path_factory.mktemp("metrics-api"))
        stack.callback(serving.close)
        namespace = f"test-metrics-api-{secrets.token_hex(4)}"
        kubectl("create", "namespace", namespace)
        stack.callback(kubectl, "delete", "namespace", namespace, "--wait=false")
        # The name is looked up on the API server's machine, which is this one.
        port = f"--tcp={serving.port}:{serving.port}"
        kubectl(
            "-n", namespace, "create", "service", "externalname", "metrics", "--external-name=localhost", port
        )
        service = {"namespace": namespace, "name": "metrics", "port": serving.port}
        spec = {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "service": service,
            "insecureSkipTLSVerify": True,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        }
        body = {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": NAME},
            "spec": spec,
        }
        kubectl("apply", "-f", "-", stdin=json.dumps(body))
        stack.callback(kubectl, "delete", "apiservice", NAME)
        kubectl("wait", "--for=condition=Available", f"apiservice/{NAME}", "--timeout=50s")
        # The server's discovery comes a little after its own condition.
        for _ in range(100):
            with contextlib.suppress(subprocess.CalledProcessError):
                kubectl("get", "--raw", "/apis/metrics.k8s.io")
                break
            time.sleep(0.2)
        yield serving


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
        assert len(series) >= 2
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
    assert not found.success
    assert set(found.hint.partition(": ")[2].split(", ")) == {"app", "sidecar"}
    assert (await connector(container="app").check(None, None))[-1].success


async def test_a_cluster_that_is_away_fails_the_measurement(connector, tmp_path, cluster):
    away = tmp_path / "config"
    document = yaml.safe_load(cluster.read_text())
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    away.write_text(yaml.safe_dump(document))
    with pytest.raises(
        MeasurementFailedError, match=r"nothing was measured of Deployment web: .*127\.0\.0\.1:9"
    ) as caught:
        await connector(kubeconfig=away).measure(control=Control(duration="0s"))
    assert caught.value.reason == "no-metrics"
