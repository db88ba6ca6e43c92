"""What an application writes: kept, bounded and searched. Standard library only."""

# Importing pathlib takes as long as all that is done here:
# ruff: noqa: PTH105
from __future__ import annotations

import collections
import os
import re
import signal

LINES = 50
LINE_LENGTH = 500
MATCHED_LENGTH = 2000
MATCH_SECONDS = 0.1


class Output:
    """What an application writes: a bounded log, its last lines, and whether a line matches a pattern.

    Args:
        path: The log; when half of `limit` is reached it becomes `<path>.1`, so that both stay below the limit.
        limit: Bytes.
        pattern: Regular expression searched in each line until it is found once.
    """

    def __init__(self, path: str, limit: int, pattern: str | None) -> None:
        self.lines: collections.deque[str] = collections.deque(maxlen=LINES)
        self.matched = False
        self.slow = False
        self._path = path
        self._limit = max(limit // 2, 1)
        self._pattern = re.compile(pattern) if pattern else None
        self._rest = b""
        self._file = self._open()
        self._size = os.fstat(self._file).st_size

    def _open(self) -> int:
        return os.open(
            self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )

    def feed(self, data: bytes) -> None:
        """Take in what was written."""
        self._write(data)
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-MATCHED_LENGTH:]
        for line in lines:
            self._line(line)

    def close(self) -> None:
        """Take the rest for a line."""
        if self._rest:
            self._line(self._rest)
        self._rest = b""

    def _line(self, raw: bytes) -> None:
        text = raw[:MATCHED_LENGTH].decode("utf-8", "replace").rstrip("\r")
        self.lines.append(text[:LINE_LENGTH])
        if self._pattern and not self.matched:
            self.matched = self._search(self._pattern, text)

    def _search(self, pattern: re.Pattern[str], text: str) -> bool:
        # A pattern may take exponential time on an unlucky line; the alarm interrupts it, once and for all.
        try:
            signal.setitimer(signal.ITIMER_REAL, MATCH_SECONDS)
            try:
                return pattern.search(text) is not None
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except TimeoutError:
            self.slow = True
            self._pattern = None
            return False

    def _write(self, data: bytes) -> None:
        # A full disk must not stop the application.
        try:
            if self._size + len(data) > self._limit:
                self._rotate()
            self._size += os.write(self._file, data[-self._limit :])
        except OSError:
            return

    def _rotate(self) -> None:
        os.replace(self._path, self._path + ".1")
        os.close(self._file)
        self._file = self._open()
        self._size = 0


def arm_alarm() -> None:
    """Let the alarm of this process end a search that takes too long."""
    signal.signal(signal.SIGALRM, _too_slow)


def _too_slow(*_: object) -> None:
    raise TimeoutError
