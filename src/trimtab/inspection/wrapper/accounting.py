"""What a run has cost, by its control group's account and by the kernel's of pressure."""

from trimtab.inspection.hwinfo.cgroup import Group, counters, limits
from trimtab.inspection.hwinfo.machine import integer

_RESOURCES = ("cpu", "memory", "io")
_MICROSECOND = 1e-6


class Accounting:
    """Reads the counters when it is made, and again when it is asked; the difference is the run's.

    Args:
        group: The control group of this process.
        pids: This process.
    """

    def __init__(self, group: Group, *pids: int) -> None:
        self._machine = group.machine
        self._group = group
        self._alone = self._group.alone(*pids)
        self._before = counters(self._group)
        self._sources = {name: _pressure_file(self._group, name) for name in _RESOURCES}
        self._stalled = self._stalls()

    def cgroup(self) -> "dict[str, object]":
        """Limits and what was used under them. Cores, seconds, bytes.

        `peak` is since the group was made, which is the run's own where `alone` is true: the group was the run's only.
        """
        after, bounds = counters(self._group), limits(self._group)
        memory: dict[str, object] = {
            "limit": _of(bounds["memory"], "limit"),
            "swap_limit": _of(bounds["memory"], "swap_limit"),
            "peak": after["peak"],
            "before": self._before["current"],
            "oom_kills": self._difference(after, "oom_kills"),
        }
        cpu = {
            name: self._difference(after, name)
            for name in ("usage", "periods", "throttled_periods", "throttled")
        }
        return {
            "version": bounds["version"],
            "alone": self._alone,
            "memory": memory,
            "cpu": dict(cpu, quota=_of(bounds["cpu"], "quota"), cpuset=_of(bounds["cpu"], "cpuset")),
            "pids": bounds["pids"],
        }

    def pressure(self) -> "dict[str, object]":
        """Seconds in which some, and in which all of the tasks waited for a resource, during the run."""
        now = self._stalls()
        return {name: _less(now[name], self._stalled[name]) for name in _RESOURCES}

    def provenance(self) -> "dict[str, str]":
        """Where the figures are from."""
        told = {"pressure." + name: path for name, path in self._sources.items() if path}
        memory = self._group.first("memory", "memory.peak", "memory.max_usage_in_bytes")[0]
        cpu = self._group.first("cpu", "cpu.stat")[0]
        told.update(
            {name: path for name, path in (("cgroup.memory.peak", memory), ("cgroup.cpu", cpu)) if path}
        )
        return told

    def _difference(self, after: "dict[str, float | None]", name: str) -> "float | None":
        before, now = self._before[name], after[name]
        if before is None or now is None:
            return None
        return round(now - before, 9) if isinstance(now, float) else now - before

    def _stalls(self) -> "dict[str, dict[str, float]]":
        return {
            name: _stalled(self._machine.lines(path, 4096)) if path else {}
            for name, path in self._sources.items()
        }


def _pressure_file(group: Group, name: str) -> "str | None":
    """The group's own, of version 2, or the whole system's."""
    for directory in group.paths.get("", [])[:1]:
        if group.machine.text(directory + "/" + name + ".pressure", 4096):
            return directory + "/" + name + ".pressure"
    path = "/proc/pressure/" + name
    return path if group.machine.text(path, 4096) else None


def _stalled(lines: "list[str]") -> "dict[str, float]":
    """Seconds by `some` and `full`, of lines such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=17`."""
    found = {}
    for line in lines:
        kind, _, rest = line.partition(" ")
        total = integer(rest.rpartition("total=")[2])
        if total is not None:
            found[kind] = total * _MICROSECOND
    return found


def _less(now: "dict[str, float]", before: "dict[str, float]") -> "dict[str, float] | None":
    return {kind: round(now[kind] - before.get(kind, 0.0), 6) for kind in now} or None


def _of(values: object, name: str) -> object:
    return values.get(name) if isinstance(values, dict) else None
