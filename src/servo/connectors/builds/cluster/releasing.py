"""Takes our finalizers off builds, when no agent will do it any more."""

from __future__ import annotations

from servo.connectors.builds.cluster.holding import is_held, release
from servo.connectors.builds.cluster.kinds import KINDS
from servo.connectors.builds.cluster.objects import text
from servo.kubernetes import Client

__all__ = ["release_all"]

_PAGE = 200


async def release_all(client: Client, namespace: str | None) -> list[str]:
    """Let all builds go that are held; return what they are called.

    Args:
        client: Of the cluster.
        namespace: Where; None: the client's own.

    Raises:
        KubernetesError: The cluster does not answer, or does not allow it.
    """
    released = []
    for kind in KINDS.values():
        resource = await client.find(kind.group, kind.plural)
        if resource is None:
            continue
        async for page in client.pages(resource, namespace, limit=_PAGE):
            for obj in filter(is_held, page.items):
                await release(client, resource, obj)
                name, where = text(obj, "metadata", "name"), text(obj, "metadata", "namespace")
                released.append(f"{kind.plural} {where}/{name}")
    return released
