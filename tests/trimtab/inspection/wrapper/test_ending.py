"""B27, B28: how a run ends that does not end by itself; what it prints without end; what it leaves behind."""

import os
import signal
import time
from pathlib import Path

import pytest

from trimtab.inspection.wrapper.capture import Capture

pytestmark = pytest.mark.integration

STUBBORN = "#!/bin/sh\ntrap 'echo asked' TERM\necho ready\nwhile :; do sleep 0.05; done\n"


def until(condition, seconds=20.0):
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_b28_a_script_that_takes_too_long_is_ended_and_told_of(place):
    outcome = place.run("#!/bin/sh\necho begun\nexec sleep 60\n", TRIMTAB_RUN_TIMEOUT="0.3")
    document = outcome.document
    assert (document["timed_out"], document["timeout"]) == (True, 0.3)
    assert (document["exit_code"], document["signal"], outcome.code) == (-15, 15, 241)
    assert document["stdout"] == "begun\n"
    assert 0.3 <= document["duration"] < 10


def test_b28_a_script_that_ignores_the_request_is_killed(place):
    outcome = place.run(STUBBORN, TRIMTAB_RUN_TIMEOUT="0.4", TRIMTAB_RUN_GRACE="0.3")
    document = outcome.document
    assert (document["exit_code"], document["signal"], document["timed_out"], outcome.code) == (
        -9,
        9,
        True,
        247,
    )
    assert document["stdout"].startswith("ready\nasked\n")


def test_b28_a_script_that_ends_in_order_when_asked_keeps_its_exit_code(place):
    script = "#!/bin/sh\ntrap 'echo last; exit 5' TERM\nwhile :; do sleep 0.05; done\n"
    document = place.run(script, TRIMTAB_RUN_TIMEOUT="0.4").document
    assert (document["exit_code"], document["timed_out"], document["stdout"]) == (5, True, "last\n")


def test_b28_a_signal_to_the_wrapper_is_passed_on_and_leaves_a_document(place):
    place.script("#!/bin/sh\necho partial\nexec sleep 60\n")
    process = place.start()
    until(lambda: _started(place, process))
    process.send_signal(signal.SIGTERM)
    document = place.finish(process).document
    assert (document["interrupted_by"], document["exit_code"], document["timed_out"]) == (15, -15, False)
    assert document["stdout"] == "partial\n"


def test_b28_a_second_signal_kills(place):
    script = "#!/bin/sh\ntrap 'touch asked' TERM\ntouch ready\nwhile :; do sleep 0.05; done\n"
    place.script(script)
    process = place.start(TRIMTAB_RUN_GRACE="40")
    for name in ("ready", "asked"):
        until((place.path / name).exists)
        process.send_signal(signal.SIGTERM)
    assert place.finish(process).document["exit_code"] == -9


def _started(place, process) -> bool:
    """Whether the script is the one that sleeps now."""
    return any(
        (entry / "cmdline").read_bytes() == b"sleep\x0060\x00"
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _child_of(int(entry.name), process.pid)
    )


def _child_of(pid: int, parent: int) -> bool:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) == parent
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_background_job_is_killed_with_its_script(place):
    document = place.run(f"#!/bin/sh\nsleep 60 &\necho $! > {place.path}/job\n").document
    assert (document["exit_code"], document["left_processes"]) == (0, 1)
    assert not alive(int((place.path / "job").read_text()))


def test_b28_a_daemon_is_killed_and_counted(place):
    """One that has left the session and lost its parent, holds the streams open and ignores what it can."""
    daemon = f"trap '' TERM HUP; echo $$ > {place.path}/daemon; while :; do sleep 0.05; done"
    script = f"""#!/bin/sh
setsid sh -c "{daemon.replace("$$", chr(92) + "$" + chr(92) + "$")}" &
until [ -s {place.path}/daemon ]; do sleep 0.01; done
"""
    document = place.run(script).document
    assert document["left_processes"] >= 1
    assert document["duration"] < 10
    assert not alive(int((place.path / "daemon").read_text()))


def test_b28_a_daemon_without_our_mark_is_killed_by_the_one_in_python(python):
    script = f"""#!/usr/bin/python3
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve("/bin/sh", ["sh", "-c", "echo $$ > {python.path}/daemon; exec sleep 60"], {{"PATH": "/bin"}})
    os._exit(0)
os.wait()
while not os.path.exists("{python.path}/daemon"):
    time.sleep(0.01)
"""
    assert python.run(script).document["left_processes"] == 1
    assert not alive(int((python.path / "daemon").read_text()))


def test_a_stopped_script_hears_the_request(python):
    document = python.run("#!/bin/sh\nkill -STOP $$\n", TRIMTAB_RUN_TIMEOUT="0.3").document
    assert (document["exit_code"], document["timed_out"]) == (-15, True)


@pytest.mark.parametrize(
    ("script", "code", "number"), [("kill -9 $$", -9, 9), ("kill -11 $$", -11, 11), ("exit 137", 137, None)]
)
def test_a_signal_is_told_from_an_exit_status(python, script, code, number):
    outcome = python.run(f"#!/bin/sh\n{script}\n")
    assert (outcome.document["exit_code"], outcome.document["signal"]) == (code, number)
    assert outcome.code == code % 256


def test_a_shell_says_that_it_cannot_tell_them(shell):
    document = shell.run("#!/bin/sh\nexit 137\n").document
    assert (document["exit_code"], document["signal"]) == (137, None)
    assert "cannot tell" in document["notes"][0]


def test_b27_output_without_end_is_cut_in_the_middle_and_counted(place):
    document = place.run(
        "#!/bin/sh\necho first; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last; echo short >&2\n",
        TRIMTAB_OUTPUT_LIMIT="65536",
    ).document
    assert (document["stdout_truncated"], document["stderr_truncated"]) == (True, False)
    assert document["stdout_bytes"] == 3_000_012
    text = document["stdout"]
    assert text.startswith("first\nxxx")
    assert text.endswith("xxx\nlast\n")
    assert "bytes were left out here" in text
    assert len(text) < 65536 + 100
    assert (place.path / "script.stdout").read_text() == text


def test_b27_what_is_within_the_limit_is_whole(place):
    document = place.run(
        "#!/bin/sh\nhead -c 50000 /dev/zero | tr '\\0' y\n", TRIMTAB_OUTPUT_LIMIT="65536"
    ).document
    assert (document["stdout"], document["stdout_truncated"]) == ("y" * 50000, False)


def limited(place, kib):
    """Let the wrapper, and the script, have no more than this of address space.

    Its peak tells nothing: by the kernel's account it is at least what the process had that started it.
    """
    place.command = ["/bin/sh", "-c", f'ulimit -v {kib}; exec "$0"']
    return place


def test_b27_neither_memory_nor_disk_grows_with_the_output(python):
    document = limited(python, 80_000).run("#!/bin/sh\nhead -c 400000000 /dev/zero\n").document
    assert document["stdout_bytes"] == 400_000_000
    assert (python.path / "script.stdout").stat().st_size < 5_000_000


def test_b27_a_document_of_any_bytes_is_written_in_bounded_memory(python):
    script = "#!/bin/sh\nhead -c 4000000 /dev/zero; head -c 4000000 /dev/urandom >&2\n"
    assert limited(python, 120_000).run(script).document["stdout"] == "\0" * 4_000_000


@pytest.mark.parametrize("sizes", [[0], [1], [10], [5, 5, 5], [100_000], [9, 70_000, 3], [70_000] * 9])
def test_a_capture_keeps_beginning_and_end(tmp_path, sizes):
    capture = Capture(str(tmp_path / "file"), 20)
    data = b""
    for number, size in enumerate(sizes):
        piece = bytes([97 + number % 26]) * size
        data += piece
        capture._take(piece)
    capture.close()
    os.close(capture.writing)
    kept = b"".join(capture.parts())
    assert (tmp_path / "file").read_bytes() == kept
    if len(data) <= 20:
        assert kept == data
    else:
        out = f"\n[trimtab] {len(data) - 20} bytes were left out here\n".encode()
        assert kept == data[:10] + out + data[-10:]


def test_a_capture_whose_file_cannot_be_written_keeps_all_the_same(tmp_path):
    capture = Capture(str(tmp_path / "none" / "file"), 20)
    capture._take(b"kept")
    capture.close()
    os.close(capture.writing)
    assert capture.parts() == [b"kept"]
    assert "cannot be written" in capture.problem
