"""What the engine has to be allowed, which deploy/chart gives it."""

import asyncio

from servo.kubernetes import CONFIG_MAPS, EVENTS, JOBS, NETWORK_POLICIES, PODS, SECRETS, Client, Resource

__all__ = ["NEEDED", "missing"]

NEEDED: tuple[tuple[Resource, str | None, tuple[str, ...]], ...] = (
    (CONFIG_MAPS, None, ("get", "list", "create", "delete")),
    (SECRETS, None, ("create", "delete")),
    (PODS, None, ("list", "watch")),
    (PODS, "log", ("get",)),
    (PODS, "exec", ("get", "create")),
    (EVENTS, None, ("list",)),
    (JOBS, None, ("list", "create", "delete")),
    (NETWORK_POLICIES, None, ("create",)),
)
"""Resource, subresource and verbs, in the namespace of the engine. A command in a container is a `get` over a WebSocket, and from
Kubernetes 1.35 on a `create` as well."""


async def missing(client: Client) -> list[str]:
    """What of it is not allowed, as `create jobs`."""
    asked = [(*each[:2], verb) for each in NEEDED for verb in each[2]]
    answers = await asyncio.gather(
        *(client.allowed(verb, resource, subresource=part) for resource, part, verb in asked)
    )
    return [
        f"{verb} {'/'.join(filter(None, (resource.plural, part)))}"
        for (resource, part, verb), allowed in zip(asked, answers, strict=True)
        if not allowed
    ]
