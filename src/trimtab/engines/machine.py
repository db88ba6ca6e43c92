"""What this machine has, held against what is asked of it. A wish is met or refused, never silently ignored."""

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from trimtab.engines.request import Resources

__all__ = ["unmet"]

_CPUINFO = Path("/proc/cpuinfo")
_MEMINFO = Path("/proc/meminfo")
_WORD = re.compile(r"[A-Za-z0-9]+")


def unmet(*asked: Resources | None, gpus: bool = False) -> tuple[str, ...]:
    """Why this machine cannot give these resources; nothing, if it can.

    Args:
        asked: What is asked, by a build, by a run; None: nothing.
        gpus: Whether the engine can give GPUs.
    """
    reasons = [reason for each in asked if each is not None for reason in _unmet(each, gpus=gpus)]
    return tuple(dict.fromkeys(reasons))


def _unmet(resources: Resources, *, gpus: bool) -> list[str]:
    reasons = [*_amounts(resources), *_hardware(resources.hardware)]
    if resources.gpus and not gpus:
        reasons.append("there is no GPU that could be given to a run")
    if resources.node_selector:
        reasons.append("node selectors are for a cluster, and this is one machine")
    return reasons


def _amounts(resources: Resources) -> list[str]:
    reasons = []
    cores, memory = os.cpu_count() or 1, _memory()
    if resources.cpu <= 0 or resources.memory <= 0:
        reasons.append("CPU and memory must be more than nothing")
    if resources.cpu > cores:
        reasons.append(f"{resources.cpu:g} cores are asked for, and this machine has {cores}")
    if memory and resources.memory > memory:
        reasons.append(f"{resources.memory} bytes of memory are asked for, and this machine has {memory}")
    return reasons


def _hardware(wanted: Mapping[str, str]) -> list[str]:
    known = _processor()
    reasons = []
    for key, value in wanted.items():
        found = known.get(key.lower())
        if found is None:
            reasons.append(f"this machine does not tell its {key}")
        elif _words(found) != _words(str(value)):
            reasons.append(f"{key} {value!r} is asked for, and this machine has {found!r}")
    return reasons


def _words(text: str) -> str:
    # A processor's name is written as a label in a specification: `Intel-Xeon-…` for `Intel Xeon …`.
    return "-".join(_WORD.findall(text)).lower()


@cache
def _processor() -> dict[str, str]:
    fields = _fields(_CPUINFO)
    names = {"cpu family": "cpu_family", "model": "cpu_model", "model name": "processor"}
    found = {name: fields[key] for key, name in names.items() if key in fields}
    if cores := _cores():
        found["physical_cpus"] = str(cores)
    return found


def _cores() -> int | None:
    """Cores that are there: the threads of one are counted once, where the kernel tells them apart."""
    sockets: set[tuple[str, str]] = set()
    for block in _text(_CPUINFO).split("\n\n"):
        fields = _parsed(block)
        if "core id" in fields:
            sockets.add((fields.get("physical id", ""), fields["core id"]))
    return len(sockets) or os.cpu_count()


@cache
def _memory() -> int:
    total = _fields(_MEMINFO).get("MemTotal", "0 kB").split()
    return int(total[0]) * 1024


def _fields(path: Path) -> dict[str, str]:
    return _parsed(_text(path))


def _text(path: Path) -> str:
    """What a file of the kernel's says; nothing, where the kernel is another."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _parsed(text: str) -> dict[str, str]:
    """The first value of each key of `key: value` lines."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        found.setdefault(key.strip(), value.strip())
    return found
