"""Kinds of machines: the same one has the same digest, whatever else a document tells of the day."""

import copy
import json

import pytest

from trimtab.catalog import hardware_digest
from trimtab.catalog.hardware import hardware_values

ID = "inspection-rhtf-conv2d-0f845f38"
MACHINE = {
    "cpu_info": {
        "brand_raw": "Intel Xeon",
        "vendor_id_raw": "GenuineIntel",
        "family": 6,
        "model": 85,
        "count": 8,
    },
    "cpu_features": {"flags": ["avx", "avx2"], "hz_actual": [2693672000, 0], "l2_cache_size": 4194304},
    "cpu_type": {"ncpus": 8},
    "platform": {"node": "pod-1", "release": "6.1.0"},
    "memory": {"total": 16_700_000_000, "available": 1},
    "gpus": [{"vendor": "NVIDIA", "name": "A100", "uuid": "GPU-1", "driver_version": "550"}],
    "topology": {"sockets": 1, "governor": "powersave"},
    "cgroup": {"memory": {"limit": 1}},
}


def changed(*path, to):
    machine = copy.deepcopy(MACHINE)
    inner = machine
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return machine


@pytest.mark.parametrize(
    "other",
    [
        changed("cpu_features", "hz_actual", to=[2693666000, 0]),
        changed("cpu_features", "flags", to=["avx2", "avx"]),
        changed("platform", "node", to="pod-2"),
        changed("platform", "release", to="6.2.0"),
        changed("memory", "available", to=2),
        changed("memory", "total", to=16_720_000_000),
        changed("gpus", 0, "uuid", to="GPU-2"),
        changed("gpus", 0, "driver_version", to="560"),
        changed("topology", "governor", to="performance"),
        changed("cgroup", "memory", to={"limit": 2}),
        {**MACHINE, "virtualization": {"hypervisor": None}},
    ],
)
def test_the_same_kind_of_machine_on_another_day(other):
    assert hardware_digest(other) == hardware_digest(MACHINE)


@pytest.mark.parametrize(
    "other",
    [
        changed("cpu_info", "model", to=86),
        changed("cpu_info", "count", to=4),
        changed("cpu_features", "flags", to=["avx"]),
        changed("cpu_features", "l2_cache_size", to=1),
        changed("cpu_type", "ncpus", to=16),
        changed("memory", "total", to=33_000_000_000),
        changed("gpus", to=[]),
        changed("topology", "sockets", to=2),
        {**MACHINE, "virtualization": {"hypervisor": "kvm"}},
    ],
)
def test_another_kind_of_machine(other):
    assert hardware_digest(other) != hardware_digest(MACHINE)


def test_the_originals_runs_were_on_one_kind(originals):
    documents = [originals[ID].results.retrieve_hwinfo(item) for item in range(3)]
    assert len({json.dumps(each, sort_keys=True) for each in documents}) == 3
    assert len({hardware_digest(each) for each in documents}) == 1
    values = hardware_values(documents[0])
    assert (values["brand"], values["family"], values["model"], values["ncpus"], values["memory"]) == (
        "Intel Xeon Processor (Skylake, IBRS)",
        6,
        85,
        64,
        None,
    )


@pytest.mark.parametrize(
    "document", [{}, {"cpu_info": None, "gpus": 1}, {"cpu_features": {"flags": "avx"}, "gpus": [1]}]
)
def test_a_document_that_tells_nothing_is_a_kind_too(document):
    assert len(hardware_digest(document)) == 64
    assert hardware_values(document)["brand"] is None
