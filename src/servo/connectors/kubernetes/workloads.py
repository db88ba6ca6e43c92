"""What the status of a workload says: whether all its pods are new and ready, and if not, why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from servo.connectors.kubernetes import pods
from servo.connectors.kubernetes.manifests import Manifest
from servo.connectors.kubernetes.pods import Fault, name_of

__all__ = ["Look", "certain_fault", "fault", "is_behind", "newest_pods", "outstanding", "refusal"]

_REVISIONS = ("deployment.kubernetes.io/revision", "rollout.argoproj.io/revision")
_REVISION_LABEL = "controller-revision-hash"


@dataclass(frozen=True, slots=True)
class Look:
    """A workload at one time.

    Attributes:
        workload: Its manifest.
        pods: Those that its selector chooses.
        replica_sets: Those between it and its pods, for kinds that have them.
    """

    workload: Manifest
    pods: list[Manifest] = field(default_factory=list)
    replica_sets: list[Manifest] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """``Deployment``, ``StatefulSet`` or ``Rollout``."""
        return str(self.workload.get("kind", ""))


def refusal(workload: Mapping[str, Any]) -> Fault | None:
    """Return why adjusting a workload would have no effect, if so."""
    spec, name = workload["spec"], name_of(workload)
    if spec.get("paused"):
        return Fault(
            "paused", f"{name} is paused: its pods are not replaced until it is resumed", status="failed"
        )
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return Fault(
            "unsupported-strategy",
            f"{name} has the update strategy OnDelete: its pods are not replaced",
            status="failed",
        )
    if (strategy.get("rollingUpdate") or {}).get("partition"):
        return Fault(
            "unsupported-strategy",
            f"{name} has a partition: not all of its pods are replaced",
            status="failed",
        )
    if "template" not in spec:
        return Fault(
            "unsupported-strategy",
            f"{name} has no pod template of its own (workloadRef): adjust what it refers to",
            status="failed",
        )
    return None


def is_behind(workload: Mapping[str, Any]) -> bool:
    """Whether a workload's status is about what was before its last change."""
    seen = (workload.get("status") or {}).get("observedGeneration")
    return _number(seen) < int(workload["metadata"].get("generation", 0))


def outstanding(workload: Mapping[str, Any]) -> str | None:
    """Return what a workload still lacks to be ready with its newest template; None if it is."""
    status, spec = workload.get("status") or {}, workload["spec"]
    if is_behind(workload):
        return "its controller has not seen the change yet"
    if _under_way(workload.get("kind"), status):
        return "its pods are being replaced"
    desired = spec.get("replicas", 1)
    counts = {
        "updatedReplicas": "new",
        "readyReplicas": "ready",
        "availableReplicas": "available",
        "replicas": "there",
    }
    for key, word in counts.items():
        optional = key == "availableReplicas" and key not in status and workload.get("kind") == "StatefulSet"
        if not optional and (count := status.get(key) or 0) != desired:
            return f"{count} of {desired} pods are {word}"
    unavailable = status.get("unavailableReplicas") or 0
    return f"{unavailable} pods are not available" if unavailable else None


def _under_way(kind: str | None, status: Mapping[str, Any]) -> bool:
    if kind == "StatefulSet":
        return bool(status.get("currentRevision") != status.get("updateRevision"))
    return kind == "Rollout" and status.get("phase") not in {None, "Healthy"}


def newest_pods(look: Look) -> list[Manifest]:
    """Return the pods of the newest template that are not being deleted."""
    alive = [pod for pod in look.pods if not pod["metadata"].get("deletionTimestamp")]
    if look.kind == "StatefulSet":
        revision = (look.workload.get("status") or {}).get("updateRevision")
        return [
            pod for pod in alive if (pod["metadata"].get("labels") or {}).get(_REVISION_LABEL) == revision
        ]
    owned = [each for each in look.replica_sets if _owned(each, [look.workload])]
    newest = sorted(owned, key=_revision)[-1:]
    return [pod for pod in alive if _owned(pod, newest)]


def certain_fault(look: Look) -> Fault | None:
    """Return why a workload will not get ready however long one waits; None if it may yet."""
    if (found := _rollout_fault(look.workload)) is not None:
        return found
    if is_behind(look.workload):
        return None  # what it says is about what was before
    return _first(pods.certain_fault, newest_pods(look))


def fault(look: Look) -> Fault | None:
    """Return why a workload is not ready; None if nothing is wrong, or nothing that can be told."""
    newest = newest_pods(look)
    return (
        _condition_fault(look.workload, "ReplicaFailure", "True")
        or _first(pods.schedule_fault, newest)
        or _first(pods.pull_fault, newest)
        or _first(pods.restart_fault, newest)
        or _first(pods.start_fault, newest)
        or _condition_fault(look.workload, "Progressing", "False")
        or _rollout_fault(look.workload)
    )


def _first(judge: Any, of: Iterable[Manifest]) -> Fault | None:
    return next((found for pod in of if (found := judge(pod)) is not None), None)


def _condition_fault(workload: Manifest, kind: str, status: str) -> Fault | None:
    for each in (workload.get("status") or {}).get("conditions") or ():
        if each.get("type") == kind and each.get("status") == status:
            message = f"{name_of(workload)} cannot get ready (reason {each.get('reason')}) {each.get('message') or ''}"
            return Fault("start-failed", message.rstrip())
    return None


def _rollout_fault(workload: Manifest) -> Fault | None:
    status = workload.get("status") or {}
    if workload.get("kind") != "Rollout" or is_behind(workload):
        return None
    message = f"the rollout {name_of(workload)} is {str(status.get('phase')).lower()}: {status.get('message') or 'no reason given'}"
    if status.get("phase") == "Degraded":
        return Fault("start-failed", message)
    if status.get("phase") == "Paused":
        return Fault("paused", f"{message}; its steps wait for somebody to promote it", status="failed")
    return None


def _owned(manifest: Manifest, owners: Iterable[Manifest]) -> bool:
    uids = {owner["metadata"]["uid"] for owner in owners}
    return any(each.get("uid") in uids for each in manifest["metadata"].get("ownerReferences") or ())


def _revision(replica_set: Manifest) -> int:
    annotations = replica_set["metadata"].get("annotations") or {}
    return next((_number(annotations[key]) for key in _REVISIONS if key in annotations), 0)


def _number(value: Any) -> int:
    # Argo writes its generations as text.
    return int(value) if str(value).isdigit() else 0
