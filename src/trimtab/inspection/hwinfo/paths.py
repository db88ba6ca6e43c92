"""Paths, without the standard library's module: to import `os`, and with it abstract classes, takes longer than all that is read.

What `os` has of the system is in `posix`. Paths are those of Linux.
"""

import posix

DEFAULT_PATH = "/bin:/usr/bin"
"""Where programs are looked for, if the environment does not say."""

_FORMAT, _DIRECTORY = 0o170000, 0o040000  # of a mode, as stat(2) has them
_FOLLOWING = 0o10000000 | posix.O_CLOEXEC  # O_PATH: where it leads, and nothing of what is there


def join(directory: str, name: str) -> str:
    """A name in a directory, unless it is a path from the root."""
    return name if name.startswith("/") else directory.rstrip("/") + "/" + name if directory else name


def dirname(path: str) -> str:
    """Without the last part."""
    return path.rpartition("/")[0] or ("/" if path.startswith("/") else "")


def basename(path: str) -> str:
    """The last part."""
    return path.rpartition("/")[2]


def abspath(path: str) -> str:
    """From the root on, without `.` and `..`; links are not looked at."""
    parts: list[str] = []
    for part in join(posix.getcwd(), path).split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return "/" + "/".join(parts)


def realpath(path: str) -> str:
    """Where a path leads, links followed by the kernel; the path itself, if it leads nowhere."""
    try:
        number = posix.open(path, _FOLLOWING)
    except (OSError, ValueError):
        return abspath(path)
    try:
        return posix.readlink("/proc/self/fd/" + str(number))
    except OSError:
        return abspath(path)
    finally:
        posix.close(number)


def exists(path: str) -> bool:
    """Whether there is something."""
    return _mode(path) is not None


def isdir(path: str) -> bool:
    """Whether there is a directory."""
    mode = _mode(path)
    return mode is not None and mode & _FORMAT == _DIRECTORY


def make(directory: str) -> None:
    """Make a directory, and those above it, unless it is there.

    Raises:
        OSError: It cannot be made.
    """
    if isdir(directory):
        return
    above = dirname(directory)
    if above not in {"", directory}:
        make(above)
    try:
        posix.mkdir(directory)
    except FileExistsError:
        if not isdir(directory):
            raise


def _mode(path: str) -> "int | None":
    try:
        return posix.stat(path).st_mode
    except (OSError, ValueError):
        return None
