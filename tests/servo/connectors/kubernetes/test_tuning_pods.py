"""A tuning pod is made like those of its workload, and tells what it was made of."""

from __future__ import annotations

from typing import Any

import pytest

from servo.connectors.kubernetes import KubernetesConfiguration, changes, tuning_pods
from servo.connectors.kubernetes.manifests import read
from servo.connectors.kubernetes.record import Record
from servo.connectors.kubernetes.resizing import resized

WORKLOAD: dict[str, Any] = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "u"},
    "spec": {
        "replicas": 2,
        "template": {
            "metadata": {"creationTimestamp": None, "labels": {"app": "web"}, "annotations": {"a": "b"}},
            "spec": {"containers": [{"name": "app", "image": "i", "env": [{"name": "A", "value": "1"}]}]},
        },
    },
}


def config(**container: Any):
    given = {
        "name": "app",
        "cpu": {"min": "250m", "max": "4", "step": "125m", "request": "250m", "limit": "500m"},
        "memory": {"min": "256Mi", "max": "4Gi", "step": "128Mi"},
        **container,
    }
    deployment = {
        "name": "web",
        "containers": [given],
        "replicas": {"min": 0, "max": 1},
        "strategy": "canary",
    }
    return KubernetesConfiguration.model_validate({"namespace": "shop", "deployments": [deployment]}).targets[
        0
    ]


def made(of, fields: dict[str, Any] | None = None, record: Record | None = None):
    paths = changes.paths_of(of, replicas=False)
    initial = tuning_pods.initial_fields(of, WORKLOAD, paths)
    return tuning_pods.tuning_pod(of, WORKLOAD, initial | (fields or {}), record or Record(), [{"uid": "o"}])


def test_it_has_the_labels_of_the_workload_and_its_own():
    pod = made(config())
    assert (pod["metadata"]["name"], pod["metadata"]["namespace"]) == ("web-tuning", "shop")
    assert pod["metadata"]["labels"] == {"app": "web", "opsani_role": "tuning"}
    assert pod["metadata"]["annotations"]["opsani.com/opsani_tuning_for"] == "web/app"
    assert pod["metadata"]["annotations"]["a"] == "b"
    assert "creationTimestamp" not in pod["metadata"]
    assert pod["metadata"]["ownerReferences"] == [{"uid": "o"}]
    assert tuning_pods.is_tuning_pod(pod)
    assert "opsani_role" not in WORKLOAD["spec"]["template"]["metadata"]["labels"]


def test_configured_requirements_are_added_where_the_template_has_none():
    found = read(made(config()), ["app/requests/cpu", "app/limits/cpu", "app/requests/memory"])
    assert found == {"app/requests/cpu": "250m", "app/limits/cpu": "500m", "app/requests/memory": None}


def test_static_variables_take_the_place_of_those_of_the_template():
    pod = made(config(static_environment_variables={"A": "2", "B": "3"}))
    assert pod["spec"]["containers"][0]["env"] == [{"name": "A", "value": "2"}, {"name": "B", "value": "3"}]


def test_a_static_variable_that_can_be_adjusted_is_where_it_begins():
    setting = {"name": "A", "type": "enum", "values": ["1", "2"]}
    of = config(static_environment_variables={"A": "2"}, env=[setting])
    assert made(of)["spec"]["containers"][0]["env"] == [{"name": "A", "value": "2"}]


def test_pods_that_differ_in_resources_only_are_told_from_others():
    first = made(config())
    assert tuning_pods.only_resources(first, made(config(), {"app/limits/cpu": "1"}, Record(7)))
    assert not tuning_pods.only_resources(first, made(config(static_environment_variables={"A": "2"})))
    del first["metadata"]["annotations"]["servo.trimtab/fingerprint"]
    assert not tuning_pods.only_resources(first, made(config()))


def test_a_resize_asks_for_what_differs():
    body = tuning_pods.resize_body(made(config()), made(config(), {"app/limits/cpu": "1"}), ["app"])
    assert body == {
        "spec": {
            "containers": [
                {"name": "app", "resources": {"requests": {"cpu": "250m"}, "limits": {"cpu": "1"}}}
            ]
        }
    }
    assert tuning_pods.resize_body(made(config()), made(config()), ["app"]) is None


@pytest.mark.parametrize(
    ("fields", "policy"),
    [({"app/limits/memory": "1Gi"}, None), ({"app/limits/cpu": "1"}, {"resourceName": "cpu", "restartPolicy": "RestartContainer"})],
)  # fmt: skip
def test_what_would_change_the_class_of_the_pod_or_restart_it_is_no_resize(fields, policy):
    existing = made(config())
    existing["spec"]["containers"][0]["resizePolicy"] = [policy] if policy else []
    assert tuning_pods.resize_body(existing, made(config(), fields), ["app"]) is None


def test_a_resize_is_done_when_the_containers_have_it():
    body = {"spec": {"containers": [{"name": "app", "resources": {"limits": {"cpu": "1"}}}]}}
    pod: dict[str, Any] = {
        "status": {"containerStatuses": [{"name": "app", "resources": {"limits": {"cpu": "500m"}}}]}
    }
    assert not resized(pod, body)
    pod["status"]["containerStatuses"][0]["resources"]["limits"]["cpu"] = "1000m"
    assert resized(pod, body)
    pod["status"]["conditions"] = [{"type": "PodResizeInProgress", "status": "True"}]
    assert not resized(pod, body)
