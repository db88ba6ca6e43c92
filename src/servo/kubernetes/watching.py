"""Lists and watches: the objects there are, and what becomes of them."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from servo.kubernetes.connection import Connection, Exchange
from servo.kubernetes.errors import AnswerError, ApiError, GoneError, KubernetesError, api_error
from servo.kubernetes.resources import Resource
from servo.logging import logger

__all__ = ["Change", "Listing", "Query", "follow", "list_all", "pages", "watch"]

MAX_ITEMS = 200_000
MAX_EVENT = 8 << 20
"""The largest event, in bytes: an object in etcd has at most 1.5 MiB."""
MAX_DELAY = 10.0
SHORT = 1.0
"""A watch that ends within so many seconds, with nothing to tell, counts as failed."""
PATIENCE = 60.0
"""For how many seconds a refusal is not believed that follows on success: a server that has just started knows neither all
roles nor all custom resources yet."""
INITIAL_END = "k8s.io/initial-events-end"


@dataclass(slots=True)
class Listing:
    """The objects at one moment.

    Attributes:
        items: The objects; ``apiVersion`` and ``kind`` are filled in, which a list of the API leaves out.
        version: The moment, as ``resourceVersion``: where a watch goes on.
    """

    items: list[dict[str, Any]]
    version: str


@dataclass(slots=True)
class Change:
    """What became of one object.

    Attributes:
        type: What. A bookmark's object has nothing but ``metadata.resourceVersion``.
        object: As it is now, or was last.
    """

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    object: dict[str, Any]

    @property
    def version(self) -> str:
        """From which version on a watch sees what comes after this."""
        return str(self.object["metadata"].get("resourceVersion", ""))


@dataclass(frozen=True, slots=True)
class Query:
    """Which objects.

    Attributes:
        resource: Of which kind.
        namespace: Where; ``ALL`` for everywhere.
        labels: A selector of labels.
        fields: A selector of fields, e.g. ``status.phase=Running``.
        limit: How many a page has.
    """

    resource: Resource
    namespace: str
    labels: str | None = None
    fields: str | None = None
    limit: int | None = 500

    @property
    def path(self) -> str:
        """Where they are."""
        return self.resource.path(self.namespace)

    def params(self, **more: Any) -> Sequence[tuple[str, str]]:
        """Return the query's parameters, with more of them where they have a value."""
        named = {"labelSelector": self.labels, "fieldSelector": self.fields, **more}
        return [(name, str(value)) for name, value in named.items() if value not in {None, ""}]


async def pages(connection: Connection, query: Query) -> AsyncGenerator[Listing, None]:
    """Yield the objects page by page; all pages are of one moment.

    Raises:
        GoneError: It took so long that the server no longer knows that moment.
        AnswerError: There are more than 200 000.
    """
    token, count = "", 0
    while True:
        params = query.params(limit=query.limit, **{"continue": token})
        found = await connection.json(Exchange("GET", query.path, params))
        try:
            metadata = found["metadata"]
            items = [query.resource.typed(item) for item in found["items"] or ()]
            version = str(metadata["resourceVersion"])
        except (KeyError, TypeError):
            raise AnswerError(f"the answer to GET {query.path} is no list") from None
        count += len(items)
        if count > MAX_ITEMS:
            raise AnswerError(
                f"{query.path} has more than {MAX_ITEMS} objects: select by labels or namespace"
            )
        yield Listing(items, version)
        token = metadata.get("continue") or ""
        if not token:
            return


async def list_all(connection: Connection, query: Query) -> Listing:
    """Return all objects, of one moment."""
    try:
        return await _gathered(connection, query)
    except GoneError:
        # Too slow for the pages to be of one moment: all at once.
        return await _gathered(
            connection, Query(query.resource, query.namespace, query.labels, query.fields, None)
        )


async def _gathered(connection: Connection, query: Query) -> Listing:
    whole = Listing([], "")
    async with aclosing(pages(connection, query)) as found:
        async for page in found:
            whole.items += page.items
            whole.version = page.version
    return whole


async def watch(
    connection: Connection, query: Query, version: str | None = None
) -> AsyncGenerator[Change, None]:
    """Yield changes until the server ends the stream, which it does after five to ten minutes.

    Args:
        connection: To the server.
        query: Of which objects.
        version: After which version; if None, what there is comes first, as ADDED.

    Raises:
        GoneError: The version is no longer kept.
        UnreachableError: The stream broke off.
    """
    # Not all watches of many agents shall end together.
    seconds = random.randint(300, 600)  # noqa: S311 - no secret depends on it
    params = query.params(
        watch="true", resourceVersion=version, allowWatchBookmarks="true", timeoutSeconds=seconds
    )
    exchange = Exchange("GET", query.path, params, patience=seconds + connection.timeout)
    async with connection.stream(exchange) as chunks, aclosing(lines(chunks)) as found:
        async for line in found:
            if line:
                yield _change(line)


async def lines(chunks: AsyncIterator[bytes], limit: int = MAX_EVENT) -> AsyncGenerator[bytes, None]:
    """Yield the lines of a stream, without their ends; what follows the last end is no line.

    Raises:
        AnswerError: One is longer than ``limit`` bytes.
    """
    begun: list[bytes] = []
    size = 0
    async for chunk in chunks:
        first, *rest = chunk.split(b"\n")
        begun.append(first)
        size += len(first)
        if rest:
            yield b"".join(begun)
            for line in rest[:-1]:
                yield line
            begun, size = [rest[-1]], len(rest[-1])
        if size > limit:
            raise AnswerError(f"an event of a watch is larger than {limit} bytes")


def _change(line: bytes) -> Change:
    try:
        event = json.loads(line)
        kind, found = event["type"], event["object"]
        found["metadata"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise AnswerError("an event of a watch cannot be read") from None
    if kind == "ERROR":
        code = found.get("code")
        raise api_error(code if isinstance(code, int) else 500, found)
    return Change(kind, found)


async def follow(
    connection: Connection, query: Query, version: str | None = None
) -> AsyncGenerator[Change, None]:
    """Yield changes for ever, whatever becomes of streams and versions.

    What there is comes first, as ADDED, then a bookmark annotated as the end of that. Where a version is no longer kept, the
    objects are listed anew: what is new comes as ADDED, what has another version as MODIFIED, what has not is passed over, and
    for what is no longer there a DELETED is made up, whose object has only kind, namespace, name, uid and the version last seen.

    Args:
        connection: To the server.
        query: Of which objects.
        version: After which version, where whoever asks knows what was before.

    Raises:
        ApiError: The server refuses it (401, 403, 404 and the like): at once, or for a minute after it had granted it.
    """
    following = _Following(connection, query, version)
    while True:
        async with aclosing(following.once()) as changes:
            async for change in changes:
                yield change
        await following.rest()


class _Following:
    """How far a follower came."""

    def __init__(self, connection: Connection, query: Query, version: str | None) -> None:
        self._connection = connection
        self._query = query
        self._version = version
        # By uid: namespace, name and version. The objects themselves would be as much as the cluster holds.
        self._known: dict[str, tuple[str, str, str]] = {}
        self._failures = 0
        self._failed = False
        # Since when it is refused, in the loop's seconds; None before it was granted at all, zero while it is.
        self._refused: float | None = None

    async def once(self) -> AsyncGenerator[Change, None]:
        """Yield the changes of one list, where one is needed, and of one stream."""
        began = asyncio.get_running_loop().time()
        self._failed = False
        told = False
        try:
            if self._version is None:
                async with aclosing(self._relisted()) as found:
                    async for change in found:
                        yield change
                self._refused = 0.0
            async with aclosing(watch(self._connection, self._query, self._version)) as stream:
                async for change in stream:
                    self._failures, self._refused, told = 0, 0.0, True
                    self._note(change)
                    yield change
            self._failed = not told and asyncio.get_running_loop().time() - began < SHORT
        except GoneError:
            self._version, self._failed = None, True
        except KubernetesError as error:
            if not (error.transient or self._doubts(error)):
                raise
            self._failed = True
            logger.log(
                "DEBUG" if self._failures else "WARNING",
                "watching {} is tried again: {}",
                self._query.path,
                error,
            )

    def _doubts(self, error: KubernetesError) -> bool:
        """Return whether a refusal may be one of a server that has just started."""
        if self._refused is None or not isinstance(error, ApiError):
            return False
        now = asyncio.get_running_loop().time()
        self._refused = self._refused or now
        return now - self._refused < PATIENCE

    async def rest(self) -> None:
        """Wait before the next stream, longer after each failure."""
        if self._failed:
            delay = min(MAX_DELAY, 0.1 * 2**self._failures)
            self._failures = min(self._failures + 1, 16)
            await asyncio.sleep(random.uniform(0, delay))  # noqa: S311 - no secret depends on it

    async def _relisted(self) -> AsyncGenerator[Change, None]:
        seen: set[str] = set()
        version = ""
        async with aclosing(pages(self._connection, self._query)) as found:
            async for page in found:
                version = page.version
                for item in page.items:
                    uid = item["metadata"]["uid"]
                    seen.add(uid)
                    before = self._known.get(uid)
                    if before is None or before[2] != item["metadata"]["resourceVersion"]:
                        change = Change("ADDED" if before is None else "MODIFIED", item)
                        self._note(change)
                        yield change
        for uid in self._known.keys() - seen:
            yield self._gone(uid, *self._known.pop(uid))
        self._version = version
        yield Change(
            "BOOKMARK", self._typed({"resourceVersion": version, "annotations": {INITIAL_END: "true"}})
        )

    def _note(self, change: Change) -> None:
        metadata = change.object["metadata"]
        version = str(metadata.get("resourceVersion", ""))
        if change.type == "DELETED":
            self._known.pop(metadata["uid"], None)
        elif change.type != "BOOKMARK":
            self._known[metadata["uid"]] = metadata.get("namespace", ""), metadata["name"], version
        if self._version is not None:
            self._version = version

    def _gone(self, uid: str, namespace: str, name: str, version: str) -> Change:
        metadata = {"name": name, "uid": uid, "resourceVersion": version}
        return Change("DELETED", self._typed({**metadata, "namespace": namespace} if namespace else metadata))

    def _typed(self, metadata: dict[str, Any]) -> dict[str, Any]:
        return self._query.resource.typed({"metadata": metadata})
