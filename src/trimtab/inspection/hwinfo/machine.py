"""The files in which a kernel and an operating system tell of themselves."""

import posix
import sys

from trimtab.inspection.hwinfo.paths import basename, exists

_LIMIT = 4 * 1024 * 1024


class Machine:
    """Reads small files. What is missing, unreadable or no number is None: no machine has all of them.

    Args:
        root: The directory in which `/proc`, `/sys` and `/etc` are looked for; "" is this machine.

    Attributes:
        caches: Directory, level and type of the first processor's caches, once they were looked for.
    """

    def __init__(self, root: str = "") -> None:
        self.root = root
        self.caches: list[tuple[str, int | None, str | None]] | None = None

    def data(self, path: str, limit: int = _LIMIT) -> "bytes | None":
        """The beginning of a file, at most `limit` bytes of it."""
        try:
            # Not to wait for ever, should the image have a named pipe in the place of a file.
            number = posix.open(self.root + path, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
        except (OSError, ValueError):
            return None
        try:
            return _read(number, limit)
        except OSError:
            return None
        finally:
            posix.close(number)

    def text(self, path: str, limit: int = _LIMIT) -> "str | None":
        """The same as text, without white space at its ends."""
        data = self.data(path, limit)
        return None if data is None else data.decode("utf-8", "replace").strip().strip("\0")

    def lines(self, path: str, limit: int = _LIMIT) -> "list[str]":
        """Its lines; none if there is no such file."""
        return (self.text(path, limit) or "").splitlines()

    def integer(self, path: str) -> "int | None":
        """The number that is all of a file."""
        return integer(self.text(path, 64))

    def names(self, path: str) -> "list[str]":
        """What is in a directory, sorted; nothing if there is none."""
        try:
            return sorted(posix.listdir(self.root + path))
        except OSError:
            return []

    def exists(self, path: str) -> bool:
        """Whether there is such a file or directory."""
        return exists(self.root + path)

    def target(self, path: str) -> "str | None":
        """The last part of what a symbolic link points to."""
        try:
            return basename(posix.readlink(self.root + path))
        except OSError:
            return None


def variables() -> "dict[str, str]":
    """The variables that this process was started with."""
    encoding = sys.getfilesystemencoding()
    both = ((name, value) for name, value in posix.environ.items())
    return {n.decode(encoding, "surrogateescape"): v.decode(encoding, "surrogateescape") for n, v in both}


def integer(text: "str | None", base: int = 10) -> "int | None":
    """A number, if the text is one."""
    try:
        return None if text is None else int(text, base)
    except ValueError:
        return None


def pairs(lines: "list[str]", separator: str = ":") -> "dict[str, str]":
    """Lines of `name: value` as a dictionary; the first of a name counts."""
    found: dict[str, str] = {}
    for line in lines:
        name, between, value = line.partition(separator)
        if between:
            found.setdefault(name.strip(), value.strip())
    return found


def _read(number: int, limit: int) -> bytes:
    pieces, left = [], limit
    while left > 0:
        piece = posix.read(number, min(left, 65536))
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
