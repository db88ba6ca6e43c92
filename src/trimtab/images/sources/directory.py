"""A root directory as an image of one layer: no link in it is followed by this machine."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.images.errors import LimitError, NotFoundError
from trimtab.images.image import Image
from trimtab.images.member import Kind, Member

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trimtab.images.finding import Findings
    from trimtab.images.image import Members
    from trimtab.images.limits import Limits

__all__ = ["root_directory"]

READ = 128 << 10
KINDS = {stat.S_IFREG: Kind.file, stat.S_IFDIR: Kind.directory, stat.S_IFLNK: Kind.symlink}
ELSEWHERE = ("proc", "sys", "dev")  # what the kernel shows there belongs to this machine


def root_directory(path: Path) -> Image:
    """The image that lies unpacked in a directory.

    Raises:
        NotFoundError: There is no such directory.
    """
    if not path.is_dir():
        raise NotFoundError(f"there is no directory {path}")
    return Image(str(path), [_Root(path)])


@dataclass(frozen=True, slots=True)
class _Root:
    path: Path
    digest: str | None = None
    size: int = 0

    @contextmanager
    def members(self, limits: Limits, findings: Findings) -> Iterator[Members]:
        yield _Walk(self.path, limits, findings)


class _Walk:
    """Everything below a directory."""

    def __init__(self, root: Path, limits: Limits, findings: Findings) -> None:
        self._root, self._limits, self._findings = root, limits, findings
        self._current: os.DirEntry[str] | None = None

    def __iter__(self) -> Iterator[Member]:
        waiting, count = [(os.fspath(self._root), "")], 0
        while waiting:
            directory, prefix = waiting.pop()
            for entry in self._entries(directory, prefix):
                count += 1
                if count > self._limits.members:
                    raise LimitError(f"more than {self._limits.members} files")
                member = self._told(entry, prefix)
                if member is None:
                    continue
                if member.kind is Kind.directory and member.path not in ELSEWHERE:
                    waiting.append((entry.path, member.path + "/"))
                yield member

    def content(self) -> Iterator[bytes]:
        """Pieces of the current file."""
        entry = self._current
        if entry is None:
            return
        try:
            descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            self._findings.add("unreadable", f"cannot be read: {error.strerror}", entry.name)
            return
        with os.fdopen(descriptor, "rb") as file:
            left = entry.stat(follow_symlinks=False).st_size  # a file that grows meanwhile ends here
            while left > 0 and (piece := file.read(min(READ, left))):
                left -= len(piece)
                yield piece

    def _entries(self, directory: str, prefix: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(directory) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._findings.add("unreadable", f"cannot be read: {error.strerror}", prefix.rstrip("/"))
            return []

    def _told(self, entry: os.DirEntry[str], prefix: str) -> Member | None:
        try:
            return self._member(entry, prefix)
        except OSError as error:  # gone meanwhile
            self._findings.add("unreadable", f"cannot be read: {error.strerror}", prefix + entry.name)
            return None

    def _member(self, entry: os.DirEntry[str], prefix: str) -> Member:
        self._current = entry
        status = entry.stat(follow_symlinks=False)
        kind = KINDS.get(stat.S_IFMT(status.st_mode), Kind.other)
        target = os.fspath(Path(entry.path).readlink()) if kind is Kind.symlink else ""
        return Member(prefix + entry.name, kind, status.st_size, stat.S_IMODE(status.st_mode), target)
