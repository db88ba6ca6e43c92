"""The process that outlives a supervisor which is killed, just long enough to end what it left.

Standard library only.
"""

from __future__ import annotations

import os
import signal

from servo.connectors.process.tree import kill_marked


def watch(mark: str, reading: int, writing: int) -> None:
    """Wait for the end of the supervisor, and never return.

    Args:
        mark: The mark of the run.
        reading: Pipe that brings the session of the application, `q` if there is nothing left to do, and the end.
        writing: The pipe's other end, which only the supervisor may hold.
    """
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.dup2(reading, 0)  # nothing else may stay open: a pipe we hold is a pipe whose end nobody sees
    os.closerange(1, max(reading, writing, 1024) + 1)
    said = b""
    while data := os.read(0, 1024):
        said += data
        if b"q" in said:
            os._exit(0)
    kill_marked(mark, int(said or b"0"))
    os._exit(0)
