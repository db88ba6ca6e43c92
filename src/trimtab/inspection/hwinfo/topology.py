"""How many processors, and how they lie to each other and to memory; what memory there is."""

import posix

from trimtab.inspection.hwinfo.machine import Machine, integer, pairs

_CPU = "/sys/devices/system/cpu"
_NODE = "/sys/devices/system/node"
_KIB = 1024
_NODES = 1024
_THREADS = 4096


def topology(machine: Machine, found: "list[dict[str, str]]") -> "dict[str, object]":
    """Sockets, cores and threads of the host, its NUMA nodes, and which of them this process may use."""
    sockets, cores = _places(machine, found)
    threads = len(found) or len(_listed(machine.text(_CPU + "/online") or "")) or None
    return {
        "sockets": sockets,
        "cores": cores,
        "threads": threads,
        "threads_per_core": threads // cores if threads and cores else None,
        "smt": {"1": True, "0": False}.get(machine.text(_CPU + "/smt/active") or ""),
        "online": machine.text(_CPU + "/online"),
        "allowed": _allowed(),
        "numa_nodes": _nodes(machine),
        "governor": machine.text(_CPU + "/cpu0/cpufreq/scaling_governor"),
        "driver": machine.text(_CPU + "/cpu0/cpufreq/scaling_driver"),
        "boost": {"1": True, "0": False}.get(machine.text(_CPU + "/cpufreq/boost") or ""),
    }


def memory(machine: Machine) -> "dict[str, object]":
    """Bytes of the host's memory: in all, available at this moment, swap; and its pages."""
    told = pairs(machine.lines("/proc/meminfo"))
    pages = machine.text("/sys/kernel/mm/transparent_hugepage/enabled") or ""
    return {
        "total": _bytes(told.get("MemTotal")),
        "available": _bytes(told.get("MemAvailable")),
        "swap_total": _bytes(told.get("SwapTotal")),
        "page_size": _page_size(),
        "huge_page_size": _bytes(told.get("Hugepagesize")),
        "transparent_huge_pages": pages.partition("[")[2].partition("]")[0] or None,
    }


def _places(machine: Machine, found: "list[dict[str, str]]") -> "tuple[int | None, int | None]":
    if found and all("physical id" in entry and "core id" in entry for entry in found):
        places = {(entry["physical id"], entry["core id"]) for entry in found}
    else:  # many architectures tell it only here, a file each
        places = set()
        for number in _listed(machine.text(_CPU + "/online") or ""):
            place = _CPU + "/cpu" + str(number) + "/topology/"
            package, core = machine.text(place + "physical_package_id"), machine.text(place + "core_id")
            if package is not None and core is not None:
                places.add((package, core))
    return len({package for package, _ in places}) or None, len(places) or None


def _nodes(machine: Machine) -> "list[dict[str, object]]":
    nodes: list[dict[str, object]] = []
    for name in machine.names(_NODE)[:_NODES]:
        if name.startswith("node") and name[4:].isdigit():
            place = _NODE + "/" + name
            total = pairs(machine.lines(place + "/meminfo"))
            amount = next((value for key, value in total.items() if key.endswith("MemTotal")), None)
            nodes.append(
                {"node": int(name[4:]), "cpus": machine.text(place + "/cpulist"), "memory": _bytes(amount)}
            )
    return nodes


def _allowed() -> "int | None":
    try:
        return len(posix.sched_getaffinity(0))
    except (AttributeError, OSError):
        return None


def _page_size() -> "int | None":
    try:
        return posix.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _listed(text: str) -> "list[int]":
    """The numbers of a list as the kernel writes it: `0-3,8`."""
    numbers: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        low, high = integer(first), integer(last or first)
        if low is not None and high is not None:
            numbers.extend(range(low, min(high, low + _THREADS) + 1))
    return numbers[:_THREADS]


def _bytes(text: "str | None") -> "int | None":
    number, _, unit = (text or "").partition(" ")
    value = integer(number)
    return None if value is None else value * (_KIB if unit.strip() == "kB" else 1)
