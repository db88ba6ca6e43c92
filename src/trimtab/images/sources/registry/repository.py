"""One repository at one host, by the distribution API: manifests, blobs, tags."""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from trimtab.images.blob import Blob, check
from trimtab.images.errors import CorruptError, ImageError, LimitError, NotFoundError, UnavailableError
from trimtab.images.image import Image
from trimtab.images.limits import Limits
from trimtab.images.manifest import config_digest, descriptors, index_entries, parsed
from trimtab.images.platform import Platform, chosen
from trimtab.images.reference import is_tag
from trimtab.images.sources.registry.authorization import Authorization
from trimtab.images.sources.registry.body import Body
from trimtab.images.sources.registry.failures import checked, raise_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

    from trimtab.images.compression import Stream
    from trimtab.images.reference import Reference
    from trimtab.images.sources.registry.connection import Connection
    from trimtab.images.sources.registry.credentials import Credentials
    from trimtab.images.sources.registry.retries import Retries

__all__ = ["Repository", "Site"]

ACCEPTED = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
DEEPEST = 4
LONGEST = 120.0  # seconds for a document
MOST_TAGS, PAGE, MOST_PAGES = 100_000, 1000, 1000
DIGEST = "docker-content-digest"


@dataclass(frozen=True, slots=True)
class Site:
    """Where a repository is.

    Parameters:
        host: The registry's, with its port.
        path: The repository there: a mirror may have it below a path of its own.
        plain: Whether HTTP without TLS is tried as well.
    """

    host: str
    path: str
    plain: bool = False


class Repository:
    """A repository; what may pass is tried again, and what a mirror lacks its origin is asked for.

    Parameters:
        connection: What it is asked through.
        site: Where it is.
        credentials: Who asks; None asks anonymously.
        retries: When it is asked again.
        origin: The repository that this one is a mirror of.
    """

    def __init__(
        self,
        connection: Connection,
        site: Site,
        credentials: Credentials | None,
        retries: Retries,
        origin: Repository | None = None,
    ) -> None:
        self._connection, self._site = connection, site
        self._retries, self._origin = retries, origin
        # A mirror is not waited for: its origin is the next to be asked.
        self._document_retries = replace(retries, attempts=1) if origin else retries
        self._scheme = "https"
        self._authorization = Authorization(connection, site, credentials)

    def image(self, reference: Reference, platform: Platform) -> Image:
        """The image for a platform."""
        listed, manifest = self._manifest(reference.version)
        digest = listed
        for _ in range(DEEPEST):
            inner = index_entries(manifest)
            if inner is None:
                break
            digest, manifest = self._manifest(chosen(inner, platform)["digest"])
        else:
            raise CorruptError(f"indexes in indexes, more than {DEEPEST}")
        layers = [Blob(each, size, partial(self._blob, each, size)) for each, size in descriptors(manifest)]
        current = partial(self._current, reference.tag) if reference.tag else None
        config = self._config(manifest)
        return Image(str(reference), layers, digest, config, manifest, listed, current)

    def tags(self) -> list[str]:
        """Its tags, in the registry's order.

        Raises:
            LimitError: There are too many.
        """
        found: list[str] = []
        path: str | None = f"tags/list?n={PAGE}"
        for _ in range(MOST_PAGES):
            data, headers = self._document(path)
            told = parsed(data, "the list of tags").get("tags") or []
            if not isinstance(told, list):
                raise CorruptError("the list of tags is none")
            found += [each for each in told if isinstance(each, str) and is_tag(each)]
            path = _following(headers.get("link", ""))
            if path is None:
                return found
            if len(found) > MOST_TAGS:
                break
        raise LimitError(f"more than {MOST_TAGS} tags, or pages without end")

    def _config(self, manifest: dict[str, Any]) -> dict[str, Any]:
        name = config_digest(manifest)
        if name is None:
            return {}
        data, _ = self._document(f"blobs/{name}")
        check(data, name)
        return parsed(data, name)

    def _current(self, tag: str) -> str | None:
        """The digest that a tag names now; None if the registry does not say."""
        try:
            with self._get(f"manifests/{tag}", method="HEAD") as response:
                found: str | None = response.headers.get(DIGEST)
                return found
        except ImageError:
            return None

    def _manifest(self, version: str) -> tuple[str, dict[str, Any]]:
        data, headers = self._document(f"manifests/{version}")
        digest = version if version.startswith("sha") and ":" in version else headers.get(DIGEST)
        if digest:
            check(data, digest)
        return digest or f"sha256:{hashlib.sha256(data).hexdigest()}", parsed(data, "the manifest")

    def _document(self, path: str | None) -> tuple[bytes, httpx2.Headers]:
        return self._document_retries.of(partial(self._document_once, path or ""))

    def _document_once(self, path: str) -> tuple[bytes, httpx2.Headers]:
        limit, found, deadline = Limits().document, bytearray(), time.monotonic() + LONGEST
        with self._get(path) as response:
            for piece in response.iter_bytes():
                found += piece
                if len(found) > limit:
                    raise LimitError(f"a document of more than {limit} bytes")
                if time.monotonic() > deadline:
                    message = f"{self._site.host} does not send a document within {LONGEST:.0f} seconds"
                    raise UnavailableError(message, transient=True)
            return bytes(found), response.headers

    @contextmanager
    def _blob(self, digest: str, size: int) -> Iterator[Stream]:
        body = Body(partial(self._part, digest), size, self._site.host, self._retries)
        try:
            yield body
        finally:
            body.close()

    @contextmanager
    def _part(self, digest: str, start: int) -> Iterator[httpx2.Response]:
        """A blob from a byte on, from the origin if the mirror does not have it."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        asked = self._get(f"blobs/{digest}", headers)
        try:
            response = asked.__enter__()
        except (NotFoundError, UnavailableError):
            if self._origin is None:
                raise
            asked = self._origin._part(digest, start)  # noqa: SLF001 # one of the same class
            response = asked.__enter__()
        try:
            yield response
        finally:
            asked.__exit__(None, None, None)

    @contextmanager
    def _get(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> Iterator[httpx2.Response]:
        with raise_for(self._site.host):
            response = self._answer(method, path, headers or {})
            try:
                what = f"{self._site.path} {path}"
                known = self._authorization.known
                yield checked(response, self._site.host, what, known=known)
            finally:
                response.close()

    def _answer(self, method: str, path: str, headers: dict[str, str]) -> httpx2.Response:
        import httpx2

        try:
            response = self._ask(method, path, headers)
        except httpx2.ConnectError:
            if not self._site.plain or self._scheme == "http":
                raise
            self._scheme = "http"
            response = self._ask(method, path, headers)
        if response.status_code == httpx2.codes.UNAUTHORIZED:
            challenge = response.headers.get("www-authenticate", "")
            response.close()
            self._authorization.answer(challenge)
            response = self._ask(method, path, headers)
        return response

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> httpx2.Response:
        url = f"{self._scheme}://{self._site.host}/v2/{self._site.path}/{path}"
        accepted = ACCEPTED if path.startswith("manifests/") else "*/*"
        told = {"Accept": accepted, "Accept-Encoding": "identity"} | headers | self._authorization.headers()
        # Blobs are redirected to stores of objects; the client then leaves the authorization behind.
        return self._connection.send(method, url, headers=told, follow=True)


def _following(link: str) -> str | None:
    """Where a list of tags goes on; of the registry's link only what it is asked with, never a host."""
    target, semicolon, relation = link.strip().partition(">")
    if not target.startswith("<") or "next" not in relation or not semicolon:
        return None
    last = parse_qs(urlsplit(target[1:][:4000]).query).get("last", [""])[0]
    return f"tags/list?n={PAGE}&last={last}" if is_tag(last) else None
