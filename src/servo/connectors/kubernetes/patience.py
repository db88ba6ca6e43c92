"""Waiting until a target is ready, and that it stays so."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from servo.connectors.kubernetes import pods
from servo.connectors.kubernetes.pods import Fault
from servo.connectors.kubernetes.views import View
from servo.connectors.kubernetes.workloads import Look
from servo.kubernetes import KubernetesError

__all__ = ["Guard", "Tell", "UnfitError", "stay_ready", "until_ready"]

_INTERVAL = 3.0
"""Seconds after which is looked though nothing was heard."""

Guard = Callable[[Look], None]
"""Raises if a target is not what it was made to be."""
Tell = Callable[[str, float], None]
"""Told what is waited for, and how much of the time has passed, in percent."""


class UnfitError(RuntimeError):
    """A target is not ready with its settings, or does not stay so.

    Args:
        fault: Why.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


async def until_ready(view: View, seconds: float, guard: Guard, tell: Tell) -> Look:
    """Wait until a target is ready, and return it.

    Raises:
        UnfitError: It is not in so many seconds, or will never be.
    """
    began = time.monotonic()
    async with view.watching() as wake:
        while True:
            left = began + seconds - time.monotonic()
            look, lacks = await _looked(view, left)
            if look is not None:
                guard(look)
                if (outstanding := view.outstanding(look)) is None:
                    return look
                lacks = outstanding
                if (fault := view.certain_fault(look)) is not None:
                    raise UnfitError(fault)
            if left <= 0:
                raise UnfitError(_late(view, look, lacks, seconds))
            tell(lacks, 100.0 * (1 - left / seconds))
            await wake.wait(min(left, _INTERVAL))


async def stay_ready(view: View, seconds: float, guard: Guard, tell: Tell, *, scaled: bool) -> None:
    """Wait for some time in which a target stays ready and none of its containers is started again.

    Args:
        view: The target.
        seconds: How long.
        guard: See there.
        tell: See there.
        scaled: Whether an autoscaler may add pods meanwhile, which are not ready at once.

    Raises:
        UnfitError: It did not.
    """
    began = time.monotonic()
    known: dict[str, str | None] = {}
    async with view.watching() as wake:
        while True:
            left = began + seconds - time.monotonic()
            look, _ = await _looked(view, left)
            if look is not None:
                guard(look)
                known = known or {pod["metadata"]["uid"]: pods.ready_since(pod) for pod in view.pods(look)}
                if (fault := _unsettled(view, look, known, scaled=scaled)) is not None:
                    raise UnfitError(fault)
            if left <= 0:
                return
            tell("settling", 100.0 * (1 - left / seconds))
            await wake.wait(min(left, _INTERVAL))


def _unsettled(view: View, look: Look, known: dict[str, str | None], *, scaled: bool) -> Fault | None:
    for pod in view.pods(look):
        if (fault := pods.restart_fault(pod)) is not None:
            return fault
        uid = pod["metadata"]["uid"]
        if uid in known and pods.ready_since(pod) != known[uid]:
            message = f"pod {pods.name_of(pod)} did not stay ready"
            return _unstable(pods.start_fault(pod)) or Fault("unstable", message, pods.name_of(pod))
    lacks = view.outstanding(look)
    if lacks is None or scaled:
        return None
    return _unstable(view.fault(look)) or Fault("unstable", f"it did not stay ready: {lacks}")


def _unstable(fault: Fault | None) -> Fault | None:
    return (
        replace(fault, reason="unstable") if fault is not None and fault.reason == "start-failed" else fault
    )


async def _looked(view: View, left: float) -> tuple[Look | None, str]:
    try:
        return await view.look(), ""
    except KubernetesError as error:
        if left <= 0 or not error.transient:
            raise
        return None, f"the cluster does not answer: {error}"


def _late(view: View, look: Look | None, lacks: str, seconds: float) -> Fault:
    fault = None if look is None else view.fault(look)
    return fault or Fault("start-failed", f"it did not get ready within {seconds:g} s: {lacks}")
