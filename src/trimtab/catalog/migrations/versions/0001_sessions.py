"""Sessions of the optimizer: their trials, commands and events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("application", sa.String(128), nullable=False),
        sa.Column("active", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("machine", sa.JSON(), nullable=False),
        sa.Column("description", sa.JSON()),
        sa.Column("prior", sa.JSON()),
        sa.Column("best", sa.JSON()),
        sa.Column("result", sa.JSON()),
        sa.Column("progress", sa.JSON()),
        sa.Column("last_seen", sa.Double()),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_application_created_at", "sessions", ["application", "created_at"])
    op.create_index(
        "ux_sessions_active",
        "sessions",
        ["application"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "trials",
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("point", sa.JSON(), nullable=False),
        sa.Column("strategy", sa.String(64), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("predicted", sa.JSON()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(16)),
        sa.Column("metrics", sa.JSON()),
        sa.Column("spread", sa.JSON()),
        sa.Column("reason", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.Column("seconds", sa.Double()),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double()),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_trials_session_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session_id", "number", name="pk_trials"),
    )
    op.create_table(
        "commands",
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cmd", sa.String(16), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("trial", sa.Integer()),
        sa.Column("attempt", sa.Integer()),
        sa.Column("param", sa.JSON(), nullable=False),
        sa.Column("issued_at", sa.Double(), nullable=False),
        sa.Column("answered_at", sa.Double()),
        sa.Column("status", sa.String(16)),
        sa.Column("reason", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_commands_session_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session_id", "number", name="pk_commands"),
    )
    op.create_table(
        "events",
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_events_session_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session_id", "number", name="pk_events"),
    )
