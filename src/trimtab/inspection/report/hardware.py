"""A kind of machine, as facts for a list."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trimtab.catalog.values import at, number
from trimtab.inspection.report.model import Fact, Machine
from trimtab.inspection.statistics.hardware import Hardware
from trimtab.pages.numbers import amount

__all__ = ["machine"]


def machine(kind: Hardware, results: Sequence[Mapping[str, Any]]) -> Machine:
    """A kind of machine, and the results of the runs on it; what differs between them is the first's."""
    facts = tuple(Fact(name, text) for name, text in _facts(kind, results[0]) if text)
    return Machine(str(kind), len(results), facts)


def _facts(kind: Hardware, result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    told = at(result, "hwinfo")
    yield "processor", kind.brand or ""
    yield "family, model", f"{kind.family}, {kind.model}" if kind.model is not None else ""
    yield "processors", _text(kind.ncpus)
    yield "sockets, cores, threads", _topology(told)
    yield "caches", _caches(told)
    yield "memory", _bytes(at(told, "memory", "total"))
    yield "GPUs", ", ".join(_gpus(told))
    yield "virtualisation", _text(at(told, "virtualization", "hypervisor"))
    yield "kernel", _text(at(told, "platform", "release"))
    environment = at(result, "runtime_environment")
    system = (at(environment, "operating_system", "name"), at(environment, "operating_system", "version"))
    yield "system of the runs", " ".join(map(str, filter(None, system)))
    yield (
        "Python of the runs",
        _text(at(result, "interpreter", "version") or at(environment, "python_version")),
    )
    yield "limits", ", ".join(_limits(result))
    yield "digest", kind.digest or ""


def _topology(told: Any) -> str:
    found = [at(told, "topology", name) for name in ("sockets", "cores", "threads")]
    return ", ".join(map(_text, found)) if all(each is not None for each in found) else ""


def _caches(told: Any) -> str:
    levels = (("L1d", "l1_data"), ("L1i", "l1_instruction"), ("L2", "l2"), ("L3", "l3"))
    found = [(name, _bytes(at(told, "cpu_features", f"{key}_cache_size"))) for name, key in levels]
    return ", ".join(f"{name} {text}" for name, text in found if text)


def _gpus(told: Any) -> Iterator[str]:
    found = at(told, "gpus")
    for each in found if isinstance(found, list) else ():
        yield _text(at(each, "name") or at(each, "device"))


def _limits(result: Mapping[str, Any]) -> Iterator[str]:
    if limit := _bytes(at(result, "cgroup", "memory", "limit")):
        yield f"memory {limit}"
    if (quota := number(at(result, "cgroup", "cpu", "quota"))) is not None:
        yield f"{quota:g} cores"


def _bytes(value: Any) -> str:
    found = number(value)
    return amount(found, "bytes") if found else ""


def _text(value: Any) -> str:
    return "" if value is None else str(value)
