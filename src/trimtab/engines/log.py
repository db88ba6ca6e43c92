"""The log of a build or a run: to a file and to a listener, bounded in size."""

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from trimtab.engines.engine import LogSink

__all__ = ["LOG_LIMIT", "Log"]

LOG_LIMIT = 16 * 1024 * 1024
_END = 256 * 1024
_RECENT = 8 * 1024


class Log:
    """Writes output to a file. Of more than the limit, the beginning and the end are kept, with a line between.

    Args:
        path: The file; what was there is replaced.
        sink: Gets each piece that belongs to the beginning, as it comes.
        limit: Bytes that are kept.
    """

    def __init__(self, path: Path, sink: LogSink, limit: int = LOG_LIMIT) -> None:
        self.path = path
        self._sink = sink
        self._end_size = min(_END, limit // 2)
        self._left = limit - self._end_size
        self._end = bytearray()
        self._recent = b""
        self._dropped = 0
        self._file: BinaryIO = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def cut(self) -> bool:
        """Whether something was dropped."""
        return self._dropped > 0

    def write(self, data: bytes) -> None:
        """Take a piece of output."""
        self._recent = (self._recent + data)[-_RECENT:]
        head, rest = data[: self._left], data[self._left :]
        if head:
            self._left -= len(head)
            self._file.write(head)
            self._file.flush()  # others read it while it grows
            self._sink(head)
        if rest:
            self._end += rest
            over = max(0, len(self._end) - self._end_size)
            self._dropped += over
            del self._end[:over]

    def say(self, text: str) -> None:
        """Write a line of our own."""
        self.write(f"[trimtab] {text}\n".encode())

    def close(self) -> None:
        """Write the end, and close the file."""
        if self._file.closed:
            return
        if self.cut:
            self._file.write(f"\n[trimtab] {self._dropped} bytes were left out here\n".encode())
        self._file.write(self._end)
        self._file.close()

    def excerpt(self, lines: int = 20) -> str:
        """The last lines, as text; at most some kilobytes."""
        return "\n".join(self._recent.decode(errors="replace").splitlines()[-lines:])
