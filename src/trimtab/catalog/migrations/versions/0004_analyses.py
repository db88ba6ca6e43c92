"""What is to be analysed of builds, and how far each analysis is."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "analyses",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("deployment", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cache_key", ID),
        sa.Column("digest", ID),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("credentials", sa.String(80)),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_analyses"),
    )
    op.create_index("ix_analyses_deployment_digest_created_at", "analyses", ["deployment", "digest", "created_at"])
    op.create_index("ix_analyses_kind_state", "analyses", ["kind", "state"])
    op.create_index(
        "ux_analyses_cache_key",
        "analyses",
        ["deployment", "owner", "cache_key"],
        unique=True,
        sqlite_where=sa.text("cache_key IS NOT NULL"),
        postgresql_where=sa.text("cache_key IS NOT NULL"),
    )
    op.create_table(
        "build_analyses",
        sa.Column("id", ID, nullable=False),
        sa.Column("deployment", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("idempotency", ID),
        sa.Column("base_id", ID),
        sa.Column("output_id", ID),
        sa.Column("log_id", ID),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("recorded_at", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_build_analyses"),
    )
    op.create_index(
        "ux_build_analyses_idempotency",
        "build_analyses",
        ["deployment", "owner", "idempotency"],
        unique=True,
        sqlite_where=sa.text("idempotency IS NOT NULL"),
        postgresql_where=sa.text("idempotency IS NOT NULL"),
    )
