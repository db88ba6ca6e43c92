"""Adjustments become fields, and what runs becomes components."""

from __future__ import annotations

from typing import Any

import pytest

from servo.connectors.kubernetes import KubernetesConfiguration, changes, components
from servo.connectors.kubernetes.pods import Fault
from servo.types.api import Adjustment

ENVIRONMENT = [
    {"name": "threads", "literal": "APP_THREADS", "type": "range", "min": 1, "max": 8, "step": 1, "value_type": "int"},
    {"name": "MODE", "type": "enum", "values": ["fast", "safe", 3]},
    {"name": "RATIO", "type": "range", "min": 0.0, "max": 1.0, "step": 0.1},
]  # fmt: skip


def target(strategy: Any = "default", **container: Any):
    given = {
        "name": "app",
        "alias": "main",
        "cpu": {"min": "250m", "max": "4", "step": "125m"},
        "memory": {"min": "256Mi", "max": "4Gi", "step": "128Mi"},
        "env": ENVIRONMENT,
        **container,
    }
    side = {key: given[key] for key in ("cpu", "memory")} | {"name": "side"}
    deployment = {
        "name": "web",
        "containers": [given, side],
        "replicas": {"min": 1, "max": 4},
        "strategy": strategy,
    }
    return KubernetesConfiguration.model_validate({"deployments": [deployment]}).targets[0]


def fields(config, *adjustments: tuple[str, str, Any]):
    owned = {config.component(each): each for each in config.containers}
    return changes.fields_of(
        config, owned, [Adjustment(component_name=c, setting_name=s, value=v) for c, s, v in adjustments]
    )


def test_adjustments_become_fields():
    assert fields(
        target(),
        ("main", "cpu", 0.5),
        ("main", "mem", 1),
        ("main", "replicas", 3.0),
        ("web/side", "mem", "128Mi"),
    ) == {
        "app/requests/cpu": "500m",
        "app/limits/cpu": "500m",
        "app/requests/memory": "1Gi",
        "app/limits/memory": "1Gi",
        "replicas": 3,
        "side/requests/memory": "128Mi",
        "side/limits/memory": "128Mi",
    }


def test_only_the_requirements_that_are_to_be_set_are():
    cpu = {"min": "250m", "max": "4", "step": "125m", "set": ["limit"]}
    assert fields(target(cpu=cpu), ("main", "cpu", 9)) == {"app/limits/cpu": "9"}


def test_variables_are_written_by_their_own_name_and_type():
    """Reference 4.1.3: it was read by the setting's name and written by the variable's."""
    assert fields(target(), ("main", "threads", 4.0), ("main", "MODE", "safe"), ("main", "RATIO", 0.5)) == {
        "app/env/APP_THREADS": "4",
        "app/env/MODE": "safe",
        "app/env/RATIO": "0.5",
    }


@pytest.mark.parametrize(
    ("component", "setting", "value", "said"),
    [
        ("main", "nope", 1, "no such setting; there are: cpu, mem, replicas, threads, MODE, RATIO"),
        ("web/side", "replicas", 1, "no such setting"),
        ("main", "cpu", "x", "no number of cores"),
        ("main", "cpu", 0.0001, "thousandths"),
        ("main", "mem", "x", "no amount of memory"),
        ("main", "replicas", 1.5, "no number of pods"),
        ("main", "replicas", -1, "no number of pods"),
        ("main", "threads", "x", "main.threads"),
    ],
)
def test_what_cannot_be_is_refused_with_the_setting(component, setting, value, said):
    with pytest.raises(ValueError, match=r"main|side") as caught:
        fields(target(), (component, setting, value))
    assert said in str(caught.value)


def test_pinned_settings_may_be_repeated_but_not_changed():
    config = target(cpu={"min": "250m", "max": "4", "step": "125m", "pinned": True})
    live = {"app/requests/cpu": "500m", "app/limits/cpu": None}
    assert changes.refused(config, fields(config, ("main", "cpu", 0.5)), live) is None
    assert changes.refused(config, fields(config, ("main", "cpu", 1.0)), live) == "pinned: cpu"


def test_adjustments_that_a_message_speaks_of_are_named():
    fault = Fault("unschedulable", "0/1 nodes are available: 1 Insufficient memory.")
    given = [Adjustment(component_name="main", setting_name=name, value=9) for name in ("cpu", "mem")]
    assert changes.named_in(fault, given) == " (adjusted: main.mem=9)"


def workload(resources: Any = None, env: Any = None) -> dict[str, Any]:
    app = {"name": "app", "resources": resources or {}, "env": env or []}
    spec = {"containers": [app, {"name": "side"}]}
    return {"metadata": {"name": "web"}, "spec": {"replicas": 2, "template": {"spec": spec}}}


def test_components_tell_the_first_requirement_that_is_there():
    resources = {"requests": {"memory": "512Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}}
    main, side = components.workload_components(target(), workload(resources), scaled=False)
    assert main.get_setting("cpu").value == 2.0
    assert main.get_setting("mem").value == 0.5
    assert main.get_setting("replicas").value == 2
    assert (side.name, side.get_setting("cpu").value, side.get_setting("replicas")) == (
        "web/side",
        None,
        None,
    )


def test_variables_are_told_as_what_they_are():
    env = [{"name": "APP_THREADS", "value": "4"}, {"name": "MODE", "value": "3"}, {"name": "RATIO", "valueFrom": {"configMapKeyRef": {}}}]  # fmt: skip
    main, _ = components.workload_components(target(), workload(env=env), scaled=False)
    assert [main.get_setting(name).value for name in ("threads", "MODE", "RATIO")] == [
        4,
        3,
        "from configMapKeyRef",
    ]
    assert main.get_setting("RATIO").pinned
    main.__opsani_repr__()


def test_replicas_that_an_autoscaler_sets_are_pinned():
    main, _ = components.workload_components(target(), workload(), scaled=True)
    assert main.get_setting("replicas").pinned


def test_the_workload_beside_a_tuning_pod_is_pinned():
    main, _ = components.main_components(target("canary"), workload())
    assert all(setting.pinned for setting in main.settings)
    assert main.get_setting("replicas").max == 99_999


def test_a_tuning_pod_is_one_or_none():
    config = target({"type": "canary", "alias": "tuning"})
    tuning, side = components.tuning_components(config, workload(), exists=False)
    assert (tuning.name, tuning.get_setting("replicas").value, side.name) == ("tuning", 0, "tuning/side")
    assert not tuning.get_setting("cpu").pinned
