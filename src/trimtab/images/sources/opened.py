"""An image by the text that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.images.errors import ImageReferenceError, NotFoundError
from trimtab.images.platform import Platform
from trimtab.images.reference import Reference
from trimtab.images.sources.registry.credentials import Credentials
from trimtab.images.sources.registry.retries import Retries

if TYPE_CHECKING:
    from trimtab.images.image import Image
    from trimtab.images.sources.registry.client import Registry

__all__ = ["Access", "in_registry", "opened", "tags"]

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
        mirrors: Who is asked before the registry: `HOST[:PORT][/PATH]`.
        retries: When a registry is asked again.
        stored: Whether credentials that this machine keeps are used; not for what a stranger names.
    """

    platform: str | None = None
    credentials: Credentials | None = None
    auth_file: Path | None = None
    verify_tls: bool = True
    authority: Path | None = None
    mirrors: tuple[str, ...] = ()
    retries: Retries = field(default_factory=Retries)
    stored: bool = True


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


def tags(text: str, access: Access | None = None) -> list[str]:
    """The tags of an image's repository in a registry, in the registry's order.

    Raises:
        ImageReferenceError: The text names no image of a registry.
        ImageError: They cannot be had.
    """
    from trimtab.images.sources.registry.client import repository_tags

    return repository_tags(Reference.parse(text), _reached(access or Access()))


@contextmanager
def in_registry(text: str, access: Access) -> Iterator[Image]:
    """Open an image of a registry, whatever lies on this machine by that name.

    Raises:
        ImageReferenceError: The text names none.
        ImageError: It cannot be had.
    """
    from trimtab.images.sources.registry.client import from_registry

    registry = _reached(access)
    with from_registry(Reference.parse(text), registry, Platform.parse(access.platform)) as image:
        yield image


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
    from trimtab.images.sources.registry.client import from_registry

    with from_registry(Reference.parse(text), _reached(access), platform) as image:
        yield image


def _reached(access: Access) -> Registry:
    from trimtab.images.sources.registry.client import Registry

    return Registry(
        access.credentials,
        access.auth_file,
        access.verify_tls,
        access.authority,
        access.mirrors,
        access.retries,
        access.stored,
    )


def _split(text: str) -> tuple[Path, str | None]:
    """A path and the tag behind its colon; the path is the longest that is there, for either may have colons."""
    if "\0" in text or len(text) > 4000:  # noqa: PLR2004 # longer than any path
        raise ImageReferenceError("no name of an image")
    path, tag = text, ""
    while not Path(path).exists() and ":" in path.lstrip(":"):
        path, _, last = path.rpartition(":")
        tag = f"{last}:{tag}" if tag else last
    return Path(path), tag or None
