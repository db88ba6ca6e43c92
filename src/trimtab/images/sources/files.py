"""Blobs by name, wherever they lie: what an OCI layout and an archive have in common."""

from __future__ import annotations

import tarfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from trimtab.images.errors import CorruptError, LimitError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from trimtab.images.compression import Stream

__all__ = ["Archived", "Files", "Laid", "read"]

MOST = 100_000


class Files(Protocol):
    """Files by relative name."""

    def open(self, name: str) -> AbstractContextManager[Stream]:
        """Open one; `NotFoundError` if there is none."""

    def size(self, name: str) -> int:
        """Its bytes; `NotFoundError` if there is none."""


def read(files: Files, name: str, limit: int) -> bytes:
    """All of a file.

    Raises:
        LimitError: It has more bytes.
    """
    if files.size(name) > limit:
        raise LimitError(f"{name} has {files.size(name)} bytes; at most {limit} are read of a document")
    with files.open(name) as stream:
        pieces = []
        while piece := stream.read(limit):
            pieces.append(piece)
        return b"".join(pieces)


class Laid:
    """Files in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def open(self, name: str) -> Iterator[Stream]:
        """Open one."""
        try:
            file = (self._directory / name).open("rb")
        except FileNotFoundError:
            raise NotFoundError(f"{self._directory} has no {name}") from None
        except OSError as error:
            raise UnavailableError(f"{self._directory / name}: {error.strerror}") from None
        with file:
            yield file

    def size(self, name: str) -> int:
        """Bytes of one."""
        try:
            return (self._directory / name).stat().st_size
        except OSError:
            raise NotFoundError(f"{self._directory} has no {name}") from None


class Archived:
    """Files in a tar archive that lies in a file; links in it lead to its members only."""

    def __init__(self, path: Path, members: dict[str, tarfile.TarInfo]) -> None:
        self._path, self._members = path, members

    @classmethod
    def at(cls, path: Path) -> Self:
        """Read the archive's table.

        Raises:
            CorruptError: It is none.
        """
        members: dict[str, tarfile.TarInfo] = {}
        try:
            with tarfile.open(path) as archive:
                for member in archive:
                    members[member.name.removeprefix("./")] = member
                    if len(members) > MOST:
                        raise LimitError(f"{path} has more than {MOST} members: no archive of an image")
        except (tarfile.TarError, EOFError, ValueError) as error:
            raise CorruptError(f"{path} is no tar archive: {error}") from None
        except OSError as error:
            raise UnavailableError(f"{path}: {error.strerror or error}") from None
        return cls(path, members)

    @contextmanager
    def open(self, name: str) -> Iterator[Stream]:
        """Open one."""
        member = self._member(name)
        try:
            with tarfile.open(self._path) as archive:
                stream = archive.extractfile(member)
                if stream is None:
                    raise NotFoundError(f"{self._path} has no file {name}")
                with stream:
                    yield stream
        except tarfile.TarError as error:
            raise CorruptError(f"{self._path}: {error}") from None

    def size(self, name: str) -> int:
        """Bytes of one."""
        return self._member(name).size

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def _member(self, name: str) -> tarfile.TarInfo:
        for _ in range(10):
            member = self._members.get(name)
            if member is None:
                break
            if member.isfile():
                return member
            if not (member.issym() or member.islnk()):
                break
            # Docker's archives name a layer that two images share by a link, relative to its own directory.
            name = _resolved(name, member)
        raise NotFoundError(f"{self._path} has no {name}")


def _resolved(name: str, member: tarfile.TarInfo) -> str:
    import posixpath

    base = posixpath.dirname(name) if member.issym() else ""
    return posixpath.normpath(posixpath.join(base, member.linkname))
