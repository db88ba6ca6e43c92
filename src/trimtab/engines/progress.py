"""Whether a build did something anew, read from what the builder prints."""

import re

__all__ = ["CacheWatch"]

_STEP = re.compile(rb"^(?:STEP (\d+)/\d+: (RUN|COPY|ADD)\b|STEP \d+/\d+: )")
_PLAIN = re.compile(rb"^#(\d+) \[[^\]]*\d+/\d+\] (?:RUN|COPY|ADD)\b")
_PLAIN_HIT = re.compile(rb"^#(\d+) CACHED")
_LINE_LIMIT = 4096


class CacheWatch:
    """Watches the log of a build."""

    def __init__(self) -> None:
        self._rest = b""
        self._steps: set[bytes] = set()
        self._hits: set[bytes] = set()
        self._current = b""

    @property
    def cached(self) -> bool:
        """Whether every instruction that does something was found in the cache."""
        return bool(self._steps) and self._steps <= self._hits

    def write(self, data: bytes) -> None:
        """Take a piece of the log."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:_LINE_LIMIT]
        for line in lines:
            self._line(line)

    def _line(self, line: bytes) -> None:
        if found := _STEP.match(line):
            self._current = found[1] or b""
            if self._current:
                self._steps.add(self._current)
        elif line.startswith((b"--> Using cache", b"--> Cache pulled from remote")):
            self._hits.add(self._current)
        elif found := _PLAIN.match(line):
            self._steps.add(b"#" + found[1])
        elif found := _PLAIN_HIT.match(line):
            self._hits.add(b"#" + found[1])
