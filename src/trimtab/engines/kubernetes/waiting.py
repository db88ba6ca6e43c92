"""Waiting for a container of a Job's pod: until it is started, until it is over."""

from functools import partial
from typing import Literal

from trimtab.engines.errors import BuildGoneError, EngineLostError, UnmetError
from trimtab.engines.kubernetes import status
from trimtab.engines.kubernetes.following import JobPod, Pod
from trimtab.engines.kubernetes.status import Trouble

__all__ = ["until_over", "until_started"]

_NEW = 60.0
"""Seconds in which a Job has a pod, or the cluster refuses it one."""


async def until_started(pod: JobPod, container: str, patience: float) -> None:
    """Wait until a container runs or ran, or its pod is lost.

    Args:
        pod: Of a Job.
        container: Which one.
        patience: Seconds that nodes and registries may refuse it.

    Raises:
        UnmetError: No node takes it, in the words of the scheduler.
        BuildGoneError: The registry has not its image.
        EngineLostError: There is no pod, its image cannot be had, or its container cannot be made.
    """
    if await pod.until(_is_there, _NEW) is None:
        raise EngineLostError(f"the cluster makes no pod: {await pod.events() or 'it does not say why'}")
    while isinstance(found := await pod.until(partial(_begins, container), None), Trouble):
        if found.certain or await pod.until(partial(_is_well, container), patience) is None:
            raise _refusal(status.trouble(pod.pod or {}) or found)


async def until_over(pod: JobPod, container: str, seconds: float | None) -> bool:
    """Wait until a container has ended or is lost; whether it is in that time."""
    return await pod.until(partial(_is_over, container), seconds) is not None


# What follows is asked by `JobPod.until`: with the pod as it is now, and whether it is gone.


def _is_there(pod: Pod | None, gone: bool) -> Literal[True] | None:  # noqa: FBT001 - see above
    return True if pod is not None or gone else None


def _begins(container: str, pod: Pod | None, gone: bool) -> Trouble | Literal[True] | None:  # noqa: FBT001 - see above
    if gone or pod is None or status.is_started(pod, container) or status.lost(pod, container, gone=gone):
        return True
    return status.trouble(pod)


def _is_well(container: str, pod: Pod | None, gone: bool) -> Literal[True] | None:  # noqa: FBT001 - see above
    """Whether nothing is said against it any more, or waiting is of no use."""
    found = _begins(container, pod, gone)
    return None if isinstance(found, Trouble) and not found.certain else True


def _is_over(container: str, pod: Pod | None, gone: bool) -> Literal[True] | None:  # noqa: FBT001 - see above
    if gone or (pod is not None and status.lost(pod, container, gone=gone) is not None):
        return True
    return True if pod is not None and status.ended(pod, container) is not None else None


def _refusal(seen: Trouble) -> Exception:
    if seen.kind == "unschedulable":
        return UnmetError("kubernetes", (seen.message,))
    return BuildGoneError(seen.message) if seen.kind == "image-gone" else EngineLostError(seen.message)
