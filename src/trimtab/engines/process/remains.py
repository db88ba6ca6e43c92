"""What is left of a run whose supervisor was killed, and its end."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["MARK", "kill_marked"]

MARK = "TRIMTAB_RUN"
"""Environment variable that marks all processes of one run."""


def kill_marked(mark: str, seconds: float = 10.0) -> bool:
    """Kill all processes that carry a mark; False, if there are some left after a time."""
    deadline = time.monotonic() + seconds
    needle = f"{MARK}={mark}".encode()
    while found := _marked(needle):
        if time.monotonic() > deadline:
            return False
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    return True


def _marked(needle: bytes) -> list[int]:
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with suppress(OSError):
                if needle in (path / "environ").read_bytes().split(b"\0"):
                    found.append(int(path.name))
    return found
