"""What the pods of a build printed."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from servo.connectors.builds.cluster.kind import Outcome, Pods
from servo.connectors.builds.cluster.objects import at, maps, moment, text
from servo.connectors.builds.errors import PartError
from servo.kubernetes import PODS, Client, NotFoundError, Resource

__all__ = ["Container", "Locator", "containers", "read"]

_MAX_PODS = 200
_GONE = "its pods are gone"


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a build.

    Attributes:
        pod, name: Of it.
        has_started: Whether it printed anything, or may have.
        has_ended: Whether it prints no more.
    """

    pod: str
    name: str
    has_started: bool
    has_ended: bool


@dataclass(frozen=True, slots=True)
class Locator:
    """Where the log of a build is; its text is in the journal.

    Attributes:
        namespace, name: Of the build's object.
        pods: Which pods.
        log_path: Of the API that has the whole log, below the object's.
    """

    namespace: str
    name: str
    pods: Pods
    log_path: str | None = None

    def text(self) -> str:
        """Return it as a line."""
        value = {
            "namespace": self.namespace,
            "name": self.name,
            "pod": self.pods.name,
            "labels": self.pods.labels,
            "log_path": self.log_path,
        }
        return json.dumps({key: each for key, each in value.items() if each}, separators=(",", ":"))

    @classmethod
    def parse(cls, line: str) -> Locator:
        """Return what :meth:`text` wrote.

        Raises:
            PartError: It is nothing of ours.
        """
        try:
            value = json.loads(line)
            return cls(
                value["namespace"],
                value["name"],
                Pods(value.get("pod"), value.get("labels")),
                value.get("log_path"),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PartError("the journal does not say where the log is") from error

    @classmethod
    def of(cls, obj: Mapping[str, Any], outcome: Outcome) -> Locator:
        """Return that of an object's log."""
        namespace, name = text(obj, "metadata", "namespace"), text(obj, "metadata", "name")
        return cls(namespace or "", name or "", outcome.pods, outcome.log_path)


async def containers(client: Client, namespace: str, pods: Pods) -> list[Container]:
    """Return the containers of a build: its pods by their age, and in each those that start first."""
    found = await _pods(client, namespace, pods)
    found.sort(key=lambda pod: moment(text(pod, "metadata", "creationTimestamp")) or 0.0)
    return [each for pod in found[:_MAX_PODS] for each in _containers(pod)]


async def read(client: Client, resource: Resource | None, locator: Locator) -> AsyncGenerator[bytes, None]:
    """Yield the log of a build that is over.

    Raises:
        PartError: There is none any more.
    """
    if locator.log_path and resource is not None:
        path = resource.path(locator.namespace, locator.name, locator.log_path)
        try:
            async for piece in client.stream(path):
                yield piece
        except NotFoundError:
            pass  # not every server has it; the pod has
        else:
            return
    found = [each for each in await containers(client, locator.namespace, locator.pods) if each.has_started]
    if not found:
        raise PartError(_GONE)
    for each in found:
        async for piece in printed(client, locator.namespace, each):
            yield piece


async def printed(client: Client, namespace: str, container: Container) -> AsyncIterator[bytes]:
    """Yield what a container printed, and go on as long as it prints; nothing if it is gone."""
    try:
        async for piece in client.follow_log(container.pod, namespace, container=container.name):
            yield piece
    except NotFoundError:
        return


async def _pods(client: Client, namespace: str, pods: Pods) -> list[dict[str, Any]]:
    if pods.name is None:
        return (await client.list(PODS, namespace, labels=pods.labels)).items if pods.labels else []
    try:
        return [await client.get(PODS, pods.name, namespace)]
    except NotFoundError:
        return []


def _containers(pod: Mapping[str, Any]) -> Iterator[Container]:
    name = text(pod, "metadata", "name") or ""
    for kind in ("init", ""):
        states = {
            text(each, "name"): at(each, "state") for each in maps(pod, "status", f"{kind}ContainerStatuses" if kind else "containerStatuses")
        }  # fmt: skip
        for each in maps(pod, "spec", f"{kind}Containers" if kind else "containers"):
            state = states.get(text(each, "name"))
            ended = at(state, "terminated") is not None
            # One that never ran has no log to ask for: it was terminated without a container.
            ran = at(state, "running") is not None or (ended and bool(at(state, "terminated", "containerID")))
            yield Container(name, text(each, "name") or "", ran, ended)
