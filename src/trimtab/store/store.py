"""Objects under keys: in a directory, or on an S3 server. The same behaviour on both."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, S3Store

from trimtab.store.errors import (
    AccessError,
    FullError,
    NotFoundError,
    ReadOnlyError,
    StoreURLError,
    TooLargeError,
    UnavailableError,
)
from trimtab.store.failures import translated
from trimtab.store.keys import check_key
from trimtab.store.location import Bucket, Directory, read_url

if TYPE_CHECKING:
    from obstore import GetResult, ObjectMeta

__all__ = ["LIMIT", "Entry", "Store"]

LIMIT = 64 << 20  # bytes that are held in memory unless the caller wants more
CHUNK = 1 << 20
AT_ONCE = 16
RETRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}
CLIENT: Any = {"connect_timeout": timedelta(seconds=10), "timeout": timedelta(seconds=180)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of a listing.

    Args:
        key: Its name in the store.
        size: Bytes.
        modified: When it was written.
    """

    key: str
    size: int
    modified: datetime


class Store:
    """Objects under keys.

    A put is seen whole or not at all, and after it everybody sees it. That holds against a kill of the process; against
    a power cut a directory is as good as its file system, and `check` finds what it lost. All methods block; call
    them from a thread where that matters. They may be called from several threads at once, but not after a fork.

    Use `Store.open`.

    Args:
        url: For people to read; never holds credentials.
        objects: The library's store.
        directory: Where it is, if it is a directory.
    """

    def __init__(self, url: str, objects: LocalStore | S3Store, directory: Path | None = None) -> None:
        self.url = url
        self.directory = directory
        self._objects = objects

    @classmethod
    def open(cls, url: str) -> Self:
        """The store at a URL, once it has answered.

        Args:
            url: A path or `file:///path`, which is made if it is not there; or `s3://bucket/prefix`. The server is
                then AWS_ENDPOINT_URL (Amazon's, if unset; plain http is taken as it is written), the credentials
                AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or those of the cluster or the machine.

        Raises:
            StoreURLError: It names no store that can be used.
            UnavailableError: The store does not answer, has no such bucket, refuses the credentials, ...
        """
        place = read_url(url)
        store = cls._of_directory(place) if isinstance(place, Directory) else cls._of_bucket(place)
        store.check_connection()
        return store

    @classmethod
    def _of_directory(cls, place: Directory) -> Self:
        try:
            place.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unmade(place.path, error) from error
        return cls(place.url, LocalStore(place.path, automatic_cleanup=True), place.path)

    @classmethod
    def _of_bucket(cls, place: Bucket) -> Self:
        settings: Any = place.settings()
        client = CLIENT | {"allow_http": urlsplit(settings.get("endpoint", "")).scheme == "http"}
        try:
            objects = S3Store(
                place.name,
                prefix=place.prefix or None,
                config=settings,
                client_options=client,
                retry_config=RETRIES,
            )
        except (BaseError, ValueError, TypeError) as error:  # its text may hold a setting
            raise StoreURLError(
                f"{place.url} cannot be opened: a variable that begins with AWS_ has a value that "
                f"cannot be used ({type(error).__name__})"
            ) from None
        return cls(place.url, objects)

    @property
    def at_once(self) -> int:
        """How many objects are best read at the same time: of a server several, for each takes its time to come."""
        return 1 if self.directory is not None else AT_ONCE

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    def check_connection(self) -> None:
        """Ask for something, to see whether it answers.

        Raises:
            UnavailableError: It does not.
        """
        with translated(self.url, reading=True):
            next(iter(obstore.list(self._objects, "@", chunk_size=1)), None)

    def put(self, key: str, content: bytes | Path | Iterable[bytes]) -> None:
        """Write an object, in place of one that may be there.

        Args:
            key: Its name.
            content: All of it, the file that has it, or its pieces. What is large is sent as it is read.

        Raises:
            FullError: There is no room for it.
            UnavailableError: It cannot be written for another reason.
            OSError: The file cannot be read.
        """
        check_key(key)
        if isinstance(content, Path):
            with content.open("rb") as file:
                self._put(key, _pieces(file))
        else:
            self._put(key, content)

    def _put(self, key: str, content: bytes | Iterable[bytes]) -> None:
        if not isinstance(content, bytes):
            # Small is the rule, and one request then; the library would begin with a second to say that parts come.
            pieces = iter(content)
            content, more = _first(pieces)
            if more:
                content = chain([content, more], pieces)
        with translated(self.url, key):
            obstore.put(self._objects, key, content, chunk_size=CHUNK * 8, max_concurrency=4)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write an object, unless there is one: of several writers one wins, whose content stays.

        Returns:
            Whether this one was written. Against a server whose answer was lost on the way, False may also mean that
            it was written at the first attempt; whoever has to know reads it, or uses `put_once`.

        Raises:
            UnavailableError: It cannot be written.
        """
        check_key(key)
        with translated(self.url, key):
            try:
                obstore.put(self._objects, key, content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def put_once(self, key: str, content: bytes) -> bytes:
        """Write an object unless there is one, and say what is there now.

        Raises:
            UnavailableError: It cannot be written.
        """
        return content if self.put_if_absent(key, content) else self.get(key)

    def get(self, key: str, *, limit: int = LIMIT) -> bytes:
        """All of an object.

        Raises:
            NotFoundError: There is none.
            TooLargeError: It has more than `limit` bytes.
            UnavailableError: It cannot be read.
        """
        check_key(key)
        with translated(self.url, key, reading=True):
            found = obstore.get(self._objects, key)
            if found.meta["size"] > limit:
                raise TooLargeError(
                    f"{self.url} has {key} with {found.meta['size']} bytes, more than {limit}; stream it"
                )
            return bytes(found.bytes())

    def stream(self, key: str, *, start: int = 0) -> Iterator[bytes]:
        """An object piece by piece, about a MiB each.

        Args:
            key: Its name.
            start: The first byte wanted; beyond its end there is nothing.

        Raises:
            NotFoundError: There is none; raised by the call, not by the first piece.
            UnavailableError: It cannot be read.
        """
        if start >= self.entry(key).size:
            return iter(())
        with translated(self.url, key, reading=True):
            found = obstore.get(self._objects, key, options={"range": {"offset": start}})
        return self._pieces_of(key, found)

    def part(self, key: str, start: int, length: int) -> tuple[bytes, int]:
        """Some of an object, and the bytes that all of it has.

        Args:
            key: Its name.
            start: The first byte wanted; beyond its end there is nothing.
            length: How many at most.

        Raises:
            NotFoundError: There is none.
            UnavailableError: It cannot be read.
        """
        size = self.entry(key).size
        if start >= size:
            return b"", size
        with translated(self.url, key, reading=True):
            found = obstore.get_range(self._objects, key, start=start, length=min(length, size - start))
        return bytes(found), size

    def _pieces_of(self, key: str, found: "GetResult") -> Iterator[bytes]:
        with translated(self.url, key, reading=True):
            for piece in found.stream(min_chunk_size=CHUNK):
                yield bytes(piece)

    def entry(self, key: str) -> Entry:
        """Size and time of an object.

        Raises:
            NotFoundError: There is none.
        """
        check_key(key)
        with translated(self.url, key, reading=True):
            return _entry(obstore.head(self._objects, key))

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        try:
            self.entry(key)
        except NotFoundError:
            return False
        return True

    def children(self, prefix: str = "") -> tuple[Sequence[str], Sequence[Entry]]:
        """What is directly in a folder: the names of its folders, and its objects, each sorted.

        Raises:
            UnavailableError: They cannot be listed.
        """
        try:
            with translated(self.url, prefix, reading=True):
                found = obstore.list_with_delimiter(self._objects, prefix or None)
        except NotFoundError:  # the same
            return [], []
        folders = sorted(each.rstrip("/").rpartition("/")[2] for each in found["common_prefixes"])
        return folders, sorted(map(_entry, found["objects"]), key=lambda each: each.key)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """All objects below a folder, as they come: sorted on a server, those of a folder together in a directory.

        Args:
            prefix: The folder, or nothing for all.

        Raises:
            UnavailableError: They cannot be listed.
        """
        try:
            with translated(self.url, prefix, reading=True):
                for entries in obstore.list(self._objects, prefix or None, chunk_size=1000):
                    yield from map(_entry, entries)
        except NotFoundError:  # in a directory, where the folder is a file; nothing is below it
            return

    def delete(self, key: str) -> None:
        """Delete an object, if there is one.

        Raises:
            UnavailableError: It cannot be deleted.
        """
        check_key(key)
        try:
            with translated(self.url, key, reading=True):
                obstore.delete(self._objects, key)
        except NotFoundError:
            return


def _unmade(path: Path, error: OSError) -> UnavailableError:
    kinds = {30: ReadOnlyError, 28: FullError, 13: AccessError}
    kind = kinds.get(error.errno or 0, UnavailableError)
    return kind(f"{path} cannot be made: {error.strerror}; name another directory")


def _entry(found: "ObjectMeta") -> Entry:
    return Entry(found["path"], found["size"], found["last_modified"])


def _pieces(file: Any) -> Iterator[bytes]:
    while piece := file.read(CHUNK):
        yield piece


def _first(pieces: Iterator[bytes]) -> tuple[bytes, bytes]:
    """What fits into one request, and the piece that does not; empty if all did."""
    held = bytearray()
    for piece in pieces:
        if len(held) + len(piece) > 4 * CHUNK:
            return bytes(held), piece
        held += piece
    return bytes(held), b""
