import asyncio
import signal
import sys
import time
from datetime import timedelta

import psutil
import pytest

from servo.types import Duration
from servo.utilities import subprocess as servo_subprocess
from servo.utilities.subprocess import (
    run_subprocess_exec,
    run_subprocess_shell,
    stream_subprocess_exec,
    stream_subprocess_output,
    stream_subprocess_shell,
)

FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


def children() -> set[psutil.Process]:
    """Those of this process, among which may be what another test has started and will end."""
    return set(psutil.Process().children())


async def gone(pid):
    """Whether a process ends soon, or is dead and only not waited for."""
    for _ in range(200):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        await asyncio.sleep(0.02)
    return False


def python(program):
    return sys.executable, "-c", program


class TestRun:
    async def test_exec(self):
        result = await run_subprocess_exec("/bin/echo", "test")
        assert result == (0, ["test"], [])
        assert (result.return_code, result.stdout, result.stderr) == (0, ["test"], [])

    async def test_shell(self):
        result = await run_subprocess_shell("cd / && pwd && echo oops >&2; exit 3")
        assert result == (3, ["/"], ["oops"])

    async def test_arguments_are_seen_by_no_shell(self, tmp_path):
        """The hazard of a shell is run_subprocess_shell's alone."""
        hostile = f"$(touch {tmp_path}/a); touch {tmp_path}/b `touch {tmp_path}/c` *"
        result = await run_subprocess_exec("/bin/echo", hostile)
        assert result.stdout == [hostile]
        assert list(tmp_path.iterdir()) == []

    async def test_directory_and_environment(self, tmp_path):
        result = await run_subprocess_shell("pwd; echo $GREETING", cwd=tmp_path, env={"GREETING": "hello"})
        assert result.stdout == [str(tmp_path), "hello"]

    async def test_lines_are_stripped_at_the_right(self):
        result = await run_subprocess_shell(r"printf '  a  \r\n\n b\t\nlast'")
        assert result.stdout == ["  a", "", " b", "last"]

    async def test_what_is_no_text_is_replaced(self):
        assert (await run_subprocess_shell(r"printf 'a\377b\n'")).stdout == ["a\ufffdb"]

    async def test_there_is_nothing_to_read(self):
        """A program that asks does not wait for an answer."""
        assert await run_subprocess_exec("/bin/cat", timeout=10) == (0, [], [])

    async def test_a_signal_is_a_negative_code(self):
        assert (await run_subprocess_shell("kill -9 $$")).return_code == -signal.SIGKILL

    async def test_a_program_that_is_not_there(self):
        with pytest.raises(FileNotFoundError):
            await run_subprocess_exec("/no/such/program")

    async def test_output_may_go_elsewhere(self, tmp_path):
        with (tmp_path / "out").open("w") as file:
            result = await run_subprocess_shell(
                "echo test; echo oops >&2", stdout=file, stderr=asyncio.subprocess.STDOUT
            )
        assert result == (0, [], [])
        assert (tmp_path / "out").read_text() == "test\noops\n"


class TestBounds:
    async def test_a_long_line_arrives_in_parts(self):
        result = await run_subprocess_exec(*python("print('x' * 10**6)"), limit=100)
        assert "".join(result.stdout) == "x" * 10**6
        assert max(map(len, result.stdout)) <= 2**17, "no more than a read from the pipe brings at once"

    async def test_of_a_long_output_the_last_lines_are_kept(self, monkeypatch):
        monkeypatch.setattr(servo_subprocess, "MAX_OUTPUT", 1000)
        result = await run_subprocess_exec(*python("for n in range(10000): print(n)"))
        assert result.stdout[-1] == "9999"
        assert result.stdout == [str(n) for n in range(10000 - len(result.stdout), 10000)]
        assert 900 < sum(len(line) + 1 for line in result.stdout) <= 1000


class TestStream:
    async def test_lines_are_handed_on_as_they_come(self):
        times = []
        program = "import time; print(1, flush=True); time.sleep(0.5); print(2)"
        await stream_subprocess_exec(
            *python(program), stdout_callback=lambda _: times.append(time.monotonic())
        )
        assert times[1] - times[0] > 0.3

    async def test_callbacks_may_be_coroutine_functions(self):
        lines = []

        async def keep(line):
            await asyncio.sleep(0)
            lines.append(line)

        code = await stream_subprocess_shell(
            "echo a; echo b >&2; exit 2", stdout_callback=keep, stderr_callback=keep
        )
        assert (code, sorted(lines)) == (2, ["a", "b"])

    async def test_output_that_nobody_wants_does_not_block(self):
        assert await stream_subprocess_exec(*python("print('x' * 10**6)"), timeout=30) == 0

    async def test_a_failing_callback_ends_the_program(self):
        pids = []

        def fail(line):
            pids.append(int(line))
            raise LookupError("no")

        with pytest.raises(LookupError, match="no"):
            await stream_subprocess_exec(*python(FAMILY), stdout_callback=fail)
        assert await gone(pids[0])

    async def test_a_program_started_by_others(self):
        """It leads no group of its own: it alone is ended."""
        process = await asyncio.create_subprocess_exec(*python(STUBBORN), stdout=asyncio.subprocess.PIPE)
        with pytest.raises(TimeoutError):
            await stream_subprocess_output(process, timeout=0.01)
        assert process.returncode in {-signal.SIGTERM, -signal.SIGKILL}


class TestTimeout:
    @pytest.mark.parametrize("timeout", [0.2, timedelta(seconds=0.2), Duration("200ms")])
    async def test_raises(self, timeout):  # noqa: ASYNC109  the forms of it
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await run_subprocess_shell("sleep 60", timeout=timeout)
        assert time.monotonic() - started < 30

    async def test_enough_time(self):
        assert (await run_subprocess_shell("echo test", timeout=60)).stdout == ["test"]

    async def test_children_are_ended_too(self):
        pids = []
        with pytest.raises(TimeoutError):
            await stream_subprocess_exec(
                *python(FAMILY), stdout_callback=lambda line: pids.append(int(line)), timeout=3
            )
        assert await gone(pids[0])

    async def test_children_that_outlive_their_parent_are_ended_too(self):
        """The parent is dead, but the pipe is open: the group is still there to be killed."""
        pids = []
        with pytest.raises(TimeoutError):
            await stream_subprocess_shell(
                "sleep 60 & echo $!", stdout_callback=lambda line: pids.append(int(line)), timeout=1
            )
        assert await gone(pids[0])

    async def test_who_does_not_terminate_is_killed(self, monkeypatch):
        monkeypatch.setattr(servo_subprocess, "_GRACE", 0.2)
        pids = []

        before = children()

        def note(_):
            pids.extend(child.pid for child in children() - before)

        with pytest.raises(TimeoutError):
            await stream_subprocess_exec(*python(STUBBORN), stdout_callback=note, timeout=3)
        assert pids
        assert all([await gone(pid) for pid in pids])


class TestCancellation:
    async def test_ends_the_whole_group(self):
        pid = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(
            stream_subprocess_exec(*python(FAMILY), stdout_callback=lambda line: pid.set_result(int(line)))
        )
        child = await pid
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await gone(child)

    async def test_a_second_one_does_not_spare_it(self):
        """Cancelled while it waits for the program to terminate, it kills it at once."""
        ready, before = asyncio.Event(), children()
        task = asyncio.create_task(
            stream_subprocess_exec(*python(STUBBORN), stdout_callback=lambda _: ready.set())
        )
        await ready.wait()
        (child,) = children() - before
        task.cancel()
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await gone(child.pid)


async def test_who_has_left_the_group_and_holds_the_output_is_not_waited_for():
    """Asyncio waits for the pipes of a program as well as for itself: a daemon would have kept us for ever."""
    program = f"{sys.executable} -c 'import os, time; os.setsid(); time.sleep(60)' & echo $!; wait"
    lines: list[str] = []
    async with asyncio.timeout(30):
        with pytest.raises(TimeoutError):
            await stream_subprocess_shell(program, timeout=timedelta(seconds=2), stdout_callback=lines.append)
    psutil.Process(int(lines[0])).kill()


async def test_nothing_is_left_open():
    """Neither descriptors nor processes, however it ends."""
    await run_subprocess_exec("/bin/true")
    before, others = psutil.Process().num_fds(), children()
    for _ in range(5):
        await run_subprocess_exec("/bin/echo", "test")
        with pytest.raises(TimeoutError):
            await run_subprocess_shell("sleep 60", timeout=0.05)
    await asyncio.sleep(0.1)
    assert psutil.Process().num_fds() <= before
    assert children() <= others
