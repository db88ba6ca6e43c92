"""Watches one kind of object in a cluster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

from servo.connectors.builds.build import Build, Image, Missing, Part, Phase, identity_of
from servo.connectors.builds.cluster import streams
from servo.connectors.builds.cluster.following import Following
from servo.connectors.builds.cluster.holding import hold, is_held, release, tell
from servo.connectors.builds.cluster.kind import Kind, Outcome
from servo.connectors.builds.cluster.kinds import KINDS
from servo.connectors.builds.cluster.logs import Locator, read
from servo.connectors.builds.cluster.objects import at, moment, text
from servo.connectors.builds.cluster.position import Position, Running
from servo.connectors.builds.errors import PartError, PassingError, SourceError
from servo.connectors.builds.redaction import Secrets
from servo.connectors.builds.sources.source import Batch
from servo.connectors.builds.spool import Spool
from servo.kubernetes import (
    ALL,
    Change,
    Client,
    ConfigurationError,
    ForbiddenError,
    GoneError,
    KubernetesError,
    Resource,
    UnauthorizedError,
)
from servo.logging import logger

__all__ = ["Cluster"]

_PAGE = 200
_GATHERED = 500
_LOOK_AGAIN = 60.0
_AT_ONCE = 16
_SHORT = 1.0
_DELETED = "it was deleted before it ended"
_DELETED_UNSEEN = "it was deleted while nobody watched"


class Cluster:
    """Builds of one kind, by the objects of a cluster.

    Args:
        name: What the source is called.
        kind: Which objects.
        connect: Makes a client; without asking the cluster.
        spool, secrets, limit: Where logs are kept that are read while they are written, what is taken out, and how much.
        namespace: Which; None: that of the client, `*`: all.
        labels: A selector; what it selects is a build, whatever else it says.
        holds: Whether builds are kept, by a finalizer, until they are written down.
        hold_for: Seconds for which at most, from when somebody wants it deleted.
        follows: How many logs are read while they are written.
        apart: Of what kind the builds are that another source shows as well: parts of pipelines.
        clock: Seconds since 1970.
    """

    engine: str | None = None
    is_volatile = True

    def __init__(
        self,
        name: str,
        kind: Kind,
        connect: Callable[[], Client],
        *,
        spool: Spool,
        secrets: Secrets,
        limit: int,
        namespace: str | None = None,
        labels: str | None = None,
        holds: bool = False,
        hold_for: float = 3600.0,
        follows: int = 50,
        apart: Kind | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name, self._kind, self._connect, self._labels = name, kind, connect, labels
        self._spool, self._secrets, self._limit, self._follows = spool, secrets, limit, follows
        self._asked, self._holds, self._hold_for, self._apart = namespace, holds, hold_for, apart
        self._clock = clock
        self._client: Client | None = None
        self._following: Following | None = None
        self._told_absent = False

    async def aclose(self) -> None:
        """Close the connection."""
        if self._following is not None:
            await self._following.aclose()
        if self._client is not None:
            await self._client.aclose()
        self._client = self._following = None

    async def watch(self, position: str | None) -> AsyncGenerator[Batch, None]:
        """Yield what ends, see :meth:`Source.watch`."""
        read_to = Position.parse(position)
        client = self._opened()
        resource = await self._resource(client)
        limits = asyncio.create_task(self._end_holds(client, resource)) if self._holds else None
        try:
            while True:
                if read_to.version is None:
                    async for objects, batch in self._listed(client, resource, read_to):
                        yield batch
                        await self._let_go(client, resource, objects)
                began = asyncio.get_running_loop().time()
                async for objects, batch in self._changed(client, resource, read_to):
                    yield batch
                    await self._let_go(client, resource, objects)
                if (
                    asyncio.get_running_loop().time() - began < _SHORT
                ):  # a server that ends each watch at once
                    await asyncio.sleep(_SHORT)
        except (ForbiddenError, UnauthorizedError) as error:
            raise SourceError(f"{self._kind.plural} cannot be watched: {error}") from error
        except KubernetesError as error:
            raise SourceError(f"the cluster: {error}") from error
        finally:
            if limits is not None:
                limits.cancel()
                await asyncio.gather(limits, return_exceptions=True)

    async def existing(self) -> AsyncGenerator[Batch, None]:
        """Yield the builds that are over, and the images of image streams."""
        client = self._opened()
        try:
            resource = await self._resource(client)
            async for page in client.pages(resource, self._namespace, labels=self._labels, limit=_PAGE):
                ended = [each for each in page.items if self._outcome(each) is not None]
                if builds := await self._all_over(client, ended):
                    yield Batch(builds)
            if self._kind is KINDS["openshift-builds"]:
                async for images in streams.images(client, self._namespace):
                    yield Batch([self._existing_image(*each) for each in images])
        except KubernetesError as error:
            raise SourceError(f"the cluster: {error}") from error

    async def log(self, build: Build) -> AsyncGenerator[bytes, None]:
        """Yield the log of a build that is over."""
        locator = Locator.parse(build.log or "")
        client = self._opened()
        try:
            resource = await client.find(self._kind.group, self._kind.plural)
            async for piece in read(client, resource, locator):
                yield piece
        except (ForbiddenError, UnauthorizedError) as error:
            raise PartError(f"the log cannot be read: {error}") from error
        except KubernetesError as error:
            raise PassingError(f"the log cannot be read just now: {error}") from error

    async def check(self) -> str:
        """Return what is watched."""
        client = self._opened()
        try:
            resource = await client.find(self._kind.group, self._kind.plural)
            if resource is None:
                raise SourceError(
                    f"the cluster has no {self._full_name}; leave out this source, or install them"
                )
            for verb in ("list", "watch", *(("patch",) if self._holds else ())):
                if not await client.allowed(verb, resource, self._namespace):
                    raise SourceError(f"{verb} of {self._full_name} in {self._shown} is not allowed")
        except KubernetesError as error:
            raise SourceError(f"the cluster: {error}") from error
        return f"{self._full_name} in {self._shown}"

    # -- reading

    async def _listed(
        self, client: Client, resource: Resource, read_to: Position
    ) -> AsyncGenerator[tuple[list[Mapping[str, Any]], Batch], None]:
        """Yield what a list shows that is over; the first list only says from when on."""
        is_first = read_to.since is None
        gone, latest, version = dict(read_to.running), read_to.since or 0.0, ""
        async for page in client.pages(resource, self._namespace, labels=self._labels, limit=_PAGE):
            version = page.version
            over: list[Mapping[str, Any]] = []
            for obj in page.items:
                gone.pop(text(obj, "metadata", "uid") or "", None)
                outcome = self._outcome(obj)
                if outcome is None:
                    await self._goes_on(client, resource, obj, read_to)
                    continue
                finished = outcome.finished
                if is_first and not is_held(obj):
                    latest = max(latest, finished or 0.0)
                elif finished is None or finished >= (read_to.since or 0.0) or is_held(obj):
                    over.append(obj)
            if builds := await self._all_over(client, over):
                yield over, Batch(builds)
            for ended in over:
                read_to.running.pop(text(ended, "metadata", "uid") or "", None)
        lost = [self._lost(uid, each) for uid, each in gone.items()]
        for uid in gone:
            read_to.running.pop(uid, None)
        read_to.version, read_to.since = version, latest if is_first else read_to.since
        yield [], Batch(lost, read_to.text())

    async def _changed(
        self, client: Client, resource: Resource, read_to: Position
    ) -> AsyncGenerator[tuple[list[Mapping[str, Any]], Batch], None]:
        """Yield what changes, what came together in one batch, until the server ends the watch."""
        changes: asyncio.Queue[Change | None] = asyncio.Queue(_GATHERED)
        reader = asyncio.create_task(self._read(client, resource, read_to.version, changes))
        try:
            ended = False
            while not ended:
                found = [await changes.get()]
                while not changes.empty() and len(found) < _GATHERED:
                    found.append(changes.get_nowait())
                ended = found[-1] is None
                if gathered := [each for each in found if each is not None]:
                    objects, builds, moved = await self._taken(client, resource, gathered, read_to)
                    if builds or moved:
                        yield objects, Batch(builds, read_to.text())
            try:
                await reader
            except GoneError:
                read_to.version = None
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _read(
        self, client: Client, resource: Resource, version: str | None, changes: asyncio.Queue[Change | None]
    ) -> None:
        """Hand changes on; None: there are no more, and whoever awaits this task is told why."""
        stream = client.watch(resource, self._namespace, labels=self._labels, version=version)
        try:
            async with aclosing(stream) as found:
                async for change in found:
                    await changes.put(change)
        except Exception:
            await changes.put(None)
            raise
        await changes.put(None)

    async def _taken(
        self, client: Client, resource: Resource, changes: Sequence[Change], read_to: Position
    ) -> tuple[list[Mapping[str, Any]], list[Build], bool]:
        """Return the objects that are over, their builds, and whether the position is worth writing down."""
        over: list[Mapping[str, Any]] = []
        moved = False
        for change in changes:
            obj = change.object
            read_to.version = change.version or read_to.version
            uid = text(obj, "metadata", "uid") or ""
            if change.type == "BOOKMARK":
                moved = True
            elif change.type == "DELETED":
                if read_to.running.pop(uid, None) is not None:
                    over.append(obj)
            elif self._outcome(obj) is None:
                moved = await self._goes_on(client, resource, obj, read_to) or moved
            else:
                read_to.running.pop(uid, None)
                over.append(obj)
        builds = await self._all_over(client, over)
        return over, builds, moved or bool(over)

    async def _goes_on(
        self, client: Client, resource: Resource, obj: Mapping[str, Any], read_to: Position
    ) -> bool:
        """Take note of a build that goes on; whether it is new."""
        if not self._is_build(obj):
            return False
        uid = text(obj, "metadata", "uid") or ""
        is_new = uid not in read_to.running
        namespace, name = text(obj, "metadata", "namespace") or "", text(obj, "metadata", "name") or ""
        read_to.running[uid] = Running(namespace, name)
        if self._holds and not is_held(obj):
            await hold(client, resource, obj)
        if self._following is not None:
            self._following.begin(self._identity(uid), namespace, lambda: self._kind.pods(obj))
        return is_new

    # -- what is seen

    def _is_build(self, obj: Mapping[str, Any]) -> bool:
        return self._labels is not None or self._kind.is_build(obj)

    def _outcome(self, obj: Mapping[str, Any]) -> Outcome | None:
        outcome = self._kind.outcome(obj)
        if outcome is None and is_held(obj) and at(obj, "metadata", "deletionTimestamp") is not None:
            # Nobody will end it any more: it is there only because we hold it.
            return self._cancelled(obj)
        return outcome

    def _cancelled(self, obj: Mapping[str, Any]) -> Outcome:
        when = moment(text(obj, "metadata", "deletionTimestamp")) or self._clock()
        base, pods = self._kind.base(obj), self._kind.pods(obj)
        return Outcome(Phase.cancelled, base=base, finished=when, message=_DELETED, pods=pods)

    async def _all_over(self, client: Client, objects: Sequence[Mapping[str, Any]]) -> list[Build]:
        found: list[Build | None] = []
        for start in range(0, len(objects), _AT_ONCE):  # the rest of a log may be waited for
            found += await asyncio.gather(
                *(self._over(client, each) for each in objects[start : start + _AT_ONCE])
            )
        return [each for each in found if each is not None]

    async def _over(self, client: Client, obj: Mapping[str, Any]) -> Build | None:
        """Return the build of an object that is over: it ended, or it is gone."""
        if not self._is_build(obj) or await self._is_apart(client, obj):
            return None
        outcome = self._outcome(obj) or self._cancelled(obj)
        uid, name = text(obj, "metadata", "uid") or "", text(obj, "metadata", "name") or ""
        identity = self._identity(uid)
        is_kept = self._following is not None and await self._following.end(identity)
        base = outcome.base or await streams.base(client, self._kind, obj)
        build = Build(
            identity, name, self.name, outcome.phase,
            namespace=text(obj, "metadata", "namespace"), started_at=outcome.started,
            finished_at=outcome.finished or self._clock(), exit_code=outcome.exit_code, labels=self._told(obj, outcome),
            base=_image(base), output=_image(outcome.output), log="" if is_kept else Locator.of(obj, outcome).text(),
        )  # fmt: skip
        return replace(build, missing=_missing(build, outcome))

    async def _is_apart(self, client: Client, obj: Mapping[str, Any]) -> bool:
        """Whether what it builds is seen by its parts."""
        if self._apart is None:
            return False
        resource = await client.find(self._apart.group, self._apart.plural)
        labels = self._kind.pods(obj).labels
        if resource is None or labels is None:
            return False
        parts = await client.list(resource, text(obj, "metadata", "namespace"), labels=labels)
        return any(self._apart.is_build(each) for each in parts.items)

    def _lost(self, uid: str, running: Running) -> Build:
        missing = tuple(Missing(part, _DELETED_UNSEEN) for part in Part)
        return Build(
            self._identity(uid), running.name, self.name, Phase.cancelled, namespace=running.namespace,
            finished_at=self._clock(), labels={"kind": self._kind.type, "uid": uid}, missing=missing,
        )  # fmt: skip

    def _existing_image(self, namespace: str, name: str, image: str) -> Build:
        identity = identity_of(self._kind.type, "existing", image)
        labels = {"existing": "true", "image_stream": name}
        return Build(
            identity, name, self.name, Phase.complete, namespace=namespace, finished_at=self._clock(), labels=labels, output=_image(image)
        )  # fmt: skip

    def _told(self, obj: Mapping[str, Any], outcome: Outcome) -> dict[str, str]:
        found = {
            "kind": self._kind.type,
            "uid": text(obj, "metadata", "uid"),
            "reason": outcome.reason,
            "message": outcome.message,
        }
        return {key: value for key, value in found.items() if value}

    def _identity(self, uid: str) -> str:
        # Not by the name of the source: two agents that see the same build call it the same.
        return identity_of(self._kind.type, uid)

    # -- holding

    async def _let_go(self, client: Client, resource: Resource, objects: Sequence[Mapping[str, Any]]) -> None:
        held = [each for each in objects if is_held(each)]
        for start in range(0, len(held), _AT_ONCE):
            await asyncio.gather(
                *(release(client, resource, each) for each in held[start : start + _AT_ONCE])
            )

    async def _end_holds(self, client: Client, resource: Resource) -> None:
        """Let go, and say so, what was to be deleted long ago and is not written down: the journal may have no room."""
        while True:
            await asyncio.sleep(min(_LOOK_AGAIN, self._hold_for))
            with suppress(KubernetesError):
                async for page in client.pages(resource, self._namespace, labels=self._labels, limit=_PAGE):
                    for obj in filter(is_held, page.items):
                        since = moment(text(obj, "metadata", "deletionTimestamp"))
                        if since is not None and self._clock() - since > self._hold_for:
                            await tell(
                                client, resource, obj, "it could not be written down in time, and is lost"
                            )
                            await release(client, resource, obj)

    # -- the cluster

    @property
    def _namespace(self) -> str | None:
        return ALL if self._asked == "*" else self._asked

    @property
    def _shown(self) -> str:
        return (
            "all namespaces" if self._asked == "*" else f"namespace {self._asked or self._opened().namespace}"
        )

    @property
    def _full_name(self) -> str:
        return f"{self._kind.plural}.{self._kind.group}".rstrip(".")

    def _opened(self) -> Client:
        if self._client is None:
            try:
                self._client = self._connect()
            except ConfigurationError as error:
                raise SourceError(str(error)) from error
            if self._follows:
                self._following = Following(
                    self._client, self._spool, self._secrets, self._limit, most=self._follows
                )
        return self._client

    async def _resource(self, client: Client) -> Resource:
        """Return how the API addresses the kind, and wait while there is no such kind."""
        while (found := await client.find(self._kind.group, self._kind.plural)) is None:
            if not self._told_absent:
                self._told_absent = True
                logger.warning(f"the cluster has no {self._full_name}; {self.name} waits for them")
            await asyncio.sleep(_LOOK_AGAIN)
        return found


def _image(name: str | None) -> Image | None:
    return Image(name=name, shown=name) if name else None


def _missing(build: Build, outcome: Outcome) -> tuple[Missing, ...]:
    found = []
    if build.base is None:
        found.append(Missing(Part.base, "the object does not tell its base"))
    if build.output is None and outcome.has_output:
        found.append(Missing(Part.output, "the object does not tell its output"))
    return tuple(found)
