"""Which releases the configured indexes have."""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

import httpx2
from packaging.utils import canonicalize_name
from packaging.version import Version

from trimtab.engines.index import Index
from trimtab.stacks.errors import IndexUnavailableError, without_secrets
from trimtab.stacks.release import File, Release
from trimtab.stacks.simple_index import ACCEPT, identity, read_page

__all__ = ["Releases"]

PAGE_LIMIT = 128 * 1024 * 1024
_SECONDS = 60.0
_AT_ONCE = 16
_TRIES = 3
_ABSENT = {401, 403, 404, 410}  # as uv has it, some indexes answer so for what they do not have
_GONE = {404, 410}
_BUSY = {429, 500, 502, 503, 504}


class Releases:
    """Reads indexes: those of all are one, as with uv's `unsafe-best-match`. What was read once is not read again.

    Args:
        index: Where packages come from, with its default.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._known: dict[str, asyncio.Task[tuple[Release, ...]]] = {}
        self._links: dict[str, asyncio.Task[tuple[File, ...]]] = {}
        self._clients: dict[bool, httpx2.AsyncClient] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def __aenter__(self) -> Self:
        """Open nothing yet: a client is made when it is needed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        tasks = [*self._known.values(), *self._links.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()

    async def of(self, name: str) -> tuple[Release, ...]:
        """The releases of a package, newest first; none if no index has it.

        Raises:
            IndexUnavailableError: An index does not answer.
        """
        name = canonicalize_name(name)
        if name not in self._known:
            self._known[name] = asyncio.create_task(self._read(name))
        return await asyncio.shield(self._known[name])

    async def find(self, name: str, version: str) -> Release | None:
        """One release; None if no index has it."""
        wanted = Version(version)
        return next((each for each in await self.of(name) if each.version == wanted), None)

    async def fetch(self, url: str, limit: int) -> bytes | None:
        """The content of a file of an index; None if it is not there, or has more than `limit` bytes."""
        path = _local(url)
        if path is not None:
            return await asyncio.to_thread(_read_file, path, limit)
        found = await self._get(url, limit, accept="*/*")
        return found[0] if found else None

    async def _read(self, name: str) -> tuple[Release, ...]:
        pages = [self._page(url, name) for url in (self._index.default, *self._index.extra) if url]
        links = [self._linked(url, name) for url in self._index.find_links]
        files = [each for found in await asyncio.gather(*pages, *links) for each in found]
        return _releases(name, files)

    async def _page(self, url: str, name: str) -> tuple[File, ...]:
        return await self._files(f"{url.rstrip('/')}/{name}/")

    async def _linked(self, url: str, name: str) -> tuple[File, ...]:
        if url not in self._links:
            self._links[url] = asyncio.create_task(self._files(url))
        found = await asyncio.shield(self._links[url])
        return tuple(each for each in found if (known := identity(each.name)) and known[0] == name)

    async def _files(self, url: str) -> tuple[File, ...]:
        path = _local(url)
        if path is not None:
            return await asyncio.to_thread(_of_directory, path)
        answer = await self._get(url, PAGE_LIMIT, accept=ACCEPT)
        if answer is None:
            return ()
        content, kind, address = answer
        try:
            return await asyncio.to_thread(read_page, content, kind, address)
        except (ValueError, RecursionError) as error:
            raise IndexUnavailableError(
                f"{without_secrets(url)} is no page of a package index: {error}; check the index's URL"
            ) from None

    async def _get(self, url: str, limit: int, *, accept: str) -> tuple[bytes, str, str] | None:
        for attempt in range(_TRIES):
            try:
                async with self._slots, self._answer(url, accept) as answer:
                    if answer.status_code in _BUSY and attempt + 1 < _TRIES:
                        pass
                    elif answer.status_code in _GONE:
                        return None
                    elif answer.is_error:
                        raise IndexUnavailableError(_refused(url, answer.status_code))
                    else:
                        content = await _content(answer, limit)
                        kind = answer.headers.get("content-type", "text/html")
                        return None if content is None else (content, kind, str(answer.url))
            except httpx2.HTTPError as error:
                if attempt + 1 == _TRIES:
                    reason = without_secrets(str(error)) or type(error).__name__
                    raise IndexUnavailableError(
                        f"the index {without_secrets(url)} does not answer: {reason}; try again, or name another index"
                    ) from None
            await asyncio.sleep(0.2 * 2**attempt)
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    @asynccontextmanager
    async def _answer(self, url: str, accept: str) -> AsyncIterator[httpx2.Response]:
        trusted = (urlsplit(url).hostname or "") in {
            each.partition(":")[0] for each in self._index.trusted_hosts
        }
        async with self._client(verified=not trusted).stream(
            "GET", url, headers={"Accept": accept}
        ) as answer:
            yield answer

    def _client(self, *, verified: bool) -> httpx2.AsyncClient:
        if verified not in self._clients:
            authority = self._index.certificate
            verify = ssl.create_default_context(cafile=authority) if verified else False
            self._clients[verified] = httpx2.AsyncClient(
                verify=verify, timeout=_SECONDS, follow_redirects=True, max_redirects=5
            )
        return self._clients[verified]


def _refused(url: str, status: int) -> str:
    remedy = (
        "give its user and password in .netrc or in pip's configuration" if status in _ABSENT else "try again"
    )
    return f"the index {without_secrets(url)} answers {status}; {remedy}"


async def _content(answer: httpx2.Response, limit: int) -> bytes | None:
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > limit:
            return None
    return bytes(content)


def _local(url: str) -> Path | None:
    address = urlsplit(url)
    if address.scheme == "file":
        return Path(unquote(address.path))
    return None if address.scheme in {"http", "https"} else Path(url)


def _read_file(path: Path, limit: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError:
        return None
    return content if len(content) <= limit else None


def _of_directory(path: Path) -> tuple[File, ...]:
    page = path / "index.html" if path.is_dir() else path
    content = _read_file(page, PAGE_LIMIT)
    if content is not None and page.suffix == ".html":
        return read_page(content, "text/html", page.absolute().as_uri())
    if not path.is_dir():
        return ()
    return tuple(
        File(each.name, each.absolute().as_uri()) for each in sorted(path.iterdir()) if each.is_file()
    )


def _releases(name: str, files: Iterable[File]) -> tuple[Release, ...]:
    found: dict[Version, list[File]] = defaultdict(list)
    for each in files:
        known = identity(each.name)
        if known and known[0] == name:
            found[known[1]].append(each)
    return tuple(Release(name, version, tuple(found[version])) for version in sorted(found, reverse=True))
