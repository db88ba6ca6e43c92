"""Control groups: limits of memory, CPU and processes that hold for all of a run together.

Both versions, and machines that have both. What can be had is found by trying: a directory is made and removed.
"""

import os
import secrets
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from trimtab.engines.request import Resources

__all__ = ["Groups", "out_of_memory", "remove_group"]

_CONTROLLERS = ("memory", "cpu", "pids")
_PERIOD = 100_000
_LEAST_QUOTA = 1000
_PROC = Path("/proc/self")


@dataclass(frozen=True, slots=True)
class Groups:
    """Where control groups can be made.

    Attributes:
        parents: Directory by controller.
        version: `1` or `2`.
    """

    parents: Mapping[str, Path] = field(default_factory=dict)
    version: int = 0

    @classmethod
    def find(cls) -> "Groups":
        """Look which controllers this process may use."""
        mounts = list(_mounts())
        own = _own_paths()
        second = next((mount for kind, mount, _ in mounts if kind == "cgroup2"), None)
        if second and (found := _second(second, own.get("", "/"))):
            return cls(found, 2)
        first = {name: mount for kind, mount, names in mounts if kind == "cgroup" for name in names}
        found = {
            name: path
            for name in _CONTROLLERS
            if name in first and _works(path := first[name] / own.get(name, "/").lstrip("/"))
        }
        return cls(found, 1) if found else cls()

    def how(self, controller: str) -> str | None:
        """How a limit is enforced, in a word."""
        return f"cgroup v{self.version}" if controller in self.parents else None

    def make(self, name: str, resources: Resources, pids: int) -> tuple[str, ...]:
        """Make the groups of one run, with its limits.

        Args:
            name: Of their directories; something random is added.
            resources: The limits.
            pids: How many processes and threads there may be.

        Returns:
            Their directories.

        Raises:
            OSError: It cannot be done after all; nothing is left behind.
        """
        made: list[Path] = []
        directory = f"{name}-{secrets.token_hex(4)}"
        try:
            for controller, parent in self.parents.items():
                path = parent / directory
                if path not in made:
                    path.mkdir()
                    made.append(path)
                self._limit(controller, path, resources, pids)
        except OSError:
            for path in made:
                path.rmdir()
            raise
        return tuple(map(os.fspath, made))

    def _limit(self, controller: str, path: Path, resources: Resources, pids: int) -> None:
        quota = max(int(resources.cpu * _PERIOD), _LEAST_QUOTA)
        match controller, self.version:
            case "memory", 2:
                (path / "memory.max").write_text(str(resources.memory))
                _if_there(path / "memory.swap.max", "0")
            case "memory", _:
                (path / "memory.limit_in_bytes").write_text(str(resources.memory))
                _if_there(path / "memory.memsw.limit_in_bytes", str(resources.memory))
                _if_there(path / "memory.swappiness", "0")
            case "cpu", 2:
                (path / "cpu.max").write_text(f"{quota} {_PERIOD}")
            case "cpu", _:
                (path / "cpu.cfs_period_us").write_text(str(_PERIOD))
                (path / "cpu.cfs_quota_us").write_text(str(quota))
            case "pids", _:
                (path / "pids.max").write_text(str(pids))


def out_of_memory(statistics: Mapping[str, str]) -> bool:
    """Whether the memory limit killed a process, by the files of a group."""
    for name in ("memory.events", "memory.oom_control"):
        for line in statistics.get(name, "").splitlines():
            key, _, value = line.partition(" ")
            if key == "oom_kill" and value.strip() not in {"", "0"}:
                return True
    return False


def remove_group(path: Path, seconds: float = 5.0) -> bool:
    """Kill all in a group, and remove it; False if that did not work in time."""
    deadline = time.monotonic() + seconds
    while path.exists():
        with suppress(OSError, ValueError):
            for pid in (path / "cgroup.procs").read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        with suppress(OSError):
            path.rmdir()
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _second(mount: Path, own: str) -> dict[str, Path]:
    """The nearest group above this process that may have children with all our controllers."""
    path = mount / own.lstrip("/")
    for candidate in (path, *path.parents):
        if not candidate.is_relative_to(mount):
            break
        for controller in _CONTROLLERS:  # root may hand them down, where only other groups are below
            with suppress(OSError):
                (candidate / "cgroup.subtree_control").write_text(f"+{controller}")
        with suppress(OSError):
            handed_down = (candidate / "cgroup.subtree_control").read_text().split()
            found = [name for name in _CONTROLLERS if name in handed_down]
            if "memory" in found and _works(candidate):
                return dict.fromkeys(found, candidate)
    return {}


def _works(parent: Path) -> bool:
    probe = parent / f"trimtab-probe-{secrets.token_hex(4)}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


def _if_there(path: Path, text: str) -> None:
    with suppress(FileNotFoundError):
        path.write_text(text)


def _mounts() -> Iterator[tuple[str, Path, list[str]]]:
    """Kind, mount point and options of each hierarchy."""
    for line in _lines(_PROC / "mountinfo"):
        before, _, after = line.partition(" - ")
        kind, *rest = after.split()
        if kind in {"cgroup", "cgroup2"}:
            yield kind, Path(before.split()[4]), rest[-1].split(",")


def _own_paths() -> dict[str, str]:
    """The group of this process by controller; of version 2 by the empty name."""
    found: dict[str, str] = {}
    for line in _lines(_PROC / "cgroup"):
        _, names, path = line.split(":", 2)
        found |= dict.fromkeys(names.split(","), path)
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []
