"""What kinds of objects a server has, and what version it is of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from servo.kubernetes.connection import Connection, Exchange
from servo.kubernetes.errors import AnswerError, NotFoundError
from servo.kubernetes.resources import Resource, segment

__all__ = ["Discovery"]

FRESH = 600.0
"""For how many seconds what was found is taken to hold; what was not found is looked for each time."""


class Discovery:
    """Asks a server for its API groups, and keeps the answers for ten minutes.

    One group is asked for at a time: whoever asks for all of them depends on the health of every aggregated API.

    Args:
        connection: To the server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kept: dict[str, tuple[float, Any]] = {}

    async def version(self) -> tuple[int, int]:
        """Return the server's version, e.g. ``(1, 20)``."""
        found = await self._get("/version")
        try:
            major, minor = (
                int("".join(filter(str.isdigit, str(found[name])))) for name in ("major", "minor")
            )
        except (KeyError, ValueError):
            raise AnswerError("/version names no version: check the server's address") from None
        return major, minor

    async def find(self, group: str, name: str) -> Resource | None:
        """Return a kind of object in the version that the server prefers, or None if it has none.

        Args:
            group: The API group; empty for core.
            name: Plural or kind.
        """
        for version in await self._versions(group):
            for each in await self._resources(group, version):
                if name in {each.get("name"), each.get("kind")} and "/" not in each["name"]:
                    return Resource(group, version, each["name"], each["kind"], bool(each.get("namespaced")))
        return None

    async def has_subresource(self, resource: Resource, subresource: str) -> bool:
        """Return whether objects of a kind have a subresource, e.g. ``resize``."""
        wanted = f"{resource.plural}/{subresource}"
        return any(
            each.get("name") == wanted for each in await self._resources(resource.group, resource.version)
        )

    async def _versions(self, group: str) -> list[str]:
        """Return the versions of a group, the preferred one first."""
        if not group:
            return ["v1"]
        try:
            found = await self._get(f"/apis/{segment(group)}")
        except NotFoundError:
            return []
        versions = [each["version"] for each in found.get("versions") or ()]
        preferred = (found.get("preferredVersion") or {}).get("version")
        return sorted(versions, key=lambda version: version != preferred)

    async def _resources(self, group: str, version: str) -> list[Mapping[str, Any]]:
        try:
            found = await self._get(Resource(group, version, "", "").root)
        except NotFoundError:
            return []
        return [each for each in found.get("resources") or () if isinstance(each, dict) and "name" in each]

    async def _get(self, path: str) -> Any:
        now = asyncio.get_running_loop().time()
        kept = self._kept.get(path)
        if kept is None or now - kept[0] > FRESH:
            found = await self._connection.json(Exchange("GET", path))
            if not isinstance(found, dict):
                raise AnswerError(f"the answer to GET {path} is no object: check the server's address")
            kept = self._kept[path] = now, found
        return kept[1]
