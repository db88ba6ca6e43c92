"""The distribution API: manifests and blobs, with whatever authentication the registry asks for.

A secret goes into headers and bodies only, and to nobody but the registry, or the service of tokens that it names over TLS.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trimtab.images.blob import Blob, check
from trimtab.images.errors import CorruptError, LimitError, NotFoundError, UnavailableError
from trimtab.images.image import Image
from trimtab.images.limits import Limits
from trimtab.images.manifest import config_digest, descriptors, index_entries, parsed
from trimtab.images.platform import Platform, chosen
from trimtab.images.sources.registry.authorization import Authorization
from trimtab.images.sources.registry.failures import checked, raise_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

    from trimtab.images.compression import Stream
    from trimtab.images.reference import Reference
    from trimtab.images.sources.registry.credentials import Credentials

__all__ = ["Registry", "from_registry"]

ACCEPTED = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
DEEPEST = 4
PATIENCE = 30.0  # seconds without a byte
LONGEST = 120.0  # seconds for a document
PIECE = 128 << 10
DOCKER_HUB = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}


@dataclass(frozen=True, slots=True)
class Registry:
    """How registries are reached.

    Parameters:
        credentials: Who asks; None asks anonymously.
        verify_tls: Whether certificates are verified. Without it plain HTTP is tried as well.
        authority: A file of certificates that are trusted besides the system's.
        mirrors: Hosts that are asked before the one of the name.
    """

    credentials: Credentials | None = None
    verify_tls: bool = True
    authority: Path | None = None
    mirrors: tuple[str, ...] = ()


@contextmanager
def from_registry(reference: Reference, registry: Registry, platform: Platform) -> Iterator[Image]:
    """Open an image. Its layers are fetched as they are read.

    Raises:
        AccessError, NotFoundError, CertificateError, RateLimitError, UnavailableError: It cannot be had.
        CorruptError: A document is not what its digest says.
    """
    with _client(registry) as client:
        yield _first(
            [
                partial(_open, client, host, reference, registry, platform)
                for host in (*registry.mirrors, reference.host)
            ]
        )


def _first(attempts: list[partial[Image]]) -> Image:
    """The image of the first host that has it; what a mirror lacks, the next is asked for."""
    for attempt in attempts[:-1]:
        try:
            return attempt()
        except (UnavailableError, NotFoundError):
            continue
    return attempts[-1]()


def _open(
    client: httpx2.Client, host: str, reference: Reference, registry: Registry, platform: Platform
) -> Image:
    # A mirror does not get the credentials of the registry it stands for.
    credentials = registry.credentials if host == reference.host else None
    return _Repository(client, host, reference, credentials, plain=not registry.verify_tls).image(platform)


def _client(registry: Registry) -> httpx2.Client:
    import ssl

    import httpx2

    verify: ssl.SSLContext | bool = registry.verify_tls
    if registry.verify_tls:
        verify = ssl.create_default_context()
        if registry.authority:
            try:
                verify.load_verify_locations(registry.authority)
            except OSError as error:
                raise UnavailableError(f"the file of certificates {registry.authority}: {error}") from None
    return httpx2.Client(verify=verify, timeout=PATIENCE, headers={"User-Agent": "trimtab"})


class _Repository:
    """One repository at one host."""

    def __init__(
        self,
        client: httpx2.Client,
        host: str,
        reference: Reference,
        credentials: Credentials | None,
        *,
        plain: bool,
    ) -> None:
        self._client, self._reference, self._plain = client, reference, plain
        self._host = DOCKER_HUB.get(host, host)
        self._scheme = "https"
        self._authorization = Authorization(client, reference.repository, credentials, plain=plain)

    def image(self, platform: Platform) -> Image:
        """The image for a platform."""
        digest, manifest = self._manifest(self._reference.version)
        for _ in range(DEEPEST):
            inner = index_entries(manifest)
            if inner is None:
                return self._image(digest, manifest)
            digest, manifest = self._manifest(chosen(inner, platform)["digest"])
        raise CorruptError(f"indexes in indexes, more than {DEEPEST}")

    def _image(self, digest: str, manifest: dict[str, Any]) -> Image:
        layers = [Blob(each, size, partial(self._blob, each)) for each, size in descriptors(manifest)]
        name = config_digest(manifest)
        config = {}
        if name:
            data = self._document(f"blobs/{name}")[0]
            check(data, name)
            config = parsed(data, name)
        return Image(str(self._reference), layers, digest, config, manifest)

    def _manifest(self, version: str) -> tuple[str, dict[str, Any]]:
        import hashlib

        data, told = self._document(f"manifests/{version}")
        digest = version if version.startswith("sha") and ":" in version else told
        if digest:
            check(data, digest)
        return digest or f"sha256:{hashlib.sha256(data).hexdigest()}", parsed(data, "the manifest")

    def _document(self, path: str) -> tuple[bytes, str | None]:
        limit, found, deadline = Limits().document, bytearray(), time.monotonic() + LONGEST
        with self._get(path) as response:
            for piece in response.iter_bytes():
                found += piece
                if len(found) > limit:
                    raise LimitError(f"a document of more than {limit} bytes")
                if time.monotonic() > deadline:
                    raise UnavailableError(
                        f"{self._host} does not send a document within {LONGEST:.0f} seconds"
                    )
            return bytes(found), response.headers.get("docker-content-digest")

    @contextmanager
    def _blob(self, digest: str) -> Iterator[Stream]:
        with self._get(f"blobs/{digest}") as response:
            yield _Body(response)

    @contextmanager
    def _get(self, path: str) -> Iterator[httpx2.Response]:
        with raise_for(self._host), self._answer(path) as response:
            yield checked(response, self._host, f"{self._reference.repository} {path}")

    @contextmanager
    def _answer(self, path: str) -> Iterator[httpx2.Response]:
        import httpx2

        try:
            response = self._ask(path)
        except httpx2.ConnectError:
            if not self._plain or self._scheme == "http":
                raise
            self._scheme = "http"
            response = self._ask(path)
        try:
            if response.status_code == httpx2.codes.UNAUTHORIZED:
                challenge = response.headers.get("www-authenticate", "")
                response.close()
                self._authorization.answer(challenge, self._host)
                response = self._ask(path)
            yield response
        finally:
            response.close()

    def _ask(self, path: str) -> httpx2.Response:
        url = f"{self._scheme}://{self._host}/v2/{self._reference.repository}/{path}"
        headers = {
            "Accept": ACCEPTED if path.startswith("manifests/") else "*/*",
            "Accept-Encoding": "identity",
        }
        headers |= self._authorization.headers()
        request = self._client.build_request("GET", url, headers=headers)
        # Blobs are redirected to stores of objects; the client then leaves the authorization behind.
        return self._client.send(request, stream=True, follow_redirects=True)


class _Body:
    """An answer's body as a stream."""

    def __init__(self, response: httpx2.Response) -> None:
        self._pieces = response.iter_raw(PIECE)
        self._rest = b""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to this many bytes; none at the end."""
        if not self._rest:
            self._rest = next(self._pieces, b"")
        size = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece
