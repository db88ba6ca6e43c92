"""What a session ran on: numbers of one machine say little of another."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["machine_card"]


def machine_card() -> dict[str, str]:
    """Processor, memory, system and versions; nothing that names the user or the machine."""
    card = {
        "Processor": _processor(),
        "Cores": _cores(),
        "Memory": _memory(),
        "System": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "Trimtab": _version(),
    }
    return {name: text for name, text in card.items() if text}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _cores() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0
    total = os.cpu_count() or usable
    return str(usable) if usable == total else f"{usable} of {total}"


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return ""
    return f"{size / 2**30:.1f} GiB"


def _version() -> str:
    try:
        return version("trimtab")
    except PackageNotFoundError:
        return ""
