"""What an inspection has in the cluster: it all belongs to one object, and goes with it."""

import time
from contextlib import suppress
from typing import Any

from servo.kubernetes import (
    CONFIG_MAPS,
    JOBS,
    NETWORK_POLICIES,
    AlreadyExistsError,
    Client,
    NotFoundError,
    Resource,
    owner_reference,
    selector,
)
from trimtab.engines.claims import Claims
from trimtab.engines.kubernetes.labels import ID, ITEM, NETWORK, OWNER, Labels, created

__all__ = ["Belongings"]

ABANDONED = 7 * 86400.0
"""Seconds after which what another installation left is removed too: it may never come back."""


class Belongings:
    """Makes and removes what belongs to inspections.

    Args:
        labels: What is ours.
        claims: What somebody here works on.
    """

    def __init__(self, labels: Labels, claims: Claims) -> None:
        self._labels = labels
        self._claims = claims

    async def owner(self, client: Client, inspection: str) -> dict[str, Any]:
        """The reference of what is made for an inspection, to the object that it all goes with."""
        name = self._labels.name(inspection)
        try:
            found = await client.get(CONFIG_MAPS, name)
        except NotFoundError:
            try:
                found = await client.create(
                    CONFIG_MAPS, {"metadata": self._labels.metadata(name, inspection)}
                )
            except AlreadyExistsError:  # two runs of one batch begin together
                found = await client.get(CONFIG_MAPS, name)
        return owner_reference(found)

    async def make(
        self, client: Client, resource: Resource, body: dict[str, Any], inspection: str
    ) -> dict[str, Any]:
        """Make an object that belongs to an inspection."""
        owner = await self.owner(client, inspection)
        return await client.create(
            resource, {**body, "metadata": {**body["metadata"], "ownerReferences": [owner]}}
        )

    async def isolate(self, client: Client, inspection: str) -> None:
        """Forbid the traffic of an inspection's runs that are labelled so."""
        metadata = self._labels.metadata(self._labels.name(inspection), inspection)
        chosen = {**self._labels.of(inspection), NETWORK: "none"}
        spec = {"podSelector": {"matchLabels": chosen}, "policyTypes": ["Ingress", "Egress"]}
        with suppress(AlreadyExistsError):
            await self.make(client, NETWORK_POLICIES, {"metadata": metadata, "spec": spec}, inspection)

    async def remove_job(self, client: Client, name: str) -> None:
        """End and remove a Job and its pod."""
        with suppress(NotFoundError):
            await client.delete(JOBS, name)

    async def remove_left(self, client: Client, inspection: str, item: int | str) -> None:
        """Remove the Jobs of an item that a killed process left: it is made anew."""
        chosen = selector(self._labels.of(inspection, item))
        for job in (await client.list(JOBS, labels=chosen)).items:
            await self.remove_job(client, job["metadata"]["name"])

    async def clean(self, client: Client, inspection: str) -> None:
        """Remove everything of an inspection."""
        with suppress(NotFoundError):
            await client.delete(CONFIG_MAPS, self._labels.name(inspection))
        for job in (await client.list(JOBS, labels=selector(self._labels.of(inspection)))).items:
            await self.remove_job(client, job["metadata"]["name"])  # now, and not when the cluster gets to it

    async def expire(self, client: Client, older_than: float) -> list[str]:
        """Remove what is too old, and what works on that nobody here waits for; the ids of the inspections."""
        removed = set()
        for found in (await client.list(CONFIG_MAPS, labels=OWNER)).items:
            metadata = found["metadata"]
            if self._is_due(metadata, older_than):
                with suppress(NotFoundError):
                    await client.delete(CONFIG_MAPS, metadata["name"])
                removed.add(_id(metadata))
        for job in (await client.list(JOBS, labels=f"{OWNER}={self._labels.owner},{ITEM}")).items:
            inspection = _id(job["metadata"])
            if inspection and self._claims.is_free(inspection):
                await self.remove_job(client, job["metadata"]["name"])
                removed.add(inspection)
        return sorted(removed - {""})

    def _is_due(self, metadata: dict[str, Any], older_than: float) -> bool:
        ours = (metadata.get("labels") or {}).get(OWNER) == self._labels.owner
        age = time.time() - created(metadata)
        if not ours:
            return age > max(older_than, ABANDONED)
        return age > older_than and self._claims.is_free(_id(metadata))


def _id(metadata: dict[str, Any]) -> str:
    return str((metadata.get("annotations") or {}).get(ID, ""))
