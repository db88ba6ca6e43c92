"""The section `kubernetes` of servo.yaml."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest
import yaml

from servo.connectors.kubernetes import (
    FailureMode,
    KubernetesConfiguration,
)
from servo.types.core import Duration

CONTAINER: dict[str, Any] = {
    "name": "app",
    "cpu": {"min": "250m", "max": "4", "step": "125m"},
    "memory": {"min": "256Mi", "max": "4Gi", "step": "128Mi"},
}
TARGET: dict[str, Any] = {"name": "web", "containers": [CONTAINER], "replicas": {"min": 1, "max": 4}}


def configuration(**values: Any) -> KubernetesConfiguration:
    return KubernetesConfiguration.model_validate({"deployments": [TARGET]} | values)


def refusal(**values: Any) -> str:
    with pytest.raises(pydantic.ValidationError) as caught:
        configuration(**values)
    return str(caught.value)


def test_the_originals_sample_is_understood():
    text = """
    namespace: shop
    settlement: 2m
    on_failure: shutdown
    deployments:
      - name: web
        strategy: {type: canary, alias: tuning}
        replicas: {min: 0, max: 1, pinned: true}
        containers:
          - name: app
            alias: main
            cpu: {min: 250m, max: '4', step: 125m, get: [request, limit], set: [request, limit]}
            memory: {min: 256Mi, max: 4Gi, step: 128Mi}
            env:
              - {name: GOMAXPROCS, type: range, min: 1, max: 8, step: 1, value_type: int}
    """
    config = KubernetesConfiguration.model_validate(yaml.safe_load(text))
    (target,) = config.targets
    assert target.label == "deployment shop/web"
    assert (target.settlement, target.on_failure) == (Duration("2m"), FailureMode.shutdown)
    assert target.component(target.containers[0]) == "main"
    assert target.tuning_component(target.containers[0]) == "tuning"


def test_what_is_said_for_all_goes_to_targets_that_do_not_say_it_themselves():
    config = configuration(
        namespace="shop", timeout="30s", deployments=[TARGET, TARGET | {"name": "db", "timeout": "1m"}]
    )
    web, db = config.targets
    assert (web.namespace, web.timeout) == ("shop", "30s")
    assert (db.namespace, db.timeout) == ("shop", "1m")
    config.cascade_common_settings(overwrite=True)
    assert db.timeout == "30s"


def test_what_was_given_to_a_target_does_not_count_as_said_by_it():
    config = configuration(namespace="shop")
    config.namespace = "other"
    config.cascade_common_settings()
    assert config.targets[0].namespace == "other"


def test_defaults():
    config = configuration()
    assert (config.namespace, config.timeout, config.settlement) == ("default", "5m", None)
    assert (config.on_failure, config.lease) == (FailureMode.rollback, "15s")
    assert config.create_tuning_pod
    assert not config.container_logs_in_error_status


def test_the_older_name_of_shutdown_is_taken():
    assert configuration(on_failure="destroy").targets[0].on_failure is FailureMode.shutdown


@pytest.mark.parametrize("strategy", ["canary", {"type": "canary"}])
def test_a_strategy_is_its_name_or_spelled_out(strategy):
    (target,) = configuration(deployments=[TARGET | {"strategy": strategy}]).targets
    assert target.canary is not None
    assert target.tuning_component(target.containers[0]) == "web/app-tuning"


def test_further_containers_of_a_tuning_pod_are_named_after_its_alias():
    """Reference 4.1.1: a canary had exactly one container."""
    target = TARGET | {
        "strategy": {"type": "canary", "alias": "tuning"},
        "containers": [CONTAINER, CONTAINER | {"name": "side"}],
    }
    (found,) = configuration(deployments=[target]).targets
    assert [found.tuning_component(each) for each in found.containers] == ["tuning", "tuning/side"]
    assert [found.component(each) for each in found.containers] == ["web/app", "web/side"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"deployments": None}, "No optimization target"),
        ({"deployments": []}, "No optimization target"),
        ({"stateful_sets": [TARGET | {"strategy": "canary"}]}, "cannot have the strategy canary"),
        ({"deployments": [TARGET, TARGET]}, "is there twice"),
        ({"deployments": [TARGET | {"containers": [CONTAINER, CONTAINER]}]}, "is there twice"),
        ({"deployments": [TARGET | {"containers": []}]}, "at least 1"),
        ({"deployments": [TARGET | {"name": "Web"}]}, "no name of Kubernetes"),
        ({"deployments": [TARGET | {"name": "../web"}]}, "no name of Kubernetes"),
        ({"namespace": "-shop"}, "no name of Kubernetes"),
        ({"kubeconfig": "/nonexistent"}, "is no file"),
        ({"timeout": "-1s"}, "between 0s and 7d"),
        ({"lease": "1s"}, "between 2s and 7d"),
        ({"on_failure": "panic"}, "rollback"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_what_makes_no_sense_is_refused(values, said):
    assert said in refusal(**values)


def test_variables_of_a_tuning_pod_need_one():
    container = CONTAINER | {"static_environment_variables": {"A": "b"}}
    assert "need the strategy canary" in refusal(deployments=[TARGET | {"containers": [container]}])
    configuration(deployments=[TARGET | {"containers": [container], "strategy": "canary"}])


def test_two_components_of_one_name_are_refused():
    container = CONTAINER | {"alias": "main"}
    other = {"name": "other", "containers": [container], "replicas": {"min": 1, "max": 2}}
    assert "main" in refusal(deployments=[TARGET | {"containers": [container]}, other])


def test_permissions_of_other_kinds_are_asked_for_where_they_are_used():
    config = configuration(stateful_sets=[TARGET | {"name": "db"}])
    groups = {(each.group, resource) for each in config.all_permissions for resource in each.resources}
    assert ("apps", "statefulsets") in groups
    assert ("argoproj.io", "rollouts") not in groups


def test_the_sample_is_valid():
    assert KubernetesConfiguration.model_validate(yaml.safe_load(KubernetesConfiguration.generate().yaml()))
