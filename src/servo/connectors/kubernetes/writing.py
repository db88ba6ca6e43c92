"""Changing an object as a whole, so that a change is there completely or not at all; and reading how it came out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import TypeVar

from servo.connectors.kubernetes.manifests import Manifest
from servo.kubernetes import Client, ConflictError, KubernetesError, Resource

__all__ = ["SECONDS_TO_WRITE", "Change", "answered", "rewrite"]

SECONDS_TO_WRITE = 30.0
"""How long a write is tried again while the cluster does not answer."""

T = TypeVar("T")
Change = Callable[[Manifest], bool]
"""Changes a manifest in place; False if it is right as it is."""


async def rewrite(
    client: Client,
    resource: Resource,
    name: str,
    namespace: str,
    change: Change,
    *,
    before: Callable[[], None] = lambda: None,
) -> Manifest:
    """Read an object, change and replace it; anew if somebody was faster, or the cluster did not answer.

    Args:
        client: The cluster.
        resource: Kind of the object.
        name: Its name.
        namespace: Its namespace.
        change: What is to be done.
        before: Called before each write; what it raises keeps it from being done.

    Returns:
        The object as it is then.

    Raises:
        KubernetesError: The cluster refuses it, or has not answered for ``SECONDS_TO_WRITE``.
    """
    until = time.monotonic() + SECONDS_TO_WRITE
    while True:
        try:
            found = await client.get(resource, name, namespace)
            desired = deepcopy(found)
            if not change(desired):
                return found
            before()
            return await client.replace(resource, desired, namespace)
        except ConflictError:
            pass
        except KubernetesError as error:
            if not error.transient or time.monotonic() > until:
                raise
            await asyncio.sleep(0.5)


async def answered(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while the cluster does not answer: what was done is done, whether or not it can be read at once.

    Args:
        ask: Asks.

    Raises:
        KubernetesError: The cluster refuses it, or has not answered for ``SECONDS_TO_WRITE``.
    """
    until = time.monotonic() + SECONDS_TO_WRITE
    while True:
        try:
            return await ask()
        except KubernetesError as error:
            if not error.transient or time.monotonic() > until:
                raise
            await asyncio.sleep(0.5)
