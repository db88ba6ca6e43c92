"""Blobs by name, wherever they lie: what an OCI layout and an archive have in common."""

from __future__ import annotations

import posixpath
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, Self

from trimtab.images.compression import GZIP
from trimtab.images.errors import CorruptError, LimitError, NotFoundError, UnavailableError
from trimtab.images.finding import Findings
from trimtab.images.limits import Limits
from trimtab.images.member import Kind
from trimtab.images.tar import TarReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from trimtab.images.compression import Stream

__all__ = ["Archived", "Files", "Laid", "read"]

MOST, MOST_LINKS = 100_000, 10


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


@dataclass(frozen=True, slots=True)
class Part:
    """One member of an archive: what it is, where its content lies, and where a link leads."""

    kind: Kind
    offset: int
    size: int
    target: str


class Archived:
    """Files in a tar archive that lies in a file; links in it lead to its members only."""

    def __init__(self, path: Path, parts: dict[str, Part]) -> None:
        self._path, self._parts = path, parts

    @classmethod
    def at(cls, path: Path) -> Self:
        """Read the archive's table.

        Raises:
            CorruptError: It is none.
        """
        limits = Limits(members=MOST)
        try:
            with path.open("rb") as file:
                _refuse_compressed(file)
                reader = TarReader(file, limits, Findings(), seek=file.seek)
                return cls(
                    path,
                    {each.path: Part(each.kind, reader.position, each.size, each.target) for each in reader},
                )
        except LimitError as error:
            raise LimitError(f"{path} is no archive of an image: {error}") from None
        except CorruptError as error:
            raise CorruptError(f"{path} is no archive of an image: {error}") from None
        except OSError as error:
            raise UnavailableError(f"{path}: {error.strerror or error}") from None

    @contextmanager
    def open(self, name: str) -> Iterator[Stream]:
        """Open one."""
        part = self._part(name)
        try:
            file = self._path.open("rb")
        except OSError as error:
            raise UnavailableError(f"{self._path}: {error.strerror or error}") from None
        with file:
            file.seek(part.offset)
            yield _Section(file, part.size)

    def size(self, name: str) -> int:
        """Bytes of one."""
        return self._part(name).size

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def _part(self, name: str) -> Part:
        for _ in range(MOST_LINKS):
            part = self._parts.get(name)
            if part is None:
                break
            if part.kind is Kind.file:
                return part
            # Docker's archives name a layer that two images share by a link, relative to its own directory.
            base = name.rpartition("/")[0] if part.kind is Kind.symlink else ""
            name = posixpath.normpath(posixpath.join(base, part.target))
        raise NotFoundError(f"{self._path} has no {name}")


def _refuse_compressed(file: IO[bytes]) -> None:
    """An archive that is compressed as a whole cannot be read at its parts."""
    head = file.read(len(GZIP))
    file.seek(0)
    if head == GZIP:
        raise CorruptError("it is compressed as a whole; decompress it first (gunzip)")


class _Section:
    """A part of a file."""

    def __init__(self, file: Stream, size: int) -> None:
        self._file, self._left = file, size

    def read(self, size: int = -1, /) -> bytes:
        """Return up to this many bytes; none at the end."""
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data
