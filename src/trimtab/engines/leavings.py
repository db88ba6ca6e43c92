"""What a run leaves in its output directory, made safe to read.

The script of a run decides what is there. Whoever reads a result afterwards may be root, and must not follow a link to
somebody's secrets, wait on a pipe or drown in gigabytes.
"""

import os
import shutil
import stat
from pathlib import Path

__all__ = ["LEAVINGS_LIMIT", "size_of", "tidy"]

LEAVINGS_LIMIT = 256 * 1024 * 1024
_ENTRIES = 100_000


def tidy(directory: Path, limit: int = LEAVINGS_LIMIT) -> tuple[str, ...]:
    """Remove from a directory all that is no regular file of its own, and files that exceed the limit together.

    Args:
        directory: What the run could write to.
        limit: Bytes that may stay.

    Returns:
        What was removed, in plain words.
    """
    notes = []
    for entry in sorted(_entries(directory), key=lambda entry: (_length(entry), entry.name)):
        name, problem = entry.name[:100], _problem(entry)
        if problem is None:
            limit -= _length(entry)
            problem = "exceeds the limit of what a run may leave" if limit < 0 else None
        if problem:
            _remove(Path(entry.path))
            notes.append(f"{name!r} was removed from the results: it {problem}")
    return tuple(notes[:20])


def size_of(directory: Path, limit: int) -> int:
    """The disk space of all below a directory in bytes, counted until it exceeds the limit."""
    total, count = 0, 0
    waiting = [os.fspath(directory)]
    while waiting and total <= limit:
        for entry in _entries(Path(waiting.pop())):
            count += 1
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            total += _size(entry)
        if count > _ENTRIES:  # that many small files are as bad as a big one, and counting them takes long
            return limit + 1
    return total


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as found:
            return list(found)
    except OSError:
        return []


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except OSError:
        return 0


def _length(entry: os.DirEntry[str]) -> int:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return 0
    return max(found.st_size, found.st_blocks * 512)  # a file of holes takes no space until it is read


def _problem(entry: os.DirEntry[str]) -> str | None:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return "cannot be read"
    if not stat.S_ISREG(found.st_mode):
        return "is no regular file"
    return "has a second name elsewhere" if found.st_nlink > 1 else None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
