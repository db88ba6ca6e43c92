"""What the status of a pod says: whether it is ready, and if not, why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from servo.connectors.kubernetes.manifests import Manifest

__all__ = [
    "Fault",
    "certain_fault",
    "fault",
    "is_ready",
    "name_of",
    "pull_fault",
    "ready_since",
    "restart_fault",
    "start_fault",
]

_NEVER_PULLED = {"ErrImageNeverPull", "InvalidImageName"}
_NOT_PULLED = {"ImagePullBackOff", "ErrImagePull", "ImageInspectError", "RegistryUnavailable", *_NEVER_PULLED}
_NEVER_STARTED = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
_OUT_OF_MEMORY = "OOMKilled"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a target is not as it should be.

    Attributes:
        reason: A word for programs, as documented.
        message: A sentence for people.
        pod: Name of the pod it is about, if it is about one.
        container: Name of the container whose log tells more.
        status: `rejected` if the settings do not do; `failed` if it is not for the settings to say.
    """

    reason: str
    message: str
    pod: str | None = None
    container: str | None = None
    status: Literal["rejected", "failed"] = "rejected"


def name_of(manifest: Mapping[str, Any]) -> str:
    """Return the name of an object."""
    return str(manifest["metadata"]["name"])


def is_ready(pod: Manifest) -> bool:
    """Whether a pod runs, passes its probes and is not being deleted."""
    running = pod.get("status", {}).get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp")
    return running and _condition(pod, "Ready").get("status") == "True"


def ready_since(pod: Manifest) -> str | None:
    """Return since when a pod is ready, as the cluster writes it; None if it is not."""
    return str(_condition(pod, "Ready").get("lastTransitionTime")) if is_ready(pod) else None


def fault(pod: Manifest) -> Fault | None:
    """Return why a pod is not ready; None if it is."""
    return pull_fault(pod) or restart_fault(pod) or schedule_fault(pod) or start_fault(pod)


def certain_fault(pod: Manifest) -> Fault | None:
    """Return why a pod will not get ready however long one waits; None if it may yet."""
    for status in _containers(pod):
        waiting = _waiting(status)
        if waiting == "CrashLoopBackOff" or _ended(status).get("reason") == _OUT_OF_MEMORY:
            return _restarted(pod, status)
        if waiting in _NEVER_PULLED:
            return pull_fault(pod)
    return _ended_fault(pod)


def pull_fault(pod: Manifest) -> Fault | None:
    """Return that the image of a container cannot be had, if so."""
    for status in _containers(pod):
        if _waiting(status) in _NOT_PULLED:
            message = (
                f"the image {status.get('image')} of the container {status['name']} of pod {name_of(pod)} "
                f"cannot be had ({_waiting(status)}){_said(status)}"
            )
            return Fault("image-pull-failed", message, name_of(pod), status="failed")
    return None


def restart_fault(pod: Manifest) -> Fault | None:
    """Return that a container was started again, if so; or that the pod ended."""
    for status in _containers(pod):
        if int(status.get("restartCount") or 0) > 0:
            return _restarted(pod, status)
    return _ended_fault(pod)


def schedule_fault(pod: Manifest) -> Fault | None:
    """Return that no node takes a pod, if so."""
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        message = f"no node takes pod {name_of(pod)}: {scheduled.get('message') or 'no reason given'}"
        return Fault("unschedulable", message, name_of(pod))
    return None


def start_fault(pod: Manifest) -> Fault | None:
    """Return that a pod did not get ready, if so."""
    if is_ready(pod) or pod["metadata"].get("deletionTimestamp"):
        return None
    for status in _containers(pod):
        if _waiting(status) in _NEVER_STARTED:
            message = f"the container {status['name']} of pod {name_of(pod)} cannot be started ({_waiting(status)}){_said(status)}"
            return Fault("start-failed", message, name_of(pod))
    ready = _condition(pod, "Ready")
    why = f"(reason {ready.get('reason') or pod.get('status', {}).get('phase') or 'unknown'})"
    unready = next((status["name"] for status in _containers(pod) if not status.get("ready")), None)
    message = f"pod {name_of(pod)} is not ready {why} {ready.get('message') or ''}".rstrip()
    return Fault("start-failed", message, name_of(pod), unready)


def _restarted(pod: Manifest, status: Manifest) -> Fault:
    ended, count = _ended(status), int(status.get("restartCount") or 0)
    if ended.get("reason") == _OUT_OF_MEMORY:
        how = "was killed because it used more memory than its limit (OOMKilled)"
    elif ended:
        how = f"ended ({ended.get('reason') or 'Error'}, exit code {ended.get('exitCode')})"
    else:
        how = "ended"
    again = (
        f" and was started again {count} times" if count > 1 else " and was started again" if count else ""
    )
    message = f"the container {status['name']} of pod {name_of(pod)} {how}{again}"
    return Fault("unstable", message, name_of(pod), status["name"])


def _ended_fault(pod: Manifest) -> Fault | None:
    status = pod.get("status", {})
    if status.get("phase") not in {"Failed", "Succeeded"}:
        return None
    why = (
        ": ".join(str(status[key]) for key in ("reason", "message") if status.get(key))
        or "its containers ended"
    )
    return Fault("unstable", f"pod {name_of(pod)} is {status['phase'].lower()}: {why}", name_of(pod))


def _containers(pod: Manifest) -> Iterator[Manifest]:
    status = pod.get("status", {})
    groups: Iterable[Any] = (status.get("initContainerStatuses"), status.get("containerStatuses"))
    for group in groups:
        yield from group or ()


def _condition(pod: Manifest, kind: str) -> Manifest:
    conditions = pod.get("status", {}).get("conditions") or ()
    return next((each for each in conditions if each.get("type") == kind), {})


def _waiting(status: Manifest) -> str | None:
    reason: str | None = ((status.get("state") or {}).get("waiting") or {}).get("reason")
    return reason


def _ended(status: Manifest) -> Manifest:
    for key in ("state", "lastState"):
        if ended := (status.get(key) or {}).get("terminated"):
            return dict(ended)
    return {}


def _said(status: Manifest) -> str:
    message = ((status.get("state") or {}).get("waiting") or {}).get("message")
    return f": {message}" if message else ""
