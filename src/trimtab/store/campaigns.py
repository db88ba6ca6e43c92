"""Campaigns in the store: what was asked, and what came of it.

    <deployment>/campaigns/<id>/campaign      document   at the beginning
    <deployment>/campaigns/<id>/report        document   at the end, once

The inspections of a campaign are where all inspections are; the report names them.
"""

from collections.abc import Iterator
from typing import Any

from trimtab.store.documents import decode, encode
from trimtab.store.keys import check_name, is_name, join
from trimtab.store.store import Store

__all__ = ["CampaignsStore"]

CAMPAIGN, REPORT = "campaign", "report"


class CampaignsStore:
    """The campaigns of a deployment.

    Args:
        store: Where.
        deployment: Whose.
    """

    def __init__(self, store: Store, deployment: str) -> None:
        self.store = store
        self.prefix = join(deployment, "campaigns")

    def put(self, campaign_id: str, document: dict[str, Any]) -> None:
        """Store what is asked, unless it is there.

        Raises:
            InvalidKeyError: No campaign may be called so.
            DocumentError: It is no JSON.
        """
        self.store.put_if_absent(self._key(campaign_id, CAMPAIGN), encode(document))

    def get(self, campaign_id: str) -> dict[str, Any]:
        """What is asked.

        Raises:
            NotFoundError: There is no such campaign.
            DocumentError: It was torn.
        """
        return self._read(campaign_id, CAMPAIGN)

    def conclude(self, campaign_id: str, report: dict[str, Any]) -> dict[str, Any]:
        """Store what came of it. That happens once: what is there already stays.

        Returns:
            The report that is stored now.
        """
        key = self._key(campaign_id, REPORT)
        return decode(self.store.put_once(key, encode(report)), f"{self.store.url} {key}")

    def report(self, campaign_id: str) -> dict[str, Any]:
        """What came of it.

        Raises:
            NotFoundError: There is no such campaign, or it is not over.
            DocumentError: It was torn.
        """
        return self._read(campaign_id, REPORT)

    def delete(self, campaign_id: str) -> None:
        """Delete both documents."""
        for name in (CAMPAIGN, REPORT):
            self.store.delete(self._key(campaign_id, name))

    def ids(self) -> Iterator[str]:
        """Of all of which something is there, sorted."""
        folders, _ = self.store.children(self.prefix)
        yield from sorted(filter(is_name, folders))

    def _read(self, campaign_id: str, name: str) -> dict[str, Any]:
        key = self._key(campaign_id, name)
        return decode(self.store.get(key), f"{self.store.url} {key}")

    def _key(self, campaign_id: str, name: str) -> str:
        return join(self.prefix, check_name(campaign_id), name)
