"""The client of a cluster."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from servo.kubernetes import kubeconfig as kubeconfigs
from servo.kubernetes import pods, watching
from servo.kubernetes.access import Access
from servo.kubernetes.connection import Connection, Exchange, encoded
from servo.kubernetes.containers import Containers
from servo.kubernetes.discovery import Discovery
from servo.kubernetes.errors import AnswerError, ConfigurationError
from servo.kubernetes.logs import stream
from servo.kubernetes.resources import ALL, Resource
from servo.kubernetes.watching import Change, Listing, Query

__all__ = ["Client"]

Object = dict[str, Any]
_PATCHES = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
}
_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)


class Client(Containers):
    """Asks a cluster's API server, and tells it what shall be.

    Objects are dictionaries as the API gives them. ``namespace=None`` means that of the context; a ``NotFoundError``,
    ``ConflictError`` and so on says how the server refused something. A client belongs to the event loop that it is first used in.

    Args:
        access: The cluster, and who asks; ``Client.open`` finds it.
        timeout: How many seconds a request may take as a whole, or a stream to begin.

    Attributes:
        namespace: Where objects are if nothing else is said.
    """

    def __init__(self, access: Access, *, timeout: float = 30.0) -> None:
        self.access = access
        self.namespace = access.namespace
        self._connection = Connection(access, timeout=timeout)
        self._discovery = Discovery(self._connection)

    @classmethod
    def open(
        cls, kubeconfig: Path | None = None, context: str | None = None, *, timeout: float = 30.0
    ) -> Self:
        """Return a client for the cluster that a kubeconfig names, or that this pod is in. Nothing is sent.

        Args:
            kubeconfig: The file; if None those of ``KUBECONFIG``, else ``~/.kube/config``, else the pod's service account.
            context: Which context of it; its current one if None.
            timeout: How many seconds a request may take as a whole, or a stream to begin.

        Raises:
            ConfigurationError: There is none, or it cannot be used.
        """
        files = [kubeconfig] if kubeconfig else kubeconfigs.paths(os.environ, Path.home())
        access = kubeconfigs.read(files, context) if files else pods.read(os.environ)
        if access is None:
            raise ConfigurationError(
                "no cluster is named",
                remedy="name a kubeconfig in the configuration or by KUBECONFIG, or run in a pod",
            )
        return cls(access, timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections; streams break off."""
        await self._connection.aclose()

    async def version(self) -> tuple[int, int]:
        """Return the server's version, e.g. ``(1, 20)``."""
        return await self._discovery.version()

    async def find(self, group: str, plural_or_kind: str) -> Resource | None:
        """Return a kind of object in the version that the server prefers, None if it has no such kind.

        Args:
            group: The API group, e.g. ``argoproj.io``; empty for core.
            plural_or_kind: ``rollouts`` or ``Rollout``.
        """
        return await self._discovery.find(group, plural_or_kind)

    async def has_subresource(self, resource: Resource, subresource: str) -> bool:
        """Return whether the server has a subresource for a kind, e.g. ``resize`` for pods."""
        return await self._discovery.has_subresource(resource, subresource)

    async def get(
        self, resource: Resource, name: str, namespace: str | None = None, *, subresource: str | None = None
    ) -> Object:
        """Return an object."""
        return await self._object("GET", self._path(resource, namespace, name, subresource))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        limit: int = 500,
    ) -> Listing:
        """Return all objects that are selected, of one moment.

        Args:
            resource: Of which kind.
            namespace: Where; ``ALL`` for everywhere.
            labels: A selector of labels.
            fields: A selector of fields.
            limit: How many are asked for at a time; all of them are returned, up to 200 000.
        """
        return await watching.list_all(
            self._connection, self._query(resource, namespace, labels, fields, limit)
        )

    def pages(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        limit: int = 500,
    ) -> AsyncGenerator[Listing, None]:
        """Yield all objects that are selected, of one moment, so many at a time; close it by ``contextlib.aclosing``.

        Args:
            resource: Of which kind.
            namespace: Where; ``ALL`` for everywhere.
            labels: A selector of labels.
            fields: A selector of fields.
            limit: How many a page has.

        Raises:
            GoneError: It took so long that the server no longer knows that moment.
        """
        return watching.pages(self._connection, self._query(resource, namespace, labels, fields, limit))

    async def create(
        self,
        resource: Resource,
        body: Mapping[str, Any],
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Object:
        """Create an object, or act by a subresource of the one that ``body`` names (``eviction``, ``binding``).

        Args:
            resource: Of which kind.
            body: The object; ``apiVersion`` and ``kind`` may be left out.
            namespace: Where; if None the object's own, else the context's.
            subresource: Of the object.
            dry_run: Whether the server only says what it would do.

        Raises:
            AlreadyExistsError: There is one of this name.
        """
        name = body["metadata"]["name"] if subresource else None
        path = self._path(resource, namespace or _namespace_of(body), name, subresource)
        sent = dict(body) if subresource else resource.typed(dict(body))
        return await self._object("POST", path, sent, _dry(dry_run))

    async def replace(
        self,
        resource: Resource,
        body: Mapping[str, Any],
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Object:
        """Replace an object by one of the same name.

        Raises:
            ConflictError: ``metadata.resourceVersion`` is given, and the object has another one now.
        """
        path = self._path(resource, namespace or _namespace_of(body), body["metadata"]["name"], subresource)
        sent = dict(body) if subresource else resource.typed(dict(body))
        return await self._object("PUT", path, sent, _dry(dry_run))

    async def patch(
        self,
        resource: Resource,
        name: str,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        namespace: str | None = None,
        *,
        kind: Literal["strategic", "merge", "json"] = "strategic",
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Object:
        """Change parts of an object.

        Args:
            resource: Of which kind.
            name: Which one.
            body: The change; with ``metadata.resourceVersion`` it is refused if the object was changed in between.
            namespace: Where.
            kind: How the change is written; custom resources know no ``strategic``.
            subresource: Of the object.
            dry_run: Whether the server only says what it would do.
        """
        path = self._path(resource, namespace, name, subresource)
        return await self._object("PATCH", path, body, _dry(dry_run), content_type=_PATCHES[kind])

    async def apply(
        self,
        resource: Resource,
        body: Mapping[str, Any],
        namespace: str | None = None,
        *,
        manager: str,
        force: bool = False,
        dry_run: bool = False,
    ) -> Object:
        """Apply a configuration on the server's side: its fields are owned by ``manager`` from then on.

        Args:
            resource: Of which kind.
            body: The fields that ``manager`` has an opinion of, with ``metadata.name``.
            namespace: Where; if None the object's own, else the context's.
            manager: Whose fields these are.
            force: Whether to take fields from other managers.
            dry_run: Whether the server only says what it would do.

        Raises:
            ConflictError: A field belongs to another manager, and has another value.
        """
        path = self._path(resource, namespace or _namespace_of(body), body["metadata"]["name"])
        params = [("fieldManager", manager), ("force", "true" if force else "false"), *_dry(dry_run)]
        sent = resource.typed(dict(body))
        return await self._object("PATCH", path, sent, params, content_type="application/apply-patch+yaml")

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        propagation: Literal["Background", "Foreground", "Orphan"] = "Background",
        grace: int | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> None:
        """Delete an object. It may take a while to go: finalizers and running containers have a say.

        Args:
            resource: Of which kind.
            name: Which one.
            namespace: Where.
            propagation: What becomes of what it owns.
            grace: How many seconds its containers have to end; the object's own figure if None.
            uid: Delete it only if it has this uid.
            resource_version: Delete it only if it has this version.

        Raises:
            NotFoundError: There is none.
            ConflictError: It has another uid or version.
        """
        given = {"uid": uid, "resourceVersion": resource_version}
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        if any(given.values()):
            options["preconditions"] = {field: value for field, value in given.items() if value}
        await self._object("DELETE", self._path(resource, namespace, name), options)

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        version: str | None = None,
    ) -> AsyncGenerator[Change, None]:
        """Yield changes until the server ends the stream, after five to ten minutes; close it by ``contextlib.aclosing``.

        Args:
            resource: Of which kind.
            namespace: Where; ``ALL`` for everywhere.
            labels: A selector of labels.
            fields: A selector of fields.
            version: After which version; if None, what there is comes first, as ADDED.

        Raises:
            GoneError: The version is no longer kept.
            UnreachableError: The stream broke off.
        """
        return watching.watch(self._connection, self._query(resource, namespace, labels, fields), version)

    def follow(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        version: str | None = None,
    ) -> AsyncGenerator[Change, None]:
        """Yield changes for ever, whatever becomes of streams and versions; close it by ``contextlib.aclosing``.

        What there is comes first, as ADDED, then a BOOKMARK annotated ``k8s.io/initial-events-end``. After a gap that the
        server does not remember, what is new comes as ADDED, what changed as MODIFIED, and for what is no longer there a DELETED
        is made up, whose object has only kind, namespace, name, uid and the version last seen.

        Args:
            resource: Of which kind.
            namespace: Where; ``ALL`` for everywhere.
            labels: A selector of labels.
            fields: A selector of fields.
            version: After which version, where whoever asks knows what was before.

        Raises:
            ApiError: The server refuses it (401, 403, 404 and the like): at once, or for a minute after it had granted it.
        """
        return watching.follow(self._connection, self._query(resource, namespace, labels, fields), version)

    def stream(self, path: str) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of any path of the server, as they come, e.g. of a subresource ``log``; close it by ``contextlib.aclosing``.

        Raises:
            UnreachableError: The stream broke off.
        """
        return stream(self._connection, path)

    async def allowed(
        self,
        verb: str,
        resource: Resource,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        name: str | None = None,
    ) -> bool:
        """Return whether the server would let us: a SelfSubjectAccessReview.

        Args:
            verb: ``get``, ``list``, ``watch``, ``create``, ``update``, ``patch``, ``delete``.
            resource: Of which kind.
            namespace: Where; ``ALL`` asks for all namespaces at once.
            subresource: Of the kind, e.g. ``log``.
            name: One object; any if None.
        """
        where = namespace or self.namespace
        attributes = {
            "verb": verb,
            "group": resource.group,
            "version": resource.version,
            "resource": resource.plural,
            "subresource": subresource,
            "name": name,
            "namespace": where if resource.namespaced and where != ALL else None,
        }
        spec = {"resourceAttributes": {field: value for field, value in attributes.items() if value}}
        review = await self.create(_REVIEWS, {"spec": spec})
        return bool((review.get("status") or {}).get("allowed"))

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
        content_type: str = "application/json",
    ) -> Any:
        """Return the JSON that any path of the server answers, e.g. of ``/apis/metrics.k8s.io/v1beta1``."""
        return await self._asked(method, path, body, list((params or {}).items()), content_type=content_type)

    def _path(
        self, resource: Resource, namespace: str | None, name: str | None, subresource: str | None = None
    ) -> str:
        return resource.path(namespace or self.namespace, name, subresource)

    def _query(
        self,
        resource: Resource,
        namespace: str | None,
        labels: str | None,
        fields: str | None,
        limit: int = 500,
    ) -> Query:
        return Query(resource, namespace or self.namespace, labels, fields, limit)

    async def _object(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
        params: Sequence[tuple[str, str]] = (),
        *,
        content_type: str = "application/json",
    ) -> Object:
        found = await self._asked(method, path, body, params, content_type=content_type)
        if not isinstance(found, dict):
            raise AnswerError(f"the answer to {method} {path} is no object: check the server's address")
        return found

    async def _asked(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | Sequence[Any] | None,
        params: Sequence[tuple[str, str]],
        *,
        content_type: str,
    ) -> Any:
        content = None if body is None else encoded(body)
        return await self._connection.json(Exchange(method, path, params, content, content_type))


def _dry(dry_run: bool) -> list[tuple[str, str]]:  # noqa: FBT001 - its one parameter
    return [("dryRun", "All")] if dry_run else []


def _namespace_of(body: Mapping[str, Any]) -> str | None:
    namespace = (body.get("metadata") or {}).get("namespace")
    return str(namespace) if namespace else None
