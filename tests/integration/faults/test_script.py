"""What a script does that is no friend: the inspection ends as documented, with nothing of it left."""

from itertools import pairwise

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

MIB = 2**20
DAEMON = """\
#!/usr/bin/env python3
import os, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 20)
            time.sleep(600)
        os._exit(0)
time.sleep(0.3)
print("done")
"""
FORGER = """\
#!/bin/sh
printf '{"exit_code": 0, "stdout": "forged", "proof": "%064d"}' 0 >"$THOTH_OUTPUT_PATH"
echo mine
kill -9 $PPID
sleep 0.2
exit 3
"""


async def test_daemons_are_ended_with_the_run_and_counted(laboratory):
    report = await laboratory.inspect(script=DAEMON, batch_size=2)
    assert report["state"] == "succeeded"
    for item in range(2):
        assert laboratory.result(item)["left_processes"] == 3
        assert laboratory.result(item)["stdout"] == "done\n"


async def test_daemons_of_one_run_are_not_there_in_the_next_of_the_same_container(make_laboratory):
    laboratory = make_laboratory("podman")
    script = DAEMON.replace(
        'print("done")',
        'print(sum(b"script" in open(f"/proc/{n}/cmdline", "rb").read() for n in os.listdir("/proc") if n.isdigit() and int(n) != os.getpid()))',
    )
    run = {"requests": {"cpu": "1", "memory": "256Mi"}, "timeout": 30, "isolation": {"scope": "batch"}}
    report = await laboratory.inspect(script=script, batch_size=2, run=run)
    assert report["state"] == "succeeded", report
    assert laboratory.result(0)["left_processes"] == laboratory.result(1)["left_processes"] == 3
    assert laboratory.result(0)["stdout"] == laboratory.result(1)["stdout"]


@pytest.mark.parametrize("flavour", ["process", "podman"])
async def test_a_script_that_fills_the_disk_is_ended(make_laboratory, flavour):
    laboratory = make_laboratory(
        flavour, disk=24 * MIB, grace=1.0, **({"file_size": 200 * MIB} if flavour == "process" else {})
    )
    script = "#!/bin/sh\nfor n in 1 2 3 4 5 6; do head -c 10000000 /dev/zero >$n; done\nexec sleep 600\n"
    report = await laboratory.inspect(script=script)
    assert report["state"] == "failed"
    (run,) = report["runs"]
    assert any("written more than" in note for note in run["notes"])
    assert run["failure"]


async def test_a_script_that_ignores_the_request_to_end_is_killed(laboratory):
    script = "#!/bin/sh\ntrap '' TERM INT HUP\nwhile :; do sleep 0.1; done\n"
    run = {"requests": {"cpu": "1", "memory": "256Mi"}, "timeout": 1}
    report = await laboratory.inspect(script=script, run=run)
    (found,) = report["runs"]
    assert (report["state"], found["timed_out"], found["failure"]["kind"]) == (
        "failed",
        True,
        "infrastructure",
    )
    assert laboratory.result()["signal"] == 9


async def test_a_forged_result_is_not_taken(laboratory):
    """As the first process of a container the wrapper cannot be killed; elsewhere there is no proof, then."""
    report = await laboratory.inspect(script=FORGER)
    assert report["state"] == "failed"
    assert report["failure"]["kind"] == "script"
    assert "forged" not in str(laboratory.result())
    if laboratory.flavour == "podman":
        assert (laboratory.result()["exit_code"], laboratory.result()["stdout"]) == (3, "mine\n")
    else:
        assert "was not written by the run wrapper" in laboratory.result()["error"]


@pytest.mark.parametrize("code", [128, 137, 255])
async def test_b19_an_exit_code_stays_what_it_is_and_none_adds_up_to_success(laboratory, code):
    """Two of 128 were 256, and so a success."""
    report = await laboratory.inspect(script=f"#!/bin/sh\nexit {code}\n", batch_size=2)
    assert report["state"] == "failed"
    assert [each["exit_code"] for each in report["runs"]] == [code, code]
    assert [each["failure"]["kind"] for each in report["runs"]] == ["script", "script"]
    assert not any(each["oom_killed"] for each in report["runs"])
    assert [each["signal"] for each in report["runs"]] == [None, None], "the wrapper saw none"


async def test_b21_b22_runs_are_one_after_another_and_there_are_as_many_results(laboratory):
    """The original started all at once, and left an empty directory after the last."""
    report = await laboratory.inspect(script="#!/bin/sh\nexec sleep 0.2\n", batch_size=3)
    times = [(each["started"], each["ended"]) for each in report["runs"]]
    assert all(first[1] <= second[0] for first, second in pairwise(times))
    stored = laboratory.works[-1].stored
    assert stored.results.items() == [0, 1, 2]
    keys = {each.key for each in laboratory.place.inspections.store.list()}
    assert {key.split("/results/")[1].split("/")[0] for key in keys if "/results/" in key} == {"0", "1", "2"}


async def test_b23_no_image_container_or_volume_is_left(make_laboratory):
    """They carry the label of their inspection, by which the laboratory looks for them, too."""
    laboratory = make_laboratory("podman")
    work = laboratory.work(script="#!/bin/sh\ntrue\n")
    seen = []
    laboratory.looker.event = lambda event: seen.extend(
        laboratory._objects() if event.kind == "running" else []
    )
    await laboratory.go(work)
    assert {each.partition(" ")[0] for each in seen} >= {"images", "volume"}
    assert await laboratory.left() == []
