"""Observations: what images and logs of builds were found to hold."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _name(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "sources",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", _name(200), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("analyzer", sa.String(100), nullable=False),
        sa.Column("analyzer_version", sa.String(50), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
        sa.UniqueConstraint("document_id", name="uq_sources_document_id"),
    )
    op.create_table(
        "images",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identity", _name(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_images"),
        sa.UniqueConstraint("identity", name="uq_images_identity"),
    )
    op.create_table(
        "image_references",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", _name(500), nullable=False),
        sa.Column("repository", _name(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_image_references"),
        sa.UniqueConstraint("reference", name="uq_image_references_reference"),
    )
    op.create_index("ix_image_references_repository", "image_references", ["repository"])
    op.create_table(
        "facts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", _name(300), nullable=False),
        sa.Column("value", _name(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_facts"),
        sa.UniqueConstraint("name", "kind", "value", name="uq_facts_name"),
    )
    op.create_table(
        "symbols",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", _name(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_symbols"),
        sa.UniqueConstraint("name", name="uq_symbols_name"),
    )
    op.create_table(
        "library_symbols",
        sa.Column("fact_id", sa.Integer(), nullable=False),
        sa.Column("symbol_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["fact_id"], ["facts.id"], name="fk_library_symbols_fact_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["symbol_id"], ["symbols.id"], name="fk_library_symbols_symbol_id"),
        sa.PrimaryKeyConstraint("fact_id", "symbol_id", name="pk_library_symbols"),
    )
    op.create_index("ix_library_symbols_symbol_id_fact_id", "library_symbols", ["symbol_id", "fact_id"])
    op.create_table(
        "fact_sets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(8), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fact_sets"),
        sa.UniqueConstraint("digest", name="uq_fact_sets_digest"),
    )
    op.create_table(
        "set_facts",
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("fact_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(8), nullable=False),
        sa.ForeignKeyConstraint(["set_id"], ["fact_sets.id"], name="fk_set_facts_set_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["fact_id"], ["facts.id"], name="fk_set_facts_fact_id"),
        sa.PrimaryKeyConstraint("set_id", "fact_id", name="pk_set_facts"),
    )
    op.create_index("ix_set_facts_fact_id_subject_set_id", "set_facts", ["fact_id", "subject", "set_id"])
    op.create_table(
        "observations",
        sa.Column("source_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("set_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("relation", sa.String(12), nullable=False),
        sa.Column("how", sa.String(8), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_observations_source_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["set_id"], ["fact_sets.id"], name="fk_observations_set_id"),
        sa.PrimaryKeyConstraint("source_id", "set_id", "relation", name="pk_observations"),
    )
    op.create_index("ix_observations_set_id_source_id", "observations", ["set_id", "source_id"])
    op.create_table(
        "image_analyses",
        sa.Column("source_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document_id", _name(200), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("reference_id", sa.Integer()),
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("environment_type", sa.String(16), nullable=False),
        sa.Column("last_layer", sa.String(100), nullable=False),
        sa.Column("image_name", sa.String(200), nullable=False),
        sa.Column("image_tag", sa.String(100), nullable=False),
        sa.Column("size", sa.BigInteger()),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("newest", sa.Boolean(create_constraint=False), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_image_analyses_source_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_image_analyses_image_id"),
        sa.ForeignKeyConstraint(["reference_id"], ["image_references.id"], name="fk_image_analyses_reference_id"),
        sa.ForeignKeyConstraint(["environment_id"], ["environments.id"], name="fk_image_analyses_environment_id"),
        sa.PrimaryKeyConstraint("source_id", name="pk_image_analyses"),
    )
    op.create_index("ix_image_analyses_environment_id", "image_analyses", ["environment_id"])
    op.create_index("ix_image_analyses_image_id", "image_analyses", ["image_id"])
    op.create_index("ix_image_analyses_newest_at_document_id", "image_analyses", ["newest", "at", "document_id"])
    op.create_index("ix_image_analyses_reference_id", "image_analyses", ["reference_id"])
    op.create_table(
        "log_analyses",
        sa.Column("source_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("tool", sa.String(50), nullable=False),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("class", sa.String(32), nullable=False),
        sa.Column("breaker_id", sa.Integer()),
        sa.Column("breaker_how", sa.String(8), nullable=False),
        sa.Column("base_reference_id", sa.Integer()),
        sa.Column("base_digest", sa.String(100), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_log_analyses_source_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["breaker_id"], ["facts.id"], name="fk_log_analyses_breaker_id"),
        sa.ForeignKeyConstraint(["base_reference_id"], ["image_references.id"], name="fk_log_analyses_base_reference_id"),
        sa.PrimaryKeyConstraint("source_id", name="pk_log_analyses"),
    )
    op.create_table(
        "failures",
        sa.Column("source_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("class", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("package", _name(300), nullable=False),
        sa.Column("version", sa.String(200), nullable=False),
        sa.Column("message", sa.String(500), nullable=False),
        sa.Column("line", sa.Integer()),
        sa.Column("recovered", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("breaker", sa.Boolean(create_constraint=False), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_failures_source_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("source_id", "number", name="pk_failures"),
    )
    op.create_index("ix_failures_package", "failures", ["package"])
    op.create_table(
        "build_documents",
        sa.Column("source_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("namespace", sa.String(200), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("base_reference_id", sa.Integer()),
        sa.Column("base_digest", sa.String(100), nullable=False),
        sa.Column("base_analysis", _name(200), nullable=False),
        sa.Column("output_reference_id", sa.Integer()),
        sa.Column("output_digest", sa.String(100), nullable=False),
        sa.Column("output_analysis", _name(200), nullable=False),
        sa.Column("log_analysis", _name(200), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_build_documents_source_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["base_reference_id"], ["image_references.id"], name="fk_build_documents_base_reference_id"),
        sa.ForeignKeyConstraint(["output_reference_id"], ["image_references.id"], name="fk_build_documents_output_reference_id"),
        sa.PrimaryKeyConstraint("source_id", name="pk_build_documents"),
    )
    op.create_index("ix_build_documents_base_analysis", "build_documents", ["base_analysis"])
    op.create_index("ix_build_documents_key", "build_documents", ["key"])
    op.create_index("ix_build_documents_log_analysis", "build_documents", ["log_analysis"])
    op.create_index("ix_build_documents_output_analysis", "build_documents", ["output_analysis"])
    op.create_table(
        "builds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("document_id", _name(200), nullable=False),
        sa.Column("source_id", sa.Integer()),
        sa.Column("log_id", sa.Integer()),
        sa.Column("output_id", sa.Integer()),
        sa.Column("base_id", sa.Integer()),
        sa.Column("base_image_id", sa.Integer()),
        sa.Column("output_image_id", sa.Integer()),
        sa.Column("stack_id", sa.Integer()),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("how", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("class", sa.String(32), nullable=False),
        sa.Column("breaker_id", sa.Integer()),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_builds_source_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["log_id"], ["sources.id"], name="fk_builds_log_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["output_id"], ["sources.id"], name="fk_builds_output_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["base_id"], ["image_references.id"], name="fk_builds_base_id"),
        sa.ForeignKeyConstraint(["base_image_id"], ["images.id"], name="fk_builds_base_image_id"),
        sa.ForeignKeyConstraint(["output_image_id"], ["images.id"], name="fk_builds_output_image_id"),
        sa.ForeignKeyConstraint(["stack_id"], ["fact_sets.id"], name="fk_builds_stack_id"),
        sa.ForeignKeyConstraint(["breaker_id"], ["facts.id"], name="fk_builds_breaker_id"),
        sa.PrimaryKeyConstraint("id", name="pk_builds"),
        sa.UniqueConstraint("key", name="uq_builds_key"),
    )
    op.create_index("ix_builds_base_id", "builds", ["base_id"])
    op.create_index("ix_builds_base_image_id", "builds", ["base_image_id"])
    op.create_index("ix_builds_breaker_id_base_id_document_id", "builds", ["breaker_id", "base_id", "document_id"])
    op.create_index("ix_builds_breaker_id_document_id", "builds", ["breaker_id", "document_id"])
    op.create_index("ix_builds_document_id", "builds", ["document_id"])
    op.create_index("ix_builds_log_id", "builds", ["log_id"])
    op.create_index("ix_builds_output_id", "builds", ["output_id"])
    op.create_index("ix_builds_output_image_id", "builds", ["output_image_id"])
    op.create_index("ix_builds_source_id", "builds", ["source_id"])
    op.create_index("ix_builds_stack_id_outcome", "builds", ["stack_id", "outcome"])
    op.create_table(
        "tallies",
        sa.Column("base_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fact_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("succeeded", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("broke", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["fact_id"], ["facts.id"], name="fk_tallies_fact_id"),
        sa.PrimaryKeyConstraint("base_id", "fact_id", name="pk_tallies"),
    )
    op.create_index("ix_tallies_base_id_succeeded_failed", "tallies", ["base_id", "succeeded", "failed"])
    op.create_index("ix_tallies_fact_id", "tallies", ["fact_id"])
    op.create_table(
        "breakers",
        sa.Column("base_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fact_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("class", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("builds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("base_id", "fact_id", "class", name="pk_breakers"),
    )
    op.create_table(
        "base_tallies",
        sa.Column("base_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("succeeded", sa.Integer(), nullable=False),
        sa.Column("stack", sa.Integer(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("network", sa.Integer(), nullable=False),
        sa.Column("infrastructure", sa.Integer(), nullable=False),
        sa.Column("resource", sa.Integer(), nullable=False),
        sa.Column("unexplained", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("base_id", name="pk_base_tallies"),
    )
