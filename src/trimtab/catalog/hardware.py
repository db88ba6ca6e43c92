"""Kinds of machines: when two runs were on the same one, as far as its document tells."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from trimtab.catalog.values import at, integer, number, standard, text

__all__ = ["hardware_digest", "hardware_values"]

GIB = 1 << 30
# What a document says of the machine, and not of this run on it: no node's name, no kernel, no clock at this moment.
FACTS = (
    *(
        ("cpu_info", name)
        for name in ("arch", "bits", "brand_raw", "count", "family", "model", "stepping", "vendor_id_raw")
    ),
    *(("cpu_features", f"{level}_cache_size") for level in ("l1_data", "l1_instruction", "l2", "l3")),
    ("cpu_type", "ncpus"),
    *(("topology", name) for name in ("sockets", "cores", "threads", "smt")),
    ("virtualization", "hypervisor"),
)
GPU = ("vendor", "name", "memory", "device")


def hardware_digest(document: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of what tells one kind of machine from another.

    Two machines of one kind have the same; so has a machine after a restart or an update of its kernel, unless that
    changes which features its processor shows.

    Args:
        document: The hardware document of a run, also one of the original's.
    """
    facts = {"/".join(path): at(document, *path) for path in FACTS}
    flags = at(document, "cpu_features", "flags")
    facts["flags"] = sorted(map(str, flags)) if isinstance(flags, list) else None
    facts["gpus"] = _gpus(document)
    # What a kernel keeps for itself differs by a few MiB from one start to the next.
    memory = number(at(document, "memory", "total"))
    facts["memory"] = None if memory is None else round(memory / GIB)
    known = {name: value for name, value in facts.items() if value not in (None, [])}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def hardware_values(document: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a kind of machine."""
    told = at(document, "cpu_info")
    return {
        "digest": hardware_digest(document),
        "brand": text(at(told, "brand_raw"), 200),
        "vendor": text(at(told, "vendor_id_raw"), 100),
        "family": integer(at(told, "family")),
        "model": integer(at(told, "model")),
        "ncpus": integer(at(document, "cpu_type", "ncpus")) or integer(at(told, "count")),
        "memory": integer(at(document, "memory", "total"), big=True),
        "document": standard(document),
    }


def _gpus(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = document.get("gpus")
    return [{name: at(each, name) for name in GPU} for each in found] if isinstance(found, list) else []
