"""Campaigns that are kept: how each stands, whoever works on it."""

from contextlib import suppress
from typing import Any

from trimtab.catalog import CampaignState, campaigns
from trimtab.store import CampaignsStore, InvalidKeyError, NotFoundError
from trimtab.workflows.campaigns.campaign import Campaign, UnknownCampaignError
from trimtab.workflows.campaigns.report import report_of
from trimtab.workflows.place import Place

__all__ = ["delete", "listing", "read", "standing"]


def listing(
    place: Place, *, owner: str | None = None, offset: int = 0, limit: int = 100
) -> list[dict[str, Any]]:
    """Campaigns, the newest first, each with how many of its candidates have which verdict.

    Args:
        place: Where they are kept.
        owner: Only of this one; None: of all.
        offset: How many are left out.
        limit: At most so many.
    """
    with place.database.read() as connection:
        rows = campaigns.listed(connection, place.deployment, owner=owner, offset=offset, limit=limit)
        counts = campaigns.tallies(connection, [each["id"] for each in rows])
    names = (
        "id",
        "owner",
        "state",
        "plan",
        "origin",
        "engine",
        "reason",
        "created_at",
        "started_at",
        "ended_at",
    )
    return [
        {**{name: row[name] for name in names}, "budget": row["budget"], "counts": counts[row["id"]]}
        for row in rows
    ]


def read(place: Place, campaign_id: str, owner: str | None = None) -> Campaign:
    """A campaign as it was accepted.

    Raises:
        UnknownCampaignError: There is none, or it is somebody else's.
    """
    with suppress(NotFoundError, InvalidKeyError):
        found = Campaign.load(_stored(place).get(campaign_id))
        if owner is None or found.owner == owner:
            return found
    raise UnknownCampaignError(f"there is no campaign {campaign_id[:80]}")


def standing(place: Place, campaign_id: str, owner: str | None = None) -> dict[str, Any]:
    """The report of a campaign; of one that is not over, what there is of it.

    Raises:
        UnknownCampaignError: There is none, or it is somebody else's.
    """
    campaign = read(place, campaign_id, owner)
    with suppress(NotFoundError):
        return _stored(place).report(campaign_id)
    with place.database.read() as connection:
        row = campaigns.by_id(connection, campaign_id)
    if row is None:
        raise UnknownCampaignError(f"there is no campaign {campaign_id[:80]}")
    found = report_of(place, campaign, CampaignState(row["state"]), row["reason"] or "")
    return {**found, "ended": None, "conclusion": None}


def delete(place: Place, campaign_id: str, owner: str | None = None) -> None:
    """Delete a campaign that is over. Its inspections stay.

    Raises:
        UnknownCampaignError: There is none, it is somebody else's, or it is not over.
    """
    read(place, campaign_id, owner)
    with place.database.write() as connection:
        row = campaigns.by_id(connection, campaign_id)
        if row is not None and row["state"] not in campaigns.OVER:
            raise UnknownCampaignError(f"{campaign_id} is not over; cancel it first")
        campaigns.delete(connection, campaign_id)
    _stored(place).delete(campaign_id)


def _stored(place: Place) -> CampaignsStore:
    return CampaignsStore(place.inspections.store, place.deployment)
