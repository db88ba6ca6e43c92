"""An image by the text that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.images.errors import ImageReferenceError, NotFoundError
from trimtab.images.platform import Platform
from trimtab.images.reference import Reference
from trimtab.images.sources.registry.credentials import Credentials, stored_credentials

if TYPE_CHECKING:
    from trimtab.images.image import Image

__all__ = ["Access", "in_registry", "opened"]

FILES = ("oci", "oci-archive", "docker-archive")
ENGINES = ("podman", "docker")


@dataclass(frozen=True, slots=True)
class Access:
    """How an image is reached.

    Parameters:
        platform: Which of an index's images: `linux/amd64`; by default this machine's.
        credentials: Who asks a registry; without them, those that `podman login` or `docker login` kept.
        auth_file: The file these are in, if it is not one of the usual ones.
        verify_tls: Whether certificates of registries are verified. Without it plain HTTP is tried as well.
        authority: A file of certificates that are trusted besides the system's.
        mirrors: Hosts that are asked before the registry.
    """

    platform: str | None = None
    credentials: Credentials | None = None
    auth_file: Path | None = None
    verify_tls: bool = True
    authority: Path | None = None
    mirrors: tuple[str, ...] = ()


@contextmanager
def opened(text: str, access: Access | None = None) -> Iterator[Image]:
    """Open an image by a text such as `oci:PATH:TAG`; docs/container-images.md lists the forms.

    Without a scheme, a path that is there tells its kind by what lies there, and all else names an image of a registry.

    Raises:
        ImageReferenceError: The text names none.
        ImageError: It cannot be had.
    """
    access = access or Access()
    platform = Platform.parse(access.platform)
    scheme, _, rest = text.partition(":")
    if scheme == "dir":
        yield _directory(Path(rest))
    elif scheme in FILES:
        yield _file(scheme, rest, text, platform)
    elif scheme in ENGINES and not rest.startswith("//"):
        from trimtab.images.sources.storage import from_storage

        with from_storage(scheme, rest, text, platform) as image:
            yield image
    elif text and (path := _split(text)[0]).exists():
        yield _by_what_lies_there(path, text, platform)
    else:
        yield from _registry(text, access, platform)


@contextmanager
def in_registry(text: str, access: Access) -> Iterator[Image]:
    """Open an image of a registry, with these credentials alone: what a stranger names is nothing of this machine.

    Raises:
        ImageReferenceError: The text names none.
        ImageError: It cannot be had.
    """
    yield from _fetched(Reference.parse(text), access, access.credentials, Platform.parse(access.platform))


def _directory(path: Path) -> Image:
    from trimtab.images.sources.directory import root_directory

    return root_directory(path)


def _by_what_lies_there(path: Path, text: str, platform: Platform) -> Image:
    if not path.is_dir():
        return _file("archive", text, text, platform)
    if (path / "index.json").is_file() and (path / "blobs").is_dir():
        return _file("oci", text, text, platform)
    return _directory(path)


def _file(scheme: str, rest: str, text: str, platform: Platform) -> Image:
    path, tag = _split(rest)
    if not path.exists():
        raise NotFoundError(f"there is no {path}")
    if scheme == "oci":
        from trimtab.images.sources.files import Laid
        from trimtab.images.sources.layout import from_layout

        return from_layout(Laid(path), text, tag, platform)
    from trimtab.images.sources.archive import from_archive

    return from_archive(path, text, tag, platform)


def _registry(text: str, access: Access, platform: Platform) -> Iterator[Image]:
    if text.startswith((".", "/")):
        raise ImageReferenceError(f"there is no {text}")
    reference = Reference.parse(text)
    credentials = access.credentials or stored_credentials(
        reference.host, reference.repository, access.auth_file
    )
    yield from _fetched(reference, access, credentials, platform)


def _fetched(
    reference: Reference, access: Access, credentials: Credentials | None, platform: Platform
) -> Iterator[Image]:
    from trimtab.images.sources.registry.client import Registry, from_registry

    registry = Registry(credentials, access.verify_tls, access.authority, access.mirrors)
    with from_registry(reference, registry, platform) as image:
        yield image


def _split(text: str) -> tuple[Path, str | None]:
    """A path and the tag behind its colon; the path is the longest that is there, for either may have colons."""
    if "\0" in text or len(text) > 4000:  # noqa: PLR2004 # longer than any path
        raise ImageReferenceError("no name of an image")
    path, tag = text, ""
    while not Path(path).exists() and ":" in path.lstrip(":"):
        path, _, last = path.rpartition(":")
        tag = f"{last}:{tag}" if tag else last
    return Path(path), tag or None
