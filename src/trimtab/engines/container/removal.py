"""Removes what we made in a container engine: of one inspection, or all that is too old or that nobody waits for."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from trimtab.engines.claims import Claims
from trimtab.engines.container.client import Client
from trimtab.engines.container.labels import CREATED, INSPECTION, LAYER, STATE, Labels

__all__ = ["Remover"]

Kind: TypeAlias = Literal["container", "volume", "image"]

_KINDS: tuple[Kind, ...] = ("container", "volume", "image")
"""In the order of removal: what uses another goes first."""

_PATIENCE = 8
_PAUSE = 0.25


@dataclass(frozen=True, slots=True)
class _Thing:
    kind: Kind
    name: str
    inspection: str
    created: float
    running: bool


class Remover:
    """Removes by label.

    Args:
        client: The engine.
        labels: What is ours.
        claims: What somebody works on.
    """

    def __init__(self, client: Client, labels: Labels, claims: Claims) -> None:
        self._client = client
        self._labels = labels
        self._claims = claims

    async def clean(self, inspection: str) -> None:
        """Remove everything of an inspection. Layers that its build has left stay, for the next build."""
        for kind in _KINDS:
            names = [thing.name for thing in await self._find(kind, inspection)]
            await self._remove(kind, names)

    async def expire(self, older_than: float) -> list[str]:
        """Remove what is too old, containers that nobody waits for, and layers that no build used for so long."""
        limit = time.time() - older_than
        removed: set[str] = set()
        for kind in _KINDS:
            things = [thing for thing in await self._find(kind) if self._is_due(thing, limit)]
            await self._remove(kind, [thing.name for thing in things])
            removed |= {thing.inspection for thing in things}
        await self._prune(older_than)
        return sorted(removed)

    def _is_due(self, thing: _Thing, limit: float) -> bool:
        if not self._claims.is_free(thing.inspection):
            return False
        return thing.created <= limit or (thing.kind == "container" and thing.running)

    async def _find(self, kind: Kind, inspection: str | None = None) -> list[_Thing]:
        filters = self._labels.filter(inspection)
        if kind == "container":
            listing = ["ps", "--all", "--quiet", "--no-trunc", *filters]
        else:
            listing = [kind, "ls", "--quiet", *filters]
        names = list(dict.fromkeys((await self._listed(listing)).split()))
        things = self._describe(kind, await self._inspected(kind, names))
        return [thing for thing in things if inspection in {None, thing.inspection}]

    async def _listed(self, listing: list[str]) -> str:
        """Podman fails to list what another process removes meanwhile."""
        for _ in range(_PATIENCE):
            answer = await self._client.ask(*listing)
            if answer.code == 0:
                return answer.stdout
            await asyncio.sleep(_PAUSE)
        return await self._client.check(*listing)

    async def _inspected(self, kind: Kind, names: list[str]) -> list[dict[str, object]]:
        if not names:
            return []
        answer = await self._client.ask(kind, "inspect", *names)  # what has gone meanwhile makes it fail
        found: list[dict[str, object]] = json.loads(answer.stdout or "[]")
        return found

    def _describe(self, kind: Kind, found: list[dict[str, object]]) -> Iterator[_Thing]:
        for entry in found:
            config, state = entry.get("Config"), entry.get("State")
            labels = entry.get("Labels") or (config.get("Labels") if isinstance(config, dict) else None)
            if not isinstance(labels, dict) or labels.get(STATE) != self._labels.owner:
                continue
            yield _Thing(
                kind,
                str(entry["Name"] if kind == "volume" else entry["Id"]),
                labels.get(INSPECTION, ""),
                float(labels.get(CREATED, 0)),
                bool(isinstance(state, dict) and state.get("Running")),
            )

    async def _remove(self, kind: Kind, names: list[str]) -> None:
        if not names:
            return
        at_once = ["--time", "0"] if self._client.is_podman else []
        options = {
            "container": ["rm", "--force", "--volumes", *at_once],
            "volume": ["volume", "rm", "--force"],
            "image": ["rmi", "--force", "--no-prune"],
        }
        await self._client.ask(*options[kind], *names, seconds=300)

    async def _prune(self, older_than: float) -> None:
        filters = [
            "--filter",
            f"label={LAYER}={self._labels.owner}",
            "--filter",
            f"until={max(0, round(older_than))}s",
        ]
        await self._client.ask("image", "prune", "--force", *filters, seconds=300)
