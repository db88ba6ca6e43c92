"""An image by the text that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.images.errors import ImageReferenceError, NotFoundError
from trimtab.images.platform import Platform

if TYPE_CHECKING:
    from trimtab.images.image import Image

__all__ = ["Access", "opened"]

SCHEMES = ("dir", "oci", "oci-archive", "docker-archive")


@dataclass(frozen=True, slots=True)
class Access:
    """How an image is reached.

    Parameters:
        platform: Which of an index's images: `linux/amd64`; by default this machine's.
    """

    platform: str | None = None


@contextmanager
def opened(text: str, access: Access | None = None) -> Iterator[Image]:
    """Open an image: `dir:PATH`, `oci:PATH[:TAG]`, `oci-archive:PATH[:TAG]`, `docker-archive:PATH[:TAG]`,
    or a path, whose kind is told by what lies there.

    Raises:
        ImageReferenceError: The text names none.
        ImageError: It cannot be had.
    """  # noqa: D205 # one sentence, longer than a line
    access = access or Access()
    scheme, colon, rest = text.partition(":")
    if not colon or scheme not in SCHEMES:
        scheme, rest = _by_what_lies_there(text), text
    yield _local(scheme, rest, text, Platform.parse(access.platform))


def _by_what_lies_there(text: str) -> str:
    path = _split(text)[0]
    if path.is_dir():
        return "oci" if (path / "index.json").is_file() and (path / "blobs").is_dir() else "dir"
    if path.is_file():
        return "archive"
    raise ImageReferenceError(f"{text!r} is no file, no directory, and names no other place of an image")


def _local(scheme: str, rest: str, text: str, platform: Platform) -> Image:
    if scheme == "dir":
        from trimtab.images.sources.directory import root_directory

        return root_directory(Path(rest))
    path, tag = _split(rest)
    if not path.exists():
        raise NotFoundError(f"there is no {path}")
    if scheme == "oci":
        from trimtab.images.sources.files import Laid
        from trimtab.images.sources.layout import from_layout

        return from_layout(Laid(path), text, tag, platform)
    from trimtab.images.sources.archive import from_archive

    return from_archive(path, text, tag, platform)


def _split(text: str) -> tuple[Path, str | None]:
    """A path and the tag behind its colon; a path that exists as it stands has none."""
    if Path(text).exists():
        return Path(text), None
    path, colon, tag = text.partition(":")
    return Path(path), tag if colon and tag else None
