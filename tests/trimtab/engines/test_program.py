"""Other programs are run to their end, whatever they leave behind."""

import asyncio
import os
import signal
import sys
from contextlib import suppress

import pytest

from trimtab.engines import program

pytestmark = pytest.mark.timeout(60)

DAEMON = """\
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    open(sys.argv[1], "w").write(str(os.getpid()))
    os.rename(sys.argv[1], sys.argv[1] + ".pid")
    time.sleep(600)
while not os.path.exists(sys.argv[1] + ".pid"):
    time.sleep(0.005)
print("said", flush=True)
"""
"""Leaves a process in a session of its own that holds its output, as a container's monitor may."""
DEAF = DAEMON + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(600)\n"


@pytest.fixture
def left(tmp_path):
    """Where the daemon writes its process id; it is ended after the test."""
    file = tmp_path / "daemon"
    yield file
    with suppress(ProcessLookupError):
        os.kill(int(file.with_name("daemon.pid").read_text()), signal.SIGKILL)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(program, "LATE", 0.05)
    monkeypatch.setattr(program, "GRACE", 0.2)


def argv(script, *arguments):
    return [sys.executable, "-I", "-c", script, *map(str, arguments)]


async def test_an_answer_has_both_outputs_and_the_code():
    script = "import sys; print('out'); print('first\\nlast', file=sys.stderr); sys.exit(3)"
    answer = await program.ask(argv(script))
    assert (answer.code, answer.stdout, answer.complaint) == (3, "out\n", "last")


async def test_what_is_printed_is_handed_on_as_it_comes():
    printed = bytearray()
    script = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(7)"
    assert await program.stream(argv(script), printed.extend) == 7
    assert printed == b"out\nerr\n"


async def test_a_command_that_has_ended_is_answered_whoever_holds_its_output(left):
    answer = await program.ask(argv(DAEMON, left), seconds=30)
    assert (answer.code, answer.stdout) == (0, "said\n")


async def test_a_program_that_has_ended_is_over_whoever_holds_its_output(left):
    printed = bytearray()
    assert await program.stream(argv(DAEMON, left), printed.extend, seconds=30) == 0
    assert printed == b"said\n"


async def test_a_command_out_of_time_is_killed_whoever_holds_its_output(left):
    """`Process.wait` of asyncio waits for the end of the pipes, too: here that never comes."""
    with pytest.raises(TimeoutError):
        await program.ask(argv(DEAF, left), seconds=1.5)


async def test_what_is_cancelled_is_ended_although_it_does_not_hear(left):
    deaf, pids = asyncio.Event(), []

    def note(data):
        if b"deaf" in data:
            deaf.set()

    script = "import os\nprint(os.getpid(), flush=True)\n" + DEAF
    running = asyncio.create_task(
        program.stream(argv(script, left), lambda data: (pids.append(data), note(data)))
    )
    await deaf.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(int(pids[0].split()[0]), 0)


async def test_what_goes_wrong_in_the_listener_ends_the_program():
    def full(_data):
        raise OSError("no space left")

    script = "import time; print('x', flush=True); time.sleep(600)"
    with pytest.raises(OSError, match="no space left"):
        await program.stream(argv(script), full)
