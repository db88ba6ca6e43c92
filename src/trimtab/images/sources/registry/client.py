"""Images in a registry, by the distribution API: HTTPS, a token or basic authentication, manifests and blobs by digest.

Credentials are given to nobody but the registry, or the service of tokens that it names over TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from trimtab.images.errors import ImageError, ImageReferenceError
from trimtab.images.reference import is_host, is_repository
from trimtab.images.sources.registry.connection import Connection
from trimtab.images.sources.registry.credentials import Credentials, stored_credentials
from trimtab.images.sources.registry.repository import Repository, Site
from trimtab.images.sources.registry.retries import Retries

if TYPE_CHECKING:
    from trimtab.images.image import Image
    from trimtab.images.platform import Platform
    from trimtab.images.reference import Reference

__all__ = ["Registry", "from_registry", "repository_tags"]

T = TypeVar("T")
DOCKER_HUB = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}


@dataclass(frozen=True, slots=True)
class Registry:
    """How registries are reached.

    Parameters:
        credentials: Who asks; without them, those that are stored.
        auth_file: The file they are stored in, if it is not one of the usual ones.
        verify_tls: Whether certificates are verified. Without it plain HTTP is tried as well.
        authority: A file of certificates that are trusted besides the system's.
        mirrors: Who is asked before the host of the name: `HOST[:PORT][/PATH]`. Each with its own stored credentials.
        retries: When they are asked again.
        stored: Whether stored credentials are used at all.
    """

    credentials: Credentials | None = None
    auth_file: Path | None = None
    verify_tls: bool = True
    authority: Path | None = None
    mirrors: tuple[str, ...] = ()
    retries: Retries = field(default_factory=Retries)
    stored: bool = True

    def kept(self, host: str, path: str) -> Credentials | None:
        """The stored credentials of a repository."""
        return stored_credentials(host, path, self.auth_file) if self.stored else None


@contextmanager
def from_registry(reference: Reference, registry: Registry, platform: Platform) -> Iterator[Image]:
    """Open an image. Its layers are fetched as they are read.

    Raises:
        AccessError, NotFoundError, CertificateError, RateLimitError, UnavailableError: It cannot be had.
        CorruptError: A document is not what its digest says.
    """
    with _connection(registry) as connection:
        yield _first(connection, reference, registry, lambda found: found.image(reference, platform))


def repository_tags(reference: Reference, registry: Registry) -> list[str]:
    """The tags of an image's repository.

    Raises:
        ImageError: They cannot be had.
    """
    with _connection(registry) as connection:
        return _first(connection, reference, registry, Repository.tags)


@contextmanager
def _connection(registry: Registry) -> Iterator[Connection]:
    connection = Connection(verify_tls=registry.verify_tls, authority=registry.authority)
    try:
        yield connection
    finally:
        connection.close()


def _first(
    connection: Connection, reference: Reference, registry: Registry, ask: Callable[[Repository], T]
) -> T:
    """What the first mirror has that has it, or the registry itself."""
    plain = not registry.verify_tls
    host, path = reference.host, reference.repository
    sites = [_mirror(each, path, plain=plain) for each in registry.mirrors]

    def at(site: Site, credentials: Credentials | None, origin: Repository | None = None) -> Repository:
        return Repository(connection, site, credentials, registry.retries, origin)

    own = registry.credentials or registry.kept(host, path)
    origin = at(Site(DOCKER_HUB.get(host, host), path, plain), own)
    for site in sites:
        try:
            # A mirror does not get the credentials of the registry it stands for.
            return ask(at(site, registry.kept(site.host, site.path), origin))
        except ImageError:
            continue
    return ask(origin)


def _mirror(text: str, path: str, *, plain: bool) -> Site:
    host, slash, prefix = text.rstrip("/").partition("/")
    if not is_host(host) or (slash and not is_repository(prefix)):
        raise ImageReferenceError(f"{text[:100]!r} is no mirror: write it as HOST[:PORT][/PATH]")
    return Site(host, f"{prefix}/{path}" if prefix else path, plain)
