"""The hardware document: of this machine, of machines of other kinds, and of what old documents have."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.inspection import hwinfo
from trimtab.inspection.hwinfo.cgroup import Group, limits
from trimtab.inspection.hwinfo.devices import gpus, virtualization
from trimtab.inspection.hwinfo.machine import Machine
from trimtab.inspection.hwinfo.processor import architecture, cpu_features, cpu_info, processors
from trimtab.inspection.hwinfo.processor_type import cpu_type
from trimtab.inspection.hwinfo.topology import memory, topology

DATA = Path(__file__).parents[5] / "shared" / "data" / "amun-inspection"
OF_OLD = sorted(DATA.glob("*/results/*/hwinfo"))

XEON = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz
stepping\t: 4
microcode\t: 0x1
cpu MHz\t\t: 2693.672
physical id\t: 0
core id\t\t: 0
flags\t\t: fpu mmx sse sse2 pni ssse3 lm hypervisor avx2
bugs\t\t:
"""
ARM = """processor\t: 0
BogoMIPS\t: 50.00
Features\t: fp asimd evtstrm aes
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1

processor\t: 1
BogoMIPS\t: 50.00
Features\t: fp asimd evtstrm aes
CPU implementer\t: 0x41
CPU part\t: 0xd0c
"""
POWER = """processor\t: 0
cpu\t\t: POWER9 (architected), altivec supported
clock\t\t: 2200.000000MHz
revision\t: 2.2 (pvr 004e 1202)

timebase\t: 512000000
platform\t: pSeries
"""
S390 = """vendor_id       : IBM/S390
# processors    : 2
features\t: esan3 zarch vx
processor 0: version = FF,  identification = 000001,  machine = 3906

cpu number      : 0
cpu MHz dynamic : 5208

cpu number      : 1
cpu MHz dynamic : 5208
"""


@pytest.fixture
def machine(tmp_path):
    def make(files: dict[str, str]) -> Machine:
        for path, text in files.items():
            (tmp_path / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path.lstrip("/")).write_text(text)
        return Machine(str(tmp_path))

    return make


def test_this_machine_is_described():
    found = hwinfo.document()
    assert found["cpu_type"]["ncpus"] == found["cpu_info"]["count"] == found["topology"]["threads"]
    assert found["memory"]["total"] > 0
    assert found["platform"]["release"] == os.uname().release
    assert found["topology"]["allowed"] == len(os.sched_getaffinity(0))
    json.dumps(found, allow_nan=False)


@pytest.mark.skipif(not OF_OLD, reason="the original's documents are not beside this repository")
def test_every_sub_key_of_the_original_is_there_but_for_the_versions_of_its_library():
    old, ours = json.loads(OF_OLD[0].read_bytes()), hwinfo.document()
    for key in ("cpu_info", "cpu_features", "cpu_type", "platform"):
        assert set(old[key]) <= set(ours[key])


@pytest.mark.skipif(not OF_OLD, reason="the original's documents are not beside this repository")
def test_a_processor_is_of_the_type_that_the_original_said(machine):
    old = json.loads(OF_OLD[0].read_bytes())
    info = old["cpu_info"]
    block = XEON.replace("Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz", info["brand_raw"])
    found = processors(machine({"/proc/cpuinfo": "\n".join(block for _ in range(64))}))
    assert len(found) == 64
    assert cpu_type(found, 64) == old["cpu_type"]
    assert cpu_info(machine({}), found, "x86_64")["hz_actual_friendly"] == info["hz_actual_friendly"]
    assert cpu_features(machine({}), found)["hz_actual"] == old["cpu_features"]["hz_actual"]


def test_advertised_speed_is_in_the_name(machine):
    found = processors(machine({"/proc/cpuinfo": XEON}))
    assert cpu_info(machine({}), found, "x86_64")["hz_advertised_friendly"] == "2.1000 GHz"


def test_arm_has_flags_and_a_name_of_numbers(machine):
    read = machine({"/proc/cpuinfo": ARM})
    found = processors(read)
    info = cpu_info(read, found, "aarch64")
    assert (info["brand_raw"], info["arch"], info["bits"], info["count"]) == (
        "implementer 0x41 part 0xd0c",
        "ARM_8",
        64,
        2,
    )
    assert (info["family"], info["model"], info["vendor_id_raw"]) == (None, None, None)
    assert cpu_features(read, found)["flags"] == ["aes", "asimd", "evtstrm", "fp"]
    kinds = cpu_type(found, 64)
    assert (kinds["is_Intel"], kinds["has_sse"], kinds["is_Xeon"], kinds["ncpus"]) == (None, None, None, 2)


def test_power_tells_its_name(machine):
    read = machine({"/proc/cpuinfo": POWER})
    found = processors(read)
    kinds = cpu_type(found, 64)
    assert (kinds["is_Power"], kinds["is_Power9"], kinds["is_Power8"], kinds["has_Altivec"]) == (
        True,
        True,
        False,
        True,
    )
    assert cpu_info(read, found, "ppc64le")["hz_actual_friendly"] == "2.2000 GHz"


def test_s390_tells_what_is_common_once(machine):
    found = processors(machine({"/proc/cpuinfo": S390}))
    assert [entry["features"] for entry in found] == ["esan3 zarch vx"] * 2


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("Intel(R) Pentium(R) 4 CPU 3.00GHz", {"is_Pentium", "is_PentiumIV", "is_Prescott"}),
        ("Intel(R) Pentium(R) M processor", {"is_Pentium", "is_PentiumM"}),
        (
            "Pentium III (Coppermine)",
            {"is_Pentium", "is_PentiumII", "is_PentiumIII"},
        ),  # as the original had it
        ("Intel(R) Core(TM)2 Duo CPU", {"is_Core2"}),
        ("Intel(R) XEON(TM) CPU", {"is_Xeon", "is_XEON"}),
        ("Intel(R) Celeron(R)", {"is_Celeron"}),
        ("Pentium(R) MMX", {"is_Pentium", "is_PentiumMMX"}),
        ("no such name", set()),
    ],
)
def test_kinds_of_old_processors(machine, name, kinds):
    found = processors(
        machine({"/proc/cpuinfo": XEON.replace("Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz", name)})
    )
    named = ("is_Pentium", "is_Core", "is_X", "is_Cel", "is_Pres", "is_Ath")
    assert {
        key for key, value in cpu_type(found, 64).items() if value is True and key.startswith(named)
    } == kinds


def test_a_machine_that_tells_nothing_is_all_null(machine):
    found = hwinfo.document(machine({}))
    assert found["cpu_info"]["count"] is None
    assert found["gpus"] == []
    assert found["cgroup"]["version"] is None
    json.dumps(found, allow_nan=False)


def test_a_pipe_in_the_place_of_a_file_does_not_hold_it_up(tmp_path, machine):
    (tmp_path / "proc").mkdir()
    os.mkfifo(tmp_path / "proc" / "cpuinfo")
    assert processors(machine({})) == []


@given(st.text(max_size=300))
def test_any_cpuinfo_makes_a_document(tmp_path_factory, text):
    root = tmp_path_factory.mktemp("machine")
    (root / "proc").mkdir()
    (root / "proc" / "cpuinfo").write_text(text, encoding="utf-8", errors="replace")
    json.dumps(hwinfo.document(Machine(str(root))), allow_nan=False)


def test_caches_memory_and_nodes_are_in_bytes(machine):
    read = machine(
        {
            "/proc/meminfo": "MemTotal:  1024 kB\nMemAvailable: 512 kB\nSwapTotal: 0 kB\nHugepagesize: 2048 kB\n",
            "/sys/devices/system/cpu/cpu0/cache/index0/level": "1",
            "/sys/devices/system/cpu/cpu0/cache/index0/type": "Data",
            "/sys/devices/system/cpu/cpu0/cache/index0/size": "32K",
            "/sys/devices/system/cpu/cpu0/cache/index3/level": "3",
            "/sys/devices/system/cpu/cpu0/cache/index3/type": "Unified",
            "/sys/devices/system/cpu/cpu0/cache/index3/size": "1M",
            "/sys/devices/system/node/node0/cpulist": "0-3",
            "/sys/devices/system/node/node0/meminfo": "Node 0 MemTotal:       1000 kB\n",
        }
    )
    features = cpu_features(read, [])
    assert (features["l1_data_cache_size"], features["l2_cache_size"], features["l3_cache_size"]) == (
        32768,
        None,
        1048576,
    )
    assert (memory(read)["total"], memory(read)["available"], memory(read)["swap_total"]) == (
        1048576,
        524288,
        0,
    )
    assert topology(read, [])["numa_nodes"] == [{"node": 0, "cpus": "0-3", "memory": 1024000}]


def test_sockets_and_cores_where_only_files_tell(machine):
    files = {"/sys/devices/system/cpu/online": "0-3"}
    for number in range(4):
        place = f"/sys/devices/system/cpu/cpu{number}/topology/"
        files |= {place + "physical_package_id": str(number // 2), place + "core_id": "0"}
    found = topology(machine(files), [])
    assert (found["sockets"], found["cores"], found["threads"], found["threads_per_core"]) == (2, 2, 4, 2)


def test_gpus_of_nvidias_driver_and_of_others(machine, tmp_path):
    read = machine(
        {
            "/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar 5\n",
            "/proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t NVIDIA A100\nGPU UUID: \t GPU-1\n",
            "/sys/class/drm/card1/device/vendor": "0x1002",
            "/sys/class/drm/card1/device/device": "0x740f",
            "/sys/class/drm/card1/device/mem_info_vram_total": "64000",
            "/sys/class/drm/card2/device/vendor": "0x1234",
            "/sys/class/drm/card1-DP-1/device/vendor": "0x1002",
        }
    )
    first, second = gpus(read)
    assert (first["name"], first["uuid"], first["driver_version"]) == ("NVIDIA A100", "GPU-1", "550.54.15")
    assert (second["vendor"], second["device"], second["memory"]) == ("AMD", "0x740f", 64000)


def test_what_is_around_shows(machine):
    flags = [{"flags": "fpu hypervisor"}]
    assert virtualization(machine({}), flags, {})["hypervisor"] == "unknown"
    assert virtualization(machine({}), [], {"container": "oci"})["container"] == "oci"
    read = machine({"/sys/class/dmi/id/sys_vendor": "QEMU", "/run/.containerenv": ""})
    found = virtualization(read, flags, {})
    assert (found["hypervisor"], found["container"], found["vendor"]) == ("kvm", "podman", "QEMU")
    assert virtualization(read, flags, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})["container"] == "kubernetes"


LEGACY = (
    "30 29 0:27 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
    "31 29 0:28 / /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
    "malformed\n"
)


def test_limits_of_version_1_seen_from_inside(machine):
    found = limits(
        Group(
            machine(
                {
                    "/proc/self/cgroup": "4:memory:/docker/abc\n3:cpu,cpuacct:/a/b\n0::/\nmalformed\n",
                    "/proc/self/mountinfo": LEGACY,
                    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912",
                    "/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us": "-1",
                    "/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us": "100000",
                    "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "150000",
                    "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000",
                }
            )
        )
    )
    assert (found["version"], found["memory"]["limit"], found["cpu"]["quota"]) == (1, 536870912, 1.5)


def test_the_tightest_limit_of_the_ancestors_counts(machine):
    found = limits(
        Group(
            machine(
                {
                    "/proc/self/cgroup": "0::/a/b\n",
                    "/proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
                    "/sys/fs/cgroup/a/b/memory.max": "max",
                    "/sys/fs/cgroup/a/memory.max": "1000",
                    "/sys/fs/cgroup/a/b/cpu.max": "max 100000",
                    "/sys/fs/cgroup/a/b/pids.max": "64",
                }
            )
        )
    )
    assert found["memory"]["limit"] == 1000
    assert found["cpu"]["quota"] is None
    assert (found["version"], found["pids"]["limit"]) == (2, 64)


def test_architectures_of_old_and_new():
    assert architecture("i686") == ("X86_32", 32)
    assert architecture("armv7l") == ("ARM_7", 32)
    assert architecture("quantum") == (None, None)
