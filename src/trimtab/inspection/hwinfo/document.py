"""The hardware document: four keys as of old, and what they do not tell."""

import posix

from trimtab.inspection.hwinfo.cgroup import Group, limits
from trimtab.inspection.hwinfo.devices import gpus, virtualization
from trimtab.inspection.hwinfo.machine import Machine
from trimtab.inspection.hwinfo.processor import architecture, cpu_features, cpu_info, processors
from trimtab.inspection.hwinfo.processor_type import cpu_type
from trimtab.inspection.hwinfo.topology import memory, topology


def document(machine: "Machine | None" = None, group: "Group | None" = None) -> "dict[str, object]":
    """What the hardware is that this process runs on; what cannot be told is null.

    Keys: `cpu_info`, `cpu_features`, `cpu_type`, `platform` with the sub-keys of documents of old; and `memory`,
    `gpus`, `topology`, `virtualization`, `cgroup`. Bytes, Hz and cores.

    Args:
        machine: Where to read; this machine, if not given.
        group: This process's control group, if it was looked for before.
    """
    machine = machine or Machine()
    found = processors(machine)
    name = posix.uname().machine
    bits = architecture(name)[1]
    return {
        "cpu_info": cpu_info(machine, found, name),
        "cpu_features": cpu_features(machine, found),
        "cpu_type": cpu_type(found, bits),
        "platform": platform(),
        "memory": memory(machine),
        "gpus": gpus(machine),
        "topology": topology(machine, found),
        "virtualization": virtualization(machine, found),
        "cgroup": limits(group or Group(machine)),
    }


def platform() -> "dict[str, object]":
    """What kernel this is; the names of Python's module, which takes ten times as long to import as this to ask."""
    told = posix.uname()
    bits = architecture(told.machine)[1]
    return {
        "architecture": [f"{bits}bit" if bits else "", "ELF"],
        "machine": told.machine,
        "node": told.nodename,
        "platform": f"{told.sysname}-{told.release}-{told.machine}-with-{_libc()}",
        "processor": told.machine,
        "release": told.release,
        "version": told.version,
    }


def _libc() -> str:
    try:
        named = posix.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        named = ""
    return named.replace(" ", "") or "libc"
