"""Inspections in a queue that several processes take from, and how far each run is meanwhile."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "submissions",
        sa.Column("inspection_id", ID, nullable=False),
        sa.Column("deployment", sa.String(200), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name="fk_submissions_inspection_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("inspection_id", name="pk_submissions"),
    )
    op.add_column("inspections", sa.Column("ending", sa.String(16)))
    op.add_column("runs", sa.Column("report", sa.Text()))
