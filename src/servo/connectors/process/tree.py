"""The processes of this machine, and which of them belong to a run of an application.

The supervisor's and its watcher's eyes and hands: standard library only.
"""

# Importing pathlib takes as long as all that is done here:
# ruff: noqa: PTH123, PTH208
from __future__ import annotations

import ctypes
import os
import signal
import time

MARK = "SERVO_PROCESS_MARK"
"""Environment variable that marks all processes of one run."""

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_KILL_SECONDS = 20.0


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process.

    Raises:
        OSError: The kernel refuses.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


def processes(*, ended: bool = False) -> dict[int, tuple[int, int]]:
    """Parent and session of each process of this machine; those that nobody has waited for yet only on demand."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # The name, in parentheses, may hold anything; state, parent, group and session follow it.
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if ended or fields[0] not in {b"Z", b"X"}:
            found[int(name)] = (int(fields[1]), int(fields[3]))
    return found


def descendants(root: int, known: dict[int, tuple[int, int]]) -> set[int]:
    """All processes below one."""
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in known.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        new = [pid for pid in children.get(waiting.pop(), ()) if pid not in found]
        found.update(new)
        waiting.extend(new)
    return found


def marked(mark: str, session: int) -> set[int]:
    """All processes that carry a mark or belong to a session, and what is below them."""
    known = processes()
    needle = f"{MARK}={mark}".encode()
    found = {pid for pid, (_, sid) in known.items() if (session and sid == session) or _carries(pid, needle)}
    for pid in list(found):
        found |= descendants(pid, known)
    return found - {os.getpid()}


def _carries(pid: int, needle: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return needle in file.read().split(b"\0")
    except OSError:
        return False


def kill(pids: set[int], number: int) -> None:
    """Send a signal to processes, those excepted that have ended meanwhile."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def kill_marked(mark: str, session: int, seconds: float = _KILL_SECONDS) -> bool:
    """Kill everything of a run until nothing is left; False if something still is after some seconds."""
    deadline = time.monotonic() + seconds
    while left := marked(mark, session):
        if time.monotonic() > deadline:
            return False
        kill(left, signal.SIGKILL)
        time.sleep(0.01)
    return True
