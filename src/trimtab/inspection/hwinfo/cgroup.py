"""The control group of this process: its limits, and what it has used.

Version 2 has one hierarchy; version 1 one for each controller, and a hybrid of both is common. A container sees its
own group as the root of the mount, whatever name `/proc/self/cgroup` gives it.
"""

from trimtab.inspection.hwinfo.machine import Machine, integer, pairs

_UNLIMITED = 1 << 60  # version 1 says "no limit" by a number near the largest one
_DEPTH = 64
_NANOSECOND, _MICROSECOND = 1e-9, 1e-6


class Group:
    """Where the files of this process's group are.

    Args:
        machine: What to read.

    Attributes:
        version: 2 or 1, by where memory is accounted; None if there are no groups.
        paths: By controller, the directories from the group itself up to what can be seen of its ancestors;
            "" stands for all controllers of version 2.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.paths = _paths(machine)
        legacy, unified = "memory" in self.paths, "" in self.paths
        self.version = 1 if legacy else 2 if unified else None

    def directories(self, controller: str) -> "list[str]":
        """The directories of a controller, this group's first."""
        return self.paths.get(controller) or self.paths.get("", [])

    def first(self, controller: str, *names: str) -> "tuple[str | None, str | None]":
        """Path and text of the first file of these that the group has."""
        for directory in self.directories(controller)[:1]:
            for name in names:
                text = self.machine.text(directory + "/" + name, 65536)
                if text is not None:
                    return directory + "/" + name, text
        return None, None

    def alone(self, *processes: int) -> "bool | None":
        """Whether the group has no other processes than these; None if it cannot be told."""
        _, text = self.first("memory", "cgroup.procs")
        return None if text is None else set(text.split()) <= {str(number) for number in processes}


def limits(group: Group) -> "dict[str, object]":
    """The tightest limits of the group and its ancestors: cores, bytes, numbers of processes; None is no limit."""
    swap = _least(group, "memory", "memory.swap.max") if group.version == 2 else None  # noqa: PLR2004 - the version
    return {
        "version": group.version,
        "cpu": {
            "quota": _quota(group),
            "weight": integer(group.first("cpu", "cpu.weight", "cpu.shares")[1]),
            "cpuset": group.first("cpuset", "cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus")[
                1
            ],
        },
        "memory": {"limit": memory_limit(group), "swap_limit": swap},
        "pids": {"limit": _least(group, "pids", "pids.max")},
    }


def memory_limit(group: Group) -> "int | None":
    """Bytes the group may use; None: as many as there are."""
    return _least(group, "memory", "memory.max", "memory.limit_in_bytes")


def counters(group: Group) -> "dict[str, float | None]":
    """What the group has used since it was made: `usage`, `throttled` in seconds; `peak`, `current` in bytes."""
    stat = pairs((group.first("cpu", "cpu.stat")[1] or "").splitlines(), " ")
    events = pairs((group.first("memory", "memory.events", "memory.oom_control")[1] or "").splitlines(), " ")
    return {
        "usage": _usage(group, stat),
        "periods": integer(stat.get("nr_periods")),
        "throttled_periods": integer(stat.get("nr_throttled")),
        "throttled": _seconds(stat, "throttled_usec", "throttled_time"),
        "peak": integer(group.first("memory", "memory.peak", "memory.max_usage_in_bytes")[1]),
        "current": integer(group.first("memory", "memory.current", "memory.usage_in_bytes")[1]),
        "oom_kills": integer(events.get("oom_kill")),
    }


def _usage(group: Group, stat: "dict[str, str]") -> "float | None":
    if "usage_usec" in stat:
        return _seconds(stat, "usage_usec", "")
    nanoseconds = integer(group.first("cpuacct", "cpuacct.usage")[1])
    return None if nanoseconds is None else nanoseconds * _NANOSECOND


def _seconds(stat: "dict[str, str]", micro: str, nano: str) -> "float | None":
    microseconds, nanoseconds = integer(stat.get(micro)), integer(stat.get(nano))
    if microseconds is not None:
        return microseconds * _MICROSECOND
    return None if nanoseconds is None else nanoseconds * _NANOSECOND


def _quota(group: Group) -> "float | None":
    found = []
    for directory in group.directories("cpu"):
        text = group.machine.text(directory + "/cpu.max", 64)
        if text is None:
            legacy = [
                group.machine.text(directory + "/cpu.cfs_" + name + "_us", 64) for name in ("quota", "period")
            ]
            text = " ".join(part or "" for part in legacy)
        quota, _, period = text.partition(" ")
        allowed, each = integer(quota), integer(period)
        if allowed and each and allowed > 0:
            found.append(allowed / each)
    return min(found) if found else None


def _least(group: Group, controller: str, *names: str) -> "int | None":
    found = []
    for directory in group.directories(controller):
        for name in names:
            value = group.machine.integer(directory + "/" + name)
            if value is not None and 0 <= value < _UNLIMITED:
                found.append(value)
    return min(found) if found else None


def _paths(machine: Machine) -> "dict[str, list[str]]":
    mounts = _mounts(machine)
    found = {}
    for line in machine.lines("/proc/self/cgroup"):
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        for controller in names.split(","):
            if controller in mounts:
                found[controller] = _ancestry(machine, mounts[controller], path)
    return found


def _mounts(machine: Machine) -> "dict[str, tuple[str, str]]":
    """By controller: what of the hierarchy is mounted, and where."""
    found: dict[str, tuple[str, str]] = {}
    for line in machine.lines("/proc/self/mountinfo"):
        place, _, source = line.partition(" - ")
        fields, kind = place.split(" "), source.split(" ")
        if len(fields) < 5 or len(kind) < 3:  # noqa: PLR2004 - as proc(5) counts them
            continue
        where = (fields[3], fields[4].replace("\\040", " "))
        if kind[0] == "cgroup2":
            found.setdefault("", where)
        elif kind[0] == "cgroup":
            for controller in kind[2].split(","):
                found.setdefault(controller, where)
    return found


def _ancestry(machine: Machine, mount: "tuple[str, str]", path: str) -> "list[str]":
    root, where = mount
    below = path[len(root.rstrip("/")) :] if (path + "/").startswith(root.rstrip("/") + "/") else ""
    parts = [part for part in below.split("/") if part]
    if ".." in parts or not machine.exists("/".join([where, *parts])):
        parts = []  # named from outside of a namespace: what is mounted is the group itself
    return ["/".join([where, *parts[:count]]) for count in range(len(parts), -1, -1)][:_DEPTH]
