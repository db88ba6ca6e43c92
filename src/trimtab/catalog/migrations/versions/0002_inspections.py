"""Inspections: their runs, hardware, environments, stacks and packages."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "packages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("version", sa.String(100), nullable=False),
        sa.Column("source", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_packages"),
        sa.UniqueConstraint("name", "version", "source", name="uq_packages_name"),
    )
    op.create_table(
        "stacks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("packages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stacks"),
        sa.UniqueConstraint("digest", name="uq_stacks_digest"),
    )
    op.create_table(
        "stack_packages",
        sa.Column("stack_id", sa.Integer(), nullable=False),
        sa.Column("package_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["stack_id"], ["stacks.id"], name="fk_stack_packages_stack_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["package_id"], ["packages.id"], name="fk_stack_packages_package_id"),
        sa.PrimaryKeyConstraint("stack_id", "package_id", name="pk_stack_packages"),
    )
    op.create_index("ix_stack_packages_package_id_stack_id", "stack_packages", ["package_id", "stack_id"])
    op.create_table(
        "hardware",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("brand", sa.String(200)),
        sa.Column("vendor", sa.String(100)),
        sa.Column("family", sa.Integer()),
        sa.Column("model", sa.Integer()),
        sa.Column("ncpus", sa.Integer()),
        sa.Column("memory", sa.BigInteger()),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_hardware"),
    )
    op.create_table(
        "environments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("os_name", sa.String(100), nullable=False),
        sa.Column("os_version", sa.String(100), nullable=False),
        sa.Column("python_version", sa.String(50), nullable=False),
        sa.Column("cuda_version", sa.String(50), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_environments"),
        sa.UniqueConstraint(
            "os_name", "os_version", "python_version", "cuda_version", name="uq_environments_os_name"
        ),
    )
    op.create_table(
        "inspections",
        sa.Column("id", ID, nullable=False),
        sa.Column("identifier", sa.String(200)),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("base", sa.String(500), nullable=False),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.Column("specification_digest", sa.String(64), nullable=False),
        sa.Column("stack_id", sa.Integer()),
        sa.Column("engine", sa.String(64)),
        sa.Column("build", sa.Text()),
        sa.Column("failure_class", sa.String(32)),
        sa.Column("failure_reason", sa.Text()),
        sa.Column("idempotency", sa.String(200)),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        sa.ForeignKeyConstraint(["stack_id"], ["stacks.id"], name="fk_inspections_stack_id"),
        sa.PrimaryKeyConstraint("id", name="pk_inspections"),
    )
    for columns in (
        ["created_at", "id"],
        ["state", "created_at", "id"],
        ["base", "created_at", "id"],
        ["owner", "created_at", "id"],
        ["owner", "id"],
        ["stack_id"],
    ):
        op.create_index("ix_inspections_" + "_".join(columns), "inspections", columns)
    op.create_index(
        "ux_inspections_idempotency",
        "inspections",
        ["owner", "idempotency"],
        unique=True,
        sqlite_where=sa.text("idempotency IS NOT NULL"),
        postgresql_where=sa.text("idempotency IS NOT NULL"),
    )
    op.create_table(
        "specifications",
        sa.Column("inspection_id", ID, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name="fk_specifications_inspection_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("inspection_id", name="pk_specifications"),
    )
    op.create_table(
        "inspection_words",
        sa.Column("word", ID, nullable=False),
        sa.Column("inspection_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name="fk_inspection_words_inspection_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("word", "inspection_id", name="pk_inspection_words"),
    )
    op.create_index("ix_inspection_words_inspection_id", "inspection_words", ["inspection_id"])
    op.create_table(
        "runs",
        sa.Column("inspection_id", ID, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("signal", sa.Integer()),
        sa.Column("timed_out", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("oom_killed", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("started_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
        sa.Column("duration", sa.Double()),
        sa.Column("utime", sa.Double()),
        sa.Column("stime", sa.Double()),
        sa.Column("max_rss", sa.BigInteger()),
        sa.Column("memory_peak", sa.BigInteger()),
        sa.Column("usage", sa.Text()),
        sa.Column("indicator", sa.String(100)),
        sa.Column("component", sa.String(100)),
        sa.Column("elapsed", sa.Double()),
        sa.Column("rate", sa.Double()),
        sa.Column("score", sa.Double()),
        sa.Column("script_sha256", sa.String(64)),
        sa.Column("hardware_digest", sa.String(64)),
        sa.Column("environment_id", sa.Integer()),
        sa.Column("failure_class", sa.String(32)),
        sa.Column("failure_reason", sa.Text()),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name="fk_runs_inspection_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["hardware_digest"], ["hardware.digest"], name="fk_runs_hardware_digest"),
        sa.ForeignKeyConstraint(["environment_id"], ["environments.id"], name="fk_runs_environment_id"),
        sa.PrimaryKeyConstraint("inspection_id", "item", "attempt", name="pk_runs"),
    )
    op.create_index("ix_runs_hardware_digest_inspection_id", "runs", ["hardware_digest", "inspection_id"])
    op.create_index("ix_runs_environment_id", "runs", ["environment_id"])
