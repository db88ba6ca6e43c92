"""Of a supervised program nothing is left, and its end is told exactly."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from trimtab.engines.supervision import Program, SupervisionError, supervise
from trimtab.engines.supervision.forking import end_server, server_pid

pytestmark = pytest.mark.integration
PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


async def run(script, sink=lambda _: None, **changes):
    return await supervise(Program(("sh", "-c", script), "/", PATH, **changes), sink)


async def test_output_of_both_kinds_and_the_exit_code():
    printed = bytearray()
    ending = await run("echo one; echo two >&2; exit 3", printed.extend)
    assert (ending.code, ending.signal, ending.timed_out, ending.killed) == (3, None, False, 0)
    assert printed == b"one\ntwo\n"


async def test_a_signal_is_no_exit_code():
    ending = await run("kill -KILL $$")
    assert (ending.code, ending.signal) == (None, signal.SIGKILL)


async def test_standard_input_is_empty_and_no_other_descriptor_is_passed_on():
    """A program that could write the report could say how it ended."""
    printed = bytearray()
    await run("cat; ls /proc/self/fd", printed.extend)
    assert printed.split() == [b"0", b"1", b"2", b"3"]  # the last is the listing's own


async def test_what_cannot_be_started_is_an_error_with_its_reason():
    for argv, reason in ((("/not/there",), "No such file"), (("/etc/passwd",), "Permission denied")):
        with pytest.raises(SupervisionError, match=reason):
            await supervise(Program(argv, "/", PATH), lambda _: None)
    with pytest.raises(SupervisionError, match="/not/there"):
        await supervise(Program(("true",), "/not/there", PATH), lambda _: None)
    with pytest.raises(SupervisionError, match="control groups"):
        await supervise(Program(("true",), "/", PATH, groups=("/not/there",)), lambda _: None)


async def test_a_program_has_time_to_end_by_itself():
    printed = bytearray()
    ending = await run(
        "trap 'echo bye; exit 4' TERM; while :; do sleep 0.05; done", printed.extend, timeout=0.3
    )
    assert (ending.code, ending.timed_out, printed) == (4, True, b"bye\n")


async def test_a_program_that_will_not_end_is_killed():
    ending = await run("trap '' TERM; while :; do sleep 0.05; done", timeout=0.3, grace=0.3)
    assert (ending.signal, ending.timed_out) == (signal.SIGKILL, True)


async def test_what_a_builder_runs_is_ended_first_so_that_it_can_clean_up():
    printed = bytearray()
    ending = await run(
        "trap 'echo no' TERM; sleep 600; echo cleaned up; exit 6", printed.extend, timeout=0.3, ask="below"
    )
    assert (ending.code, printed.split(b"\n")[-2]) == (6, b"cleaned up")


async def test_daemons_are_found_and_counted():
    ending = await run("(setsid sleep 600 &); (setsid sh -c 'sleep 600 & sleep 600' &); sleep 0.2; exit 0")
    assert ending.code == 0
    assert ending.killed >= 3


async def test_an_error_of_the_listener_ends_the_program():
    pids = []

    def listen(data):
        pids.append(int(data))
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await run("echo $$; sleep 600", listen)
    assert not alive(pids[0])


async def test_limits_hold():
    printed = bytearray()
    cores = (min(os.sched_getaffinity(0)),)
    await run(
        "ulimit -c; ulimit -n; nproc",
        printed.extend,
        limits={"RLIMIT_CORE": 0, "RLIMIT_NOFILE": 50},
        cores=cores,
    )
    assert printed.split() == [b"0", b"50", b"1"]


async def test_two_cancellations_are_no_escape():
    pids, heard = [], asyncio.Event()

    def listen(data):
        pids.append(int(data))
        heard.set()

    task = asyncio.create_task(run("trap '' TERM; echo $$; sleep 600", listen, grace=0.3))
    await heard.wait()
    task.cancel()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(pids[0])


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def variables_of(pid: int) -> set[bytes]:
    return {each.partition(b"=")[0] for each in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")} - {
        b""
    }


def open_files(pid: int, kind: str) -> int:
    return sum(str(path.readlink()).startswith(kind) for path in Path(f"/proc/{pid}/fd").iterdir())


async def until(found, seconds=30):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.02)


async def test_many_supervisors_at_once_know_nothing_of_each_other():
    """The channel of each closes when it ends, whoever was forked meanwhile."""
    endings = await asyncio.gather(*(run(f"sleep 0.{number}; exit {number}") for number in range(8)))
    assert [each.code for each in endings] == list(range(8))


async def test_the_server_holds_no_descriptor_of_a_run_and_none_of_our_variables(monkeypatch):
    monkeypatch.setenv("TRIMTAB_SECRET", "not for others")
    end_server()
    pids = []
    task = asyncio.create_task(run("echo $$; exec sleep 600", lambda data: pids.append(int(data))))
    await until(lambda: pids)
    server = server_pid()
    assert variables_of(server) <= {b"LANG", b"LC_CTYPE", b"LD_LIBRARY_PATH"}
    await until(lambda: open_files(server, "pipe:") == 2)  # its own, to hear of its children
    await until(lambda: open_files(server, "socket:") == 2)  # where it is asked, twice
    assert variables_of(pids[0]) <= {b"PATH", b"PWD"}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_server_that_is_killed_takes_no_run_with_it_and_another_is_started():
    pids = []
    task = asyncio.create_task(run("echo $$; sleep 0.5; exit 3", lambda data: pids.append(int(data))))
    await until(lambda: pids)
    before = server_pid()
    os.kill(before, signal.SIGKILL)
    await until(lambda: Path(f"/proc/{before}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    assert (await run("exit 4")).code == 4
    assert (await task).code == 3
    assert server_pid() not in {None, before}


async def test_no_zombie_of_a_supervisor_is_left():
    await run("true")
    children = Path(f"/proc/{server_pid()}/task/{server_pid()}/children")
    await until(lambda: not children.read_text().split())


async def test_a_server_ends_with_its_process():
    program = (
        "import asyncio; from trimtab.engines.supervision import Program, supervise; "
        "from trimtab.engines.supervision.forking import server_pid; import os, sys; "
        "asyncio.run(supervise(Program(('true',), '/', {'PATH': '/usr/bin:/bin'}), print)); "
        "print(server_pid(), flush=True); sys.stdin.read(1); os._exit(0)"
    )
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=-1, stdout=-1)
    server = int(await child.stdout.readline())
    assert alive(server)
    child.stdin.close()
    await child.wait()
    await until(lambda: not alive(server))
