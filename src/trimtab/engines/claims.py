"""Which inspections a living process works on.

`expire` may run in one process while another one builds. A claim is a lock on a file, which the kernel releases when
its holder ends, however that comes about: no process id that could be another's by then, no heartbeat to miss.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

__all__ = ["Claims"]


class Claims:
    """The claims of one engine in this process.

    Args:
        directory: Where the files are; shared by the processes that share the engine's state.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: dict[str, int] = {}

    def take(self, inspection: str) -> None:
        """Claim an inspection, until it is released or this process ends. Several processes may claim the same."""
        if inspection in self._held:
            return
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._directory / inspection, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        self._held[inspection] = descriptor

    def release(self, inspection: str) -> None:
        """Give a claim up; nothing happens if there is none."""
        descriptor = self._held.pop(inspection, None)
        if descriptor is not None:
            os.close(descriptor)
        if self.is_free(inspection):
            (self._directory / inspection).unlink(missing_ok=True)

    def is_free(self, inspection: str) -> bool:
        """Whether no living process, this one included, claims it."""
        if inspection in self._held:
            return False
        try:
            descriptor = os.open(self._directory / inspection, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return True
        try:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            return False
        finally:
            os.close(descriptor)
