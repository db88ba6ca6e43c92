"""Campaigns: how far each is, and what came of each of its proposals."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", ID, nullable=False),
        sa.Column("deployment", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("plan", sa.String(32), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("ending", sa.String(16)),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
    )
    op.create_index(
        "ix_campaigns_deployment_created_at_id", "campaigns", ["deployment", "created_at", "id"]
    )
    op.create_table(
        "campaign_proposals",
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("stack", sa.String(64)),
        sa.Column("lock", sa.Text()),
        sa.Column("refusal", sa.Text()),
        sa.Column("exclusions", sa.Text(), nullable=False),
        sa.Column("candidate", sa.Integer()),
        sa.Column("inspection", ID),
        sa.Column("attempts", sa.Integer()),
        sa.Column("verdict", sa.String(16)),
        sa.Column("failure", sa.Text()),
        sa.Column("seconds", sa.Double()),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_campaign_proposals_campaign_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "number", name="pk_campaign_proposals"),
    )
    op.create_index("ix_campaign_proposals_inspection", "campaign_proposals", ["inspection"])
