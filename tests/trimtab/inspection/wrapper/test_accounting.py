"""B29: clocks, and what a control group accounts; against real groups where they can be made."""

import contextlib
import json
import os
import time
from pathlib import Path

import pytest

from trimtab.inspection.hwinfo.cgroup import Group
from trimtab.inspection.hwinfo.machine import Machine
from trimtab.inspection.wrapper.accounting import Accounting

FILES = {
    "proc/self/cgroup": "0::/run\n",
    "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n",
    "sys/fs/cgroup/run/cgroup.procs": "7\n",
    "sys/fs/cgroup/run/memory.max": "268435456\n",
    "sys/fs/cgroup/run/memory.peak": "1000\n",
    "sys/fs/cgroup/run/memory.current": "500\n",
    "sys/fs/cgroup/run/memory.events": "low 0\noom 0\noom_kill 0\n",
    "sys/fs/cgroup/run/cpu.max": "50000 100000\n",
    "sys/fs/cgroup/run/cpu.stat": "usage_usec 1000000\nnr_periods 10\nnr_throttled 1\nthrottled_usec 500\n",
    "sys/fs/cgroup/run/cpu.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=100\nfull avg10=0.00 total=0\n",
    "proc/pressure/memory": "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
}


def write(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def test_b29_figures_are_differences_but_for_the_peak(tmp_path):
    write(tmp_path, FILES)
    accounting = Accounting(Group(Machine(str(tmp_path))), 7)
    here = "sys/fs/cgroup/run/"
    write(
        tmp_path,
        {
            here + "memory.peak": "9000\n",
            here + "memory.events": "oom_kill 2\n",
            here + "cpu.stat": "usage_usec 3500000\nnr_periods 30\nnr_throttled 6\nthrottled_usec 250500\n",
            here + "cpu.pressure": "some avg10=0.00 total=2100\nfull avg10=0.00 total=1000\n",
        },
    )
    assert accounting.cgroup() == {
        "version": 2,
        "alone": True,
        "memory": {"limit": 268435456, "swap_limit": None, "peak": 9000, "before": 500, "oom_kills": 2},
        "cpu": {
            "quota": 0.5, "cpuset": None, "usage": 2.5, "periods": 20, "throttled_periods": 5, "throttled": 0.25,
        },
        "pids": {"limit": None},
    }  # fmt: skip
    assert accounting.pressure() == {
        "cpu": {"some": 0.002, "full": 0.001},
        "memory": {"some": 0.0},
        "io": None,
    }
    assert accounting.provenance()["pressure.memory"] == "/proc/pressure/memory"
    assert accounting.provenance()["cgroup.memory.peak"] == "/sys/fs/cgroup/run/memory.peak"


def test_a_group_that_others_are_in_is_not_the_runs_alone(tmp_path):
    write(tmp_path, FILES | {"sys/fs/cgroup/run/cgroup.procs": "7\n8\n"})
    assert Accounting(Group(Machine(str(tmp_path))), 7).cgroup()["alone"] is False


def test_without_control_groups_all_is_null(tmp_path):
    accounting = Accounting(Group(Machine(str(tmp_path))), 7)
    found = accounting.cgroup()
    assert (found["version"], found["alone"], found["memory"]["peak"]) == (None, None, None)
    assert accounting.pressure() == {"cpu": None, "memory": None, "io": None}
    json.dumps(found)


@pytest.mark.integration
def test_b29_duration_is_that_of_the_script(place):
    before = time.monotonic()
    document = place.run("#!/bin/sh\nsleep 0.3\n").document
    assert 0.29 <= document["duration"] <= time.monotonic() - before
    assert document["start_datetime"] <= document["end_datetime"]


@pytest.mark.integration
def test_b29_usage_is_that_of_the_script_and_its_children(place):
    script = "#!/bin/sh\nsh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done'\n"
    usage = place.run(script).document["usage"]
    assert usage["ru_utime"] + usage["ru_stime"] > 0.03
    assert len(usage) == 16


@pytest.fixture
def group(request):
    """Makes a control group of version 1, or skips."""
    made = []

    def make(controller: str, **files: str) -> Path:
        mounted = Path("/sys/fs/cgroup") / controller
        parents = Group(Machine()).paths.get(controller)
        if os.geteuid() != 0 or not parents or not mounted.is_dir():
            pytest.skip(f"no control group of the {controller} controller can be made here")
        directory = Path(parents[0]) / f"trimtab-test-{os.getpid()}-{len(made)}"
        try:
            directory.mkdir()
            made.append(directory)
            for name, text in files.items():
                (directory / f"{controller}.{name}").write_text(text)
        except OSError as error:
            pytest.skip(f"no control group can be made here: {error}")
        return directory

    yield make
    for directory in made:
        for _ in range(100):
            with contextlib.suppress(OSError):
                directory.rmdir()
                break
            time.sleep(0.05)


def inside(place, directory):
    place.command = [
        "/bin/sh",
        "-c",
        f'echo $$ > {directory}/cgroup.procs && exec {" ".join(place.command)} "$0"',
    ]
    return place


@pytest.mark.integration
def test_b29_the_peak_is_that_of_a_real_group(place, group):
    directory = group("memory", limit_in_bytes="200000000")
    script = "#!/usr/bin/python3 -S\nx = b'x' * 50_000_000\n"
    document = inside(place, directory).run(script).document
    peak = int((directory / "memory.max_usage_in_bytes").read_text())
    memory = document["cgroup"]["memory"]
    assert 50_000_000 < memory["peak"] <= peak
    assert (memory["limit"], memory["oom_kills"]) == (199999488, 0)
    assert document["cgroup"]["alone"] in {True, None}


@pytest.mark.integration
def test_b29_the_kernel_ends_the_script_and_not_the_wrapper(place, group):
    directory = group("memory", limit_in_bytes="60000000")
    outcome = inside(place, directory).run(
        "#!/usr/bin/python3 -S\nprint('begun', flush=True)\nx = b'x' * 200_000_000\n"
    )
    document = outcome.document
    assert document["cgroup"]["memory"]["oom_kills"] >= 1
    assert (document["exit_code"], document["signal"], outcome.code) == (-9, 9, 247)
    assert document["stdout"] == "begun\n"


@pytest.mark.integration
def test_b29_throttling_is_counted(python, group):
    directory = group("cpu", cfs_period_us="20000", cfs_quota_us="4000")
    # On a busy machine it takes a while until a period's quota is used up.
    script = f"""#!/bin/sh
until grep -q 'nr_throttled [1-9]' {directory}/cpu.stat; do i=0; while [ $i -lt 10000 ]; do i=$((i + 1)); done; done
"""
    document = inside(python, directory).run(script).document
    cpu = document["cgroup"]["cpu"]
    assert cpu["quota"] == 0.2
    assert cpu["throttled_periods"] > 0
    assert cpu["throttled"] > 0
