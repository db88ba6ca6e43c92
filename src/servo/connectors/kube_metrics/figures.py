"""What is known of a pod at a moment, as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from servo.kubernetes import cpu_quantity, memory_quantity
from servo.types.core import Metric, Unit

__all__ = ["KubeMetric", "MetricError", "container_of", "figures", "unit_of"]

GIB = 1 << 30
_RESOURCES = {"cpu": "cpu", "mem": "memory"}


class KubeMetric(StrEnum):
    """The names of what can be measured: of the tuning pod, and of the workload's other pods."""

    TUNING_CPU_USAGE = "tuning_cpu_usage"
    TUNING_CPU_REQUEST = "tuning_cpu_request"
    TUNING_CPU_LIMIT = "tuning_cpu_limit"
    TUNING_CPU_SATURATION = "tuning_cpu_saturation"
    TUNING_MEM_USAGE = "tuning_mem_usage"
    TUNING_MEM_REQUEST = "tuning_mem_request"
    TUNING_MEM_LIMIT = "tuning_mem_limit"
    TUNING_MEM_SATURATION = "tuning_mem_saturation"
    TUNING_POD_RESTART_COUNT = "tuning_pod_restart_count"
    MAIN_CPU_USAGE = "main_cpu_usage"
    MAIN_CPU_REQUEST = "main_cpu_request"
    MAIN_CPU_LIMIT = "main_cpu_limit"
    MAIN_CPU_SATURATION = "main_cpu_saturation"
    MAIN_MEM_USAGE = "main_mem_usage"
    MAIN_MEM_REQUEST = "main_mem_request"
    MAIN_MEM_LIMIT = "main_mem_limit"
    MAIN_MEM_SATURATION = "main_mem_saturation"
    MAIN_POD_RESTART_COUNT = "main_pod_restart_count"

    @property
    def needs_usage(self) -> bool:
        """Whether the metrics API is asked for it; the rest is in the pods themselves."""
        return self.endswith(("_usage", "_saturation"))

    @property
    def metric(self) -> Metric:
        """It, as a metric: saturation in percent, memory in GiB and CPU in cores, whose unit the original left empty."""
        return Metric(self.value, unit_of(self.value))


class MetricError(ValueError):
    """A pod has several containers, and none was chosen, or not the one that was."""


def unit_of(name: str) -> Unit:
    """Return a metric's unit, as the original's optimizers know it."""
    return Unit.percentage if name.endswith("_saturation") else Unit.float


def container_of(spec: Mapping[str, Any], name: str | None) -> Mapping[str, Any]:
    """Return the container that is measured.

    Args:
        spec: Of a pod, or of a workload's template.
        name: Of the container; None where there is one only.

    Raises:
        MetricError: There is none of this name, or several and no name.
    """
    containers = spec["containers"]
    found = [each for each in containers if name is None or each["name"] == name]
    if len(found) == 1:
        return found[0]  # type: ignore[no-any-return]  # objects are what the API gives
    names = ", ".join(each["name"] for each in containers)
    raise MetricError(f"there is no container {name!r}" if name else "there are several containers", names)


def figures(
    pod: Mapping[str, Any], usage: Mapping[str, Any] | None, container: str | None
) -> dict[str, float]:
    """Return what is known of a pod, by the part of the metric's name after ``main_`` or ``tuning_``.

    Args:
        pod: The pod.
        usage: What the metrics API says of it, if it says anything.
        container: Which container; None where there is one only.

    Raises:
        MetricError: There is no such container.
        ValueError: A quantity is none.
    """
    chosen = container_of(pod["spec"], container)
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    found = dict(_resources(_in_force(chosen, statuses), _usage(usage, chosen["name"])))
    if statuses:
        found["pod_restart_count"] = float(sum(each["restartCount"] for each in statuses))
    return found


def _in_force(container: Mapping[str, Any], statuses: Any) -> Mapping[str, Any]:
    """Return the container's resources: those it has, where the kubelet tells (after a resize they follow what was asked)."""
    for status in statuses:
        if status["name"] == container["name"] and status.get("resources"):
            return status["resources"]  # type: ignore[no-any-return]  # objects are what the API gives
    return container.get("resources") or {}


def _usage(usage: Mapping[str, Any] | None, container: str) -> Mapping[str, str]:
    for each in (usage or {}).get("containers") or ():
        if each["name"] == container:
            return each["usage"]  # type: ignore[no-any-return]  # objects are what the API gives
    return {}


def _resources(resources: Mapping[str, Any], usage: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for short, resource in _RESOURCES.items():
        used, request, limit = (
            _number(resource, source)
            for source in (usage, resources.get("requests"), resources.get("limits"))
        )
        for kind, value in (("usage", used), ("request", request), ("limit", limit)):
            if value is not None:
                yield f"{short}_{kind}", value
        of = request or limit
        if used is not None and of:
            yield f"{short}_saturation", 100 * used / of


def _number(resource: str, source: Mapping[str, str] | None) -> float | None:
    text = (source or {}).get(resource)
    if text is None:
        return None
    return float(cpu_quantity(text)) if resource == "cpu" else memory_quantity(text) / GIB
