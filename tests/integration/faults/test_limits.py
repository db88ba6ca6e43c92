"""A real build and five runs under limits that hold, in one inspection, by each engine."""

import pytest

from trimtab.engines.process.groups import Groups

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SCRIPT = """\
#!/usr/bin/env python3
import os, pathlib, signal, sys, time
item = int(pathlib.Path(os.environ["THOTH_OUTPUT_PATH"]).parent.name.partition(".")[0])
if item == 0:
    held = [bytearray(2**20) for _ in range(1000)]
if item == 1:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)
if item == 2:
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        pass
    print(time.process_time())
if item == 3:
    sys.exit(137)
"""
RUN = {"requests": {"cpu": "0.2", "memory": "96Mi"}, "timeout": 6}


async def test_five_runs_of_which_one_meets_each_limit(laboratory):
    """Memory, time, CPU; an exit with 137 is no kill; and a limit that was met is not tried again."""
    groups = Groups.find().parents
    if laboratory.flavour == "process" and not {"memory", "cpu"} <= set(groups):
        pytest.skip("no control groups of memory and CPU can be made here")
    report = await laboratory.inspect(script=SCRIPT, batch_size=5, run=RUN)
    assert report["state"] == "failed"
    assert [(each["item"], each["attempt"]) for each in report["runs"]] == [(item, 1) for item in range(5)]
    memory, slow, busy, code, well = report["runs"]
    assert memory["failure"]["kind"] == slow["failure"]["kind"] == "infrastructure"
    assert "more memory" in memory["failure"]["reason"]
    assert laboratory.result(0)["signal"] == 9
    assert laboratory.result(0)["cgroup"]["memory"]["limit"] == 96 * 2**20
    assert (slow["timed_out"], laboratory.result(1)["signal"]) == (True, 9)
    assert 6 <= laboratory.result(1)["duration"] < 20
    assert busy["state"] == "succeeded"
    result = laboratory.result(2)
    assert float(result["stdout"]) < 0.8
    assert result["cgroup"]["cpu"]["quota"] == 0.2
    assert result["cgroup"]["cpu"]["throttled"] > 0
    assert (code["exit_code"], code["oom_killed"]) == (137, False)
    assert code["failure"]["kind"] == "script"
    assert laboratory.result(3)["signal"] is None
    assert (well["state"], laboratory.result(4)["exit_code"]) == ("succeeded", 0)
