"""What the status of a pod says of a container that we started in it: values without I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from trimtab.engines.verdict import Verdict, exited

__all__ = ["Trouble", "ended", "is_started", "lost", "trouble", "verdict"]

_KILLED = 137
_NEVER_PULLED = frozenset({"ErrImageNeverPull", "InvalidImageName"})
_NOT_PULLED = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable", *_NEVER_PULLED}
)
_NOT_MADE = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_NOT_STARTED = frozenset({"ContainerCannotRun", "StartError"})
_GONE = ("not found", "manifest unknown", "name unknown")
_MAX = 2000


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a pod does not start.

    Attributes:
        kind: `unschedulable`: no node takes it. `image-gone`: the registry has no such image. `image`: it cannot be had. `start`: its
            container cannot be made.
        message: The cluster's words.
        certain: Whether waiting will not help.
    """

    kind: Literal["unschedulable", "image-gone", "image", "start"]
    message: str
    certain: bool = False


def is_started(pod: Mapping[str, Any], container: str) -> bool:
    """Whether a container runs, or ran."""
    state = _status(pod, container).get("state") or {}
    return "running" in state or "terminated" in state


def ended(pod: Mapping[str, Any], container: str) -> dict[str, Any] | None:
    """How a container ended, as the API tells it; None: it did not, or nobody knows."""
    state = _status(pod, container).get("state") or {}
    found: dict[str, Any] | None = state.get("terminated")
    return found


def trouble(pod: Mapping[str, Any]) -> Trouble | None:
    """Why a pod does not start; None: nothing is said against it."""
    found = [each for each in map(_waits, _all(pod)) if each is not None]
    if (
        found
    ):  # of two containers of one image, the kubelet asks the registry for one, and says why of that alone
        return next((each for each in found if each.certain), found[0])
    for condition in _status_of(pod).get("conditions") or ():
        if condition.get("reason") == "Unschedulable" and condition.get("status") == "False":
            return Trouble("unschedulable", f"no node takes it: {str(condition.get('message'))[:_MAX]}")
    return None


def _waits(container: Mapping[str, Any]) -> Trouble | None:
    waiting = (container.get("state") or {}).get("waiting") or {}
    reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))[:_MAX]
    if reason in _NOT_PULLED:
        gone = any(word in message.lower() for word in _GONE)
        said = f"the image {container.get('image')} cannot be had ({reason}): {message}"
        return Trouble("image-gone" if gone else "image", said, gone or reason in _NEVER_PULLED)
    if reason in _NOT_MADE:
        said = f"the container {container.get('name')} cannot be started ({reason}): {message}"
        return Trouble("start", said)
    return None


def lost(pod: Mapping[str, Any] | None, container: str, *, gone: bool) -> str | None:
    """Why the infrastructure lost a container that had not ended, or that was ended because its pod was deleted; None: it did not."""
    end = None if pod is None else ended(pod, container)
    if pod is None or (end is not None and not gone and not _ended_by_deletion(pod, end)):
        return "its pod was deleted before it was seen" if gone else None
    status = _status_of(pod)
    if status.get("phase") == "Failed" and not end:
        words = [str(status[key]) for key in ("reason", "message") if status.get(key)]
        return f"the cluster ended its pod: {': '.join(words)[:_MAX] or 'it did not say why'}"
    if gone or pod["metadata"].get("deletionTimestamp"):
        node = (pod.get("spec") or {}).get("nodeName")
        where = f" from the node {node}, which may be gone" if node else ""
        return f"its pod was deleted{where}"
    if status.get("phase") == "Unknown":
        return f"its node does not answer: {str(status.get('reason'))[:_MAX]}"
    return None


def _ended_by_deletion(pod: Mapping[str, Any], end: Mapping[str, Any]) -> bool:
    """Whether a container ended after somebody asked for the deletion of its pod, which is the grace period before its time."""
    metadata = pod["metadata"]
    if not metadata.get("deletionTimestamp"):
        return False
    grace = timedelta(seconds=int(metadata.get("deletionGracePeriodSeconds") or 0))
    asked = datetime.fromisoformat(str(metadata["deletionTimestamp"])) - grace
    finished = end.get("finishedAt")
    return finished is None or datetime.fromisoformat(str(finished)) >= asked


def verdict(pod: Mapping[str, Any], container: str, disk: int) -> Verdict:
    """How a container ended, by the words of the kubelet.

    Args:
        pod: Whose container it is; it has ended.
        container: Which one.
        disk: Bytes that it was allowed to write.
    """
    end = ended(pod, container) or {}
    code, reason = int(end.get("exitCode", 0)), str(end.get("reason", ""))
    message = str(end.get("message", "")).strip()[:_MAX]
    status = _status_of(pod)
    if status.get("reason") == "Evicted":
        said = str(status.get("message", ""))[:_MAX]
        if "ephemeral" in said or "emptyDir" in said.replace("EmptyDir", "emptyDir"):
            note = f"it was ended for having written more than {disk} bytes to disk ({said})"
            return exited(code, notes=(note,))
        return Verdict(None, lost=f"the node evicted its pod: {said}")
    if reason in _NOT_STARTED:
        return exited(code, notes=(f"it could not be started: {message}",))
    if reason == "OOMKilled" and code != _KILLED:
        return exited(code, notes=("the memory limit killed a process of it",))
    return exited(code, oom_killed=reason == "OOMKilled")


def _status(pod: Mapping[str, Any], container: str) -> dict[str, Any]:
    return next((each for each in _all(pod) if each.get("name") == container), {})


def _all(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    status = _status_of(pod)
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _status_of(pod: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod.get("status") or {}
    return found
