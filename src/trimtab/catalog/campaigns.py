"""Rows of campaigns. Each function takes the connection."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.campaign_schema import campaign_proposals, campaigns
from trimtab.catalog.upserts import insert_absent
from trimtab.catalog.values import text

__all__ = [
    "OVER",
    "CampaignState",
    "Row",
    "accept",
    "advance",
    "by_id",
    "candidates",
    "delete",
    "judge",
    "listed",
    "note",
    "proposals",
    "tallies",
    "wish",
]

Row = sa.RowMapping
LONGEST = 4000


class CampaignState(StrEnum):
    """How far a campaign is."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    """It has its answer, or nothing more to try; its reason says which."""
    FAILED = "failed"
    """Nothing could be tried: no stack is valid, an index did not answer."""
    CANCELLED = "cancelled"


OVER = frozenset({CampaignState.FINISHED, CampaignState.FAILED, CampaignState.CANCELLED})
_OPEN = campaigns.c.state.not_in(sorted(OVER))


def accept(connection: sa.Connection, row: Mapping[str, Any]) -> bool:
    """A new campaign, which is queued; nothing, if it is there.

    Returns:
        Whether it is new.
    """
    return insert_absent(connection, campaigns, [{**row, "state": CampaignState.QUEUED.value}]) == 1


def by_id(connection: sa.Connection, campaign_id: str) -> Row | None:
    """One campaign."""
    query = sa.select(campaigns).where(campaigns.c.id == campaign_id)
    return connection.execute(query).mappings().first()


def listed(
    connection: sa.Connection,
    deployment: str,
    *,
    owner: str | None = None,
    offset: int = 0,
    limit: int = 100,
) -> Sequence[Row]:
    """Campaigns of a deployment, the newest first, without what they were made from.

    Args:
        connection: In a transaction.
        deployment: Whose.
        owner: Only of this one; None: of all.
        offset: How many are left out.
        limit: At most so many.
    """
    columns = [each for each in campaigns.c if each.name != "ground"]
    query = sa.select(*columns).where(campaigns.c.deployment == deployment)
    if owner is not None:
        query = query.where(campaigns.c.owner == owner)
    ordered = query.order_by(campaigns.c.created_at.desc(), campaigns.c.id.desc())
    return connection.execute(ordered.offset(offset).limit(limit)).mappings().all()


def advance(connection: sa.Connection, campaign_id: str, state: CampaignState, **values: Any) -> bool:
    """Bring a campaign into another state, unless it is over.

    Args:
        connection: In a transaction that writes.
        campaign_id: Which.
        state: The new one; it may be the one it is in.
        values: Other columns: `ground`, `reason`, `started_at`, `ended_at`.

    Returns:
        Whether it was not over.
    """
    if "reason" in values:
        values["reason"] = text(values["reason"], LONGEST)
    query = sa.update(campaigns).where(campaigns.c.id == campaign_id, _OPEN)
    return connection.execute(query.values(state=state.value, **values)).rowcount == 1


def wish(connection: sa.Connection, campaign_id: str) -> bool:
    """Note that it shall be cancelled, unless it is over.

    Returns:
        Whether it is not over.
    """
    query = sa.update(campaigns).where(campaigns.c.id == campaign_id, _OPEN)
    return connection.execute(query.values(ending=CampaignState.CANCELLED.value)).rowcount == 1


def note(connection: sa.Connection, campaign_id: str, row: Mapping[str, Any]) -> None:
    """Keep what came of a proposal, unless it is kept: what was first stays."""
    values = {
        "campaign_id": campaign_id,
        "attempts": None,
        "verdict": None,
        "failure": None,
        "seconds": None,
        **row,
        "reason": text(row["reason"], LONGEST) or "",
        "refusal": text(row["refusal"], LONGEST),
    }
    insert_absent(connection, campaign_proposals, [values])


def judge(connection: sa.Connection, campaign_id: str, stack: str, **values: Any) -> None:
    """Note how far a candidate is.

    Args:
        connection: In a transaction that writes.
        campaign_id: Which campaign.
        stack: Digest of the candidate's.
        values: Columns: `inspection`, `attempts`, `verdict`, `failure`, `seconds`.
    """
    if "failure" in values:
        values["failure"] = text(values["failure"], LONGEST)
    here = campaign_proposals.c.campaign_id == campaign_id, campaign_proposals.c.stack == stack
    query = sa.update(campaign_proposals).where(*here, campaign_proposals.c.candidate.is_not(None))
    connection.execute(query.values(**values))


def proposals(connection: sa.Connection, campaign_id: str) -> Sequence[Row]:
    """What came of each proposal, in order."""
    query = sa.select(campaign_proposals).where(campaign_proposals.c.campaign_id == campaign_id)
    return connection.execute(query.order_by(campaign_proposals.c.number)).mappings().all()


def candidates(connection: sa.Connection, campaign_id: str) -> Sequence[Row]:
    """The candidates of a campaign, in order, without their exclusions."""
    columns = [each for each in campaign_proposals.c if each.name not in {"exclusions", "refusal"}]
    query = sa.select(*columns).where(
        campaign_proposals.c.campaign_id == campaign_id, campaign_proposals.c.candidate.is_not(None)
    )
    return connection.execute(query.order_by(campaign_proposals.c.candidate)).mappings().all()


def tallies(connection: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many candidates of each campaign have which verdict; those without one are `open`."""
    table = campaign_proposals
    query = (
        sa.select(table.c.campaign_id, table.c.verdict, sa.func.count())
        .where(table.c.campaign_id.in_(ids), table.c.candidate.is_not(None))
        .group_by(table.c.campaign_id, table.c.verdict)
    )
    found: dict[str, dict[str, int]] = {
        each: dict.fromkeys(("pass", "fail", "unknown", "open"), 0) for each in ids
    }
    for campaign_id, verdict, count in connection.execute(query):
        found[campaign_id][verdict or "open"] = count
    return found


def delete(connection: sa.Connection, campaign_id: str) -> None:
    """Delete its rows; its inspections stay."""
    connection.execute(sa.delete(campaigns).where(campaigns.c.id == campaign_id))
