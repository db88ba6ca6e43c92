"""What is known of a pod, as numbers; objects as a cluster gives them."""

import pytest

from servo.connectors.kube_metrics import KubeMetric
from servo.connectors.kube_metrics.figures import MetricError, container_of, figures
from servo.types.core import Metric, Unit


def pod(*, resources=None, status=None, names=("app",)):
    containers = [{"name": name, "resources": resources or {}} for name in names]
    return {"metadata": {"name": "web-1"}, "spec": {"containers": containers}, "status": status or {}}


def usage(**containers):
    return {"containers": [{"name": name, "usage": used} for name, used in containers.items()]}


def test_there_are_eighteen_metrics_with_the_original_names_and_units():
    names = [f"{scope}_{resource}_{kind}" for scope in ("tuning", "main") for resource in ("cpu", "mem")
             for kind in ("usage", "request", "limit", "saturation")]  # fmt: skip
    assert {str(each) for each in KubeMetric} == {
        *names,
        "tuning_pod_restart_count",
        "main_pod_restart_count",
    }
    assert KubeMetric.MAIN_CPU_SATURATION.metric == Metric("main_cpu_saturation", Unit.percentage)
    assert KubeMetric.MAIN_MEM_USAGE.metric == Metric("main_mem_usage", "")


def test_usage_is_in_cores_and_gibibytes_and_saturation_in_percent_of_the_request():
    resources = {"requests": {"cpu": "500m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
    found = figures(pod(resources=resources), usage(app={"cpu": "125437120n", "memory": "131072Ki"}), None)
    assert found == {
        "cpu_usage": 0.12543712,
        "cpu_request": 0.5,
        "cpu_limit": 1.0,
        "cpu_saturation": pytest.approx(25.087424),
        "mem_usage": 0.125,
        "mem_request": 0.25,
        "mem_limit": 1.0,
        "mem_saturation": 50.0,
    }


def test_without_a_request_saturation_is_that_of_the_limit():
    found = figures(pod(resources={"limits": {"cpu": "2"}}), usage(app={"cpu": "1"}), None)
    assert found == {"cpu_usage": 1.0, "cpu_limit": 2.0, "cpu_saturation": 50.0}


def test_what_is_not_known_is_left_out():
    assert figures(pod(), None, None) == {}
    assert figures(pod(), usage(other={"cpu": "1"}), None) == {}
    assert figures(pod(resources={"requests": {"cpu": "0"}}), usage(app={"cpu": "1"}), None) == {
        "cpu_usage": 1.0,
        "cpu_request": 0.0,
    }


def test_restarts_are_those_of_all_containers():
    statuses = [{"name": "app", "restartCount": 2}, {"name": "sidecar", "restartCount": 1}]
    found = figures(pod(status={"containerStatuses": statuses}, names=("app", "sidecar")), None, "app")
    assert found == {"pod_restart_count": 3.0}


def test_after_a_resize_what_is_in_force_counts():
    status = {
        "containerStatuses": [{"name": "app", "restartCount": 0, "resources": {"requests": {"cpu": "2"}}}]
    }
    assert figures(pod(resources={"requests": {"cpu": "1"}}, status=status), None, None)["cpu_request"] == 2.0


def test_of_several_containers_one_is_chosen():
    several = pod(names=("app", "sidecar"))["spec"]
    assert container_of(several, "sidecar")["name"] == "sidecar"
    with pytest.raises(MetricError, match="several containers") as caught:
        container_of(several, None)
    assert caught.value.args[1] == "app, sidecar"
    with pytest.raises(MetricError, match="no container 'web'"):
        container_of(several, "web")
