"""A stream of the script's, kept in part.

Policy: it is read to its end, however long it is, so that the script never waits for it for good. Kept are its
beginning and its end; what is between is counted and left out.
"""

import posix

_CHUNK = 65536
_TAIL = 256 * 1024


class Capture:
    """Reads one stream.

    Args:
        path: The file that what is kept is written to as it comes; where that fails, it is kept all the same.
        limit: Bytes that are kept.

    Attributes:
        reading: The descriptor to read.
        writing: The script's end.
        seen: Bytes that came.
        problem: Why the file is not complete.
    """

    def __init__(self, path: str, limit: int) -> None:
        self.reading, self.writing = posix.pipe()
        posix.set_blocking(self.reading, False)
        self.seen = 0
        self.problem: str | None = None
        self.ended = False
        self._path = path
        self._tail_size = min(_TAIL, limit // 2)
        self._head_size = limit - self._tail_size
        self._head = bytearray()
        self._tail = bytearray()
        self._file = self._open()

    @property
    def truncated(self) -> bool:
        """Whether something was left out."""
        return self.seen > len(self._head) + self._tail_size

    def read(self) -> bool:
        """Take what there is, at most some kilobytes; whether there was something."""
        try:
            data = posix.read(self.reading, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self.ended = True
            return False
        self._take(data)
        return True

    def close(self) -> None:
        """Write the end to the file."""
        for part in self.parts()[1:] if self.truncated else [bytes(self._tail)]:
            self._write(part)
        if self._file >= 0:
            posix.close(self._file)
            self._file = -1
        posix.close(self.reading)

    def parts(self) -> "list[bytes]":
        """All of it; or the beginning, a line that says what is left out, and the end."""
        if not self.truncated:
            return [bytes(self._head + self._tail)]
        tail = bytes(self._tail[-self._tail_size :]) if self._tail_size else b""
        out = self.seen - len(self._head) - len(tail)
        return [bytes(self._head), f"\n[trimtab] {out} bytes were left out here\n".encode(), tail]

    def _take(self, data: bytes) -> None:
        self.seen += len(data)
        room = self._head_size - len(self._head)
        if room > 0:
            self._head += data[:room]
            self._write(data[:room])
            data = data[room:]
        self._tail += data
        if len(self._tail) > self._tail_size + 4 * _CHUNK:
            del self._tail[: len(self._tail) - self._tail_size]

    def _write(self, data: bytes) -> None:
        try:
            while data and self._file >= 0:
                data = data[posix.write(self._file, data) :]
        except OSError as error:
            self.problem = f"{self._path} is not complete: {error.strerror}"
            posix.close(self._file)
            self._file = -1

    def _open(self) -> int:
        flags = posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_NONBLOCK | posix.O_CLOEXEC
        try:
            return posix.open(self._path, flags, 0o666)
        except OSError as error:
            self.problem = f"{self._path} cannot be written: {error.strerror}"
            return -1
