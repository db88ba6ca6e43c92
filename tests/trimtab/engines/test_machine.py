"""What this machine cannot give is refused, with the reason."""

import os
import re
from pathlib import Path

import pytest

from trimtab.engines import Resources
from trimtab.engines.machine import _processor, unmet

MIB = 2**20


def test_what_it_has_is_met():
    assert unmet(Resources(0.5, 64 * MIB)) == ()


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        (Resources(10_000, MIB), f"10000 cores are asked for, and this machine has {os.cpu_count()}"),
        (Resources(1, 2**60), "bytes of memory are asked for"),
        (Resources(0, MIB), "more than nothing"),
        (Resources(1, MIB, gpus=1), "no GPU"),
        (Resources(1, MIB, node_selector={"a": "b"}), "node selectors are for a cluster"),
        (Resources(1, MIB, hardware={"cpu_family": "99999"}), "cpu_family '99999' is asked for"),
        (Resources(1, MIB, hardware={"colour": "red"}), "does not tell its colour"),
    ],
)
def test_what_it_lacks_is_named(resources, reason):
    (found,) = unmet(resources)
    assert reason in found


def test_hardware_it_has_is_met_also_in_the_spelling_of_a_label():
    text = Path("/proc/cpuinfo").read_text()
    model = next(line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name"))
    label = "-".join(re.findall(r"[A-Za-z0-9]+", model))
    for name in (model, label):
        assert unmet(Resources(1, MIB, hardware={"processor": name})) == ()


def test_a_reason_of_build_and_runs_is_told_once():
    lacking = Resources(1, MIB, gpus=1)
    assert unmet(lacking, None, lacking) == unmet(lacking)


def test_threads_of_one_core_are_counted_once(tmp_path, monkeypatch):
    """Two sockets with two cores of two threads each: os.cpu_count() says 8."""
    blocks = [
        f"processor : {n}\nphysical id : {n // 4}\ncore id : {n // 2 % 2}\nflags : fpu\n" for n in range(8)
    ]
    file = tmp_path / "cpuinfo"
    file.write_text("\n".join(blocks))
    monkeypatch.setattr("trimtab.engines.machine._CPUINFO", file)
    _processor.cache_clear()
    try:
        assert unmet(Resources(1, MIB, hardware={"physical_cpus": "4"})) == ()
        assert unmet(Resources(1, MIB, hardware={"physical_cpus": "8"})) != ()
    finally:
        _processor.cache_clear()


def test_a_gpu_is_met_where_the_engine_can_give_one():
    assert unmet(Resources(1, MIB, gpus=1), gpus=True) == ()
