"""Fields are read from manifests, and written into them without touching anything else."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.kubernetes import manifests
from servo.connectors.kubernetes.manifests import ManifestError

WORKLOAD: dict[str, Any] = {
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "app",
                        "resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}},
                        "env": [
                            {"name": "A", "value": "1"},
                            {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                        ],
                    },
                    {"name": "side"},
                ]
            }
        },
    },
}
PATHS = [
    "replicas",
    "app/requests/cpu",
    "app/limits/cpu",
    "app/limits/memory",
    "app/env/A",
    "app/env/C",
    "side/requests/cpu",
]


def test_fields_are_read():
    assert manifests.read(WORKLOAD, PATHS) == {
        "replicas": 2,
        "app/requests/cpu": "500m",
        "app/limits/cpu": None,
        "app/limits/memory": "1Gi",
        "app/env/A": "1",
        "app/env/C": None,
        "side/requests/cpu": None,
    }


def test_a_variable_from_elsewhere_is_no_field_and_cannot_be_set():
    assert manifests.read(WORKLOAD, ["app/env/B"]) == {}
    with pytest.raises(ManifestError, match="valueFrom"):
        manifests.write(deepcopy(WORKLOAD), {"app/env/B": "x"})


def test_replicas_that_are_not_given_are_one():
    assert manifests.read({"spec": {"template": {"spec": {}}}}, ["replicas"]) == {"replicas": 1}


def test_a_missing_container_is_told_with_those_that_are_there():
    with pytest.raises(ManifestError, match="no container nope; there are: app, side"):
        manifests.read(WORKLOAD, ["nope/requests/cpu"])


def test_a_pod_is_written_as_its_template_is():
    pod = {"spec": deepcopy(WORKLOAD["spec"]["template"]["spec"])}
    manifests.write(pod, {"app/limits/cpu": "1"})
    assert manifests.read(pod, ["app/limits/cpu"]) == {"app/limits/cpu": "1"}


@pytest.mark.parametrize(
    ("path", "one", "other", "same"),
    [
        ("app/requests/cpu", "0.5", "500m", True),
        ("app/limits/memory", "1Gi", "1024Mi", True),
        ("app/limits/memory", "1Gi", "1G", False),
        ("app/limits/memory", None, "1G", False),
        ("app/env/A", "1.0", "1", False),
        ("app/env/A", "x", "x", True),
        ("replicas", 2, 3, False),
    ],
)
def test_values_are_compared_by_what_they_mean(path, one, other, same):
    assert manifests.same(path, one, other) is same


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "replicas": st.integers(0, 50),
        "app/requests/cpu": st.sampled_from([None, "250m", "1"]),
        "app/limits/cpu": st.sampled_from([None, "2"]),
        "app/limits/memory": st.sampled_from([None, "1Gi", "2Gi"]),
        "app/env/A": st.none() | st.text(max_size=5),
        "app/env/C": st.none() | st.text(max_size=5),
        "side/requests/cpu": st.sampled_from([None, "100m"]),
    },
)


@given(FIELDS)
def test_what_is_written_is_read_again_and_what_was_before_can_be_restored(fields):
    before = manifests.read(WORKLOAD, PATHS)
    changed = deepcopy(WORKLOAD)
    manifests.write(changed, fields)
    assert manifests.read(changed, PATHS) == before | fields
    manifests.write(changed, {path: before[path] for path in fields})
    assert manifests.read(changed, PATHS) == before
    untouched = changed["spec"]["template"]["spec"]["containers"][0]["env"]
    assert WORKLOAD["spec"]["template"]["spec"]["containers"][0]["env"][1] in untouched
