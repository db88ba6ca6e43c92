"""Under which conditions a run was made: what a difference may come from beside what was changed."""

from collections.abc import Mapping
from typing import Any

__all__ = ["CONDITIONS", "conditions"]

CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "CPU limit": ("cgroup", "cpu", "quota"),
    "CPU set": ("cgroup", "cpu", "cpuset"),
    "memory limit": ("cgroup", "memory", "limit"),
    "container": ("hwinfo", "virtualization", "container"),
    "hypervisor": ("hwinfo", "virtualization", "hypervisor"),
    "kernel": ("hwinfo", "platform", "release"),
    "processors it may use": ("hwinfo", "topology", "allowed"),
    "CPU governor": ("hwinfo", "topology", "governor"),
    "run wrapper": ("wrapper", "name"),
}
"""Where a result document tells each."""
_UNLIMITED = "none"


def conditions(document: Mapping[str, Any]) -> dict[str, str]:
    """The conditions that a document tells, in words; what it has no place for is left out, as in documents of old."""
    found = {}
    for name, (*path, last) in CONDITIONS.items():
        place: Any = document
        for key in path:
            place = place.get(key) if isinstance(place, Mapping) else None
        if isinstance(place, Mapping) and last in place:
            found[name] = _UNLIMITED if place[last] is None else str(place[last])[:100]
    return found
