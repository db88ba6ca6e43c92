"""What a tuning pod is made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from servo.connectors.kubernetes import manifests
from servo.connectors.kubernetes.configuration import TargetConfiguration
from servo.connectors.kubernetes.manifests import Fields, Manifest, container
from servo.connectors.kubernetes.record import Record

__all__ = [
    "LABELS",
    "TUNING_FOR",
    "fingerprint",
    "initial_fields",
    "is_tuning_pod",
    "only_resources",
    "resize_body",
    "tuning_name",
    "tuning_pod",
]

LABELS = {"opsani_role": "tuning"}
TUNING_FOR = "opsani.com/opsani_tuning_for"
_FINGERPRINT = "servo.trimtab/fingerprint"


def tuning_name(config: TargetConfiguration) -> str:
    """Return the name of the tuning pod of a workload."""
    return f"{config.name}-tuning"


def initial_fields(config: TargetConfiguration, workload: Manifest, paths: list[str]) -> Fields:
    """Return the fields of a new tuning pod: those of the workload's template, the configured ones over them."""
    fields = manifests.read(workload, paths)
    for each in config.containers:
        for resource, kind in (("cpu", each.cpu), ("memory", each.memory)):
            for group, value in (("requests", kind.request), ("limits", kind.limit)):
                if value is not None:
                    fields[f"{each.name}/{group}/{resource}"] = str(value)
        static = {
            f"{each.name}/env/{name}": value
            for name, value in (each.static_environment_variables or {}).items()
        }
        fields |= {path: value for path, value in static.items() if path in fields}
    return fields


def tuning_pod(
    config: TargetConfiguration,
    workload: Manifest,
    fields: Mapping[str, str | int | None],
    record: Record,
    owners: list[Any],
) -> Manifest:
    """Return the manifest of a tuning pod.

    Args:
        config: The target.
        workload: What the pod is like.
        fields: In what it differs.
        record: What it says of itself.
        owners: With whom it goes.

    Raises:
        ManifestError: A container is missing.
    """
    template = workload["spec"]["template"]
    metadata = deepcopy(template.get("metadata") or {})
    metadata.pop("creationTimestamp", None)
    pod: Manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **metadata,
            "name": tuning_name(config),
            "namespace": config.namespace,
            "labels": {**(metadata.get("labels") or {}), **LABELS},
            "annotations": {
                **(metadata.get("annotations") or {}),
                TUNING_FOR: f"{config.name}/{config.containers[0].name}",
            },
            "ownerReferences": owners,
        },
        "spec": deepcopy(template["spec"]),
    }
    for each in config.containers:
        _set_static(container(pod, each.name), each.static_environment_variables or {})
    manifests.write(pod, fields)
    pod["metadata"]["annotations"][_FINGERPRINT] = _digest(pod)
    record.put(pod)
    return pod


def _set_static(within: Manifest, variables: Mapping[str, str]) -> None:
    if variables:
        kept = [each for each in within.get("env") or () if each.get("name") not in variables]
        within["env"] = [*kept, *({"name": name, "value": value} for name, value in variables.items())]


def _digest(pod: Manifest) -> str:
    """Return what tells pods of different content apart; owners and resources, which can change, left out."""
    metadata = {key: value for key, value in pod["metadata"].items() if key != "ownerReferences"}
    spec = deepcopy(pod["spec"])
    for each in spec.get("containers") or ():
        each.pop("resources", None)
    text = json.dumps([metadata, spec], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def fingerprint(pod: Manifest) -> str:
    """Return what a pod was made of, apart from its resources; empty if it does not say."""
    return str((pod["metadata"].get("annotations") or {}).get(_FINGERPRINT, ""))


def is_tuning_pod(pod: Manifest) -> bool:
    """Whether a pod is one of ours, or of ServoX."""
    labels = pod["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in LABELS.items())


def only_resources(existing: Manifest, desired: Manifest) -> bool:
    """Whether two pods differ in the resources of their containers at most."""
    return bool(fingerprint(existing)) and fingerprint(existing) == fingerprint(desired)


def resize_body(existing: Manifest, desired: Manifest, names: list[str]) -> Manifest | None:
    """Return the patch that gives a running pod other resources; None if that cannot be without a restart.

    Args:
        existing: The pod.
        desired: What it shall be like.
        names: The containers that are adjusted.
    """
    patches = []
    for name in names:
        before, after = container(existing, name), container(desired, name)
        old, new = before.get("resources") or {}, after.get("resources") or {}
        if old == new:
            continue
        for group in ("requests", "limits"):
            if (old.get(group) or {}).keys() != (new.get(group) or {}).keys():
                return None  # what is there or not decides the class of the pod, which cannot change
        if any(each.get("restartPolicy") == "RestartContainer" for each in before.get("resizePolicy") or ()):
            return None
        patches.append({"name": name, "resources": new})
    return {"spec": {"containers": patches}} if patches else None
