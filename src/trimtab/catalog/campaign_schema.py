"""Tables of campaigns: how far each is, and what came of each of its proposals.

    campaigns ─ campaign_proposals      one for each question to the resolver; some are candidates

While a campaign goes on they are its memory; what it came to is in its report, which is a document.
"""

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, String, Table, Text

from trimtab.catalog.metadata import Document, Name, metadata

__all__ = ["campaign_proposals", "campaigns"]

ID = Name(200)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", ID, primary_key=True),
    Column("deployment", String(200), nullable=False),
    Column("owner", String(200), nullable=False),  # empty: nobody's in particular
    Column("state", String(16), nullable=False),
    Column("plan", String(32), nullable=False),
    Column("origin", Text, nullable=False),  # where the requirements are from, for people
    Column("engine", String(64), nullable=False),
    Column("budget", Document, nullable=False),
    Column("ground", Document),  # what the plan was made from; NULL: it was not looked yet
    Column("reason", Text),  # why it ended
    Column("ending", String(16)),  # how somebody wishes it to end
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
    Index("ix_campaigns_deployment_created_at_id", "deployment", "created_at", "id"),
)

campaign_proposals = Table(
    "campaign_proposals",
    metadata,
    Column("campaign_id", ID, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),  # from 1, in the order of the plan
    Column("reason", Text, nullable=False),
    Column("stack", String(64)),  # digest of its packages; NULL: there is none
    Column("lock", Text),  # NULL: there is none, or an earlier proposal has it
    Column("refusal", Text),  # the resolver's
    Column("exclusions", Document, nullable=False),
    # Of a candidate: a stack that no earlier proposal had.
    Column("candidate", Integer),  # from 1
    Column("inspection", ID),  # the last one
    Column("attempts", Integer),
    Column("verdict", String(16)),  # NULL: not yet
    Column("failure", Text),
    Column("seconds", Double),  # median of its runs
    Index("ix_campaign_proposals_inspection", "inspection"),
)
