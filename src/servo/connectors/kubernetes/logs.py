"""What a container wrote before it failed."""

from __future__ import annotations

from servo.connectors.kubernetes.pods import Fault
from servo.connectors.quoting import harmless, quoted
from servo.kubernetes import Client, KubernetesError

__all__ = ["with_log"]

_LINES = 10
_WHOLE = 1 << 20


async def with_log(client: Client, namespace: str, fault: Fault, *, whole: bool) -> str:
    """Return a fault's message with what its container wrote last.

    Args:
        client: The cluster.
        namespace: That of the pod.
        fault: What failed.
        whole: Whether all that is kept of both its lives is appended, at most 1 MiB each.
    """
    if fault.pod is None or fault.container is None:
        return fault.message
    lives = [await _log(client, namespace, fault, previous, whole=whole) for previous in (True, False)]
    if not whole:
        return fault.message + (quoted(lives[0] or lives[1]) if lives[0] or lives[1] else "")
    parts = [
        f"\n{title} log of {fault.container}:\n" + "\n".join(map(harmless, lines))
        for title, lines in zip(("previous", "current"), lives, strict=True)
        if lines
    ]
    return fault.message + "".join(parts)


async def _log(client: Client, namespace: str, fault: Fault, previous: bool, *, whole: bool) -> list[str]:  # noqa: FBT001 - mapped over
    tail = None if whole else _LINES
    try:
        content = await client.log(
            fault.pod or "", namespace, container=fault.container, previous=previous, tail=tail, limit=_WHOLE
        )
    except KubernetesError:  # it had no other life, has none yet, or its role does not allow it
        return []
    return content.decode(errors="replace").splitlines()
