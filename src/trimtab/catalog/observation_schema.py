"""Tables of observations: what images and logs of builds were found to hold. Rows are derived from documents, and can be rebuilt.

    sources ─┬─ observations ── fact_sets ── set_facts ── facts ── library_symbols ── symbols
             ├─ image_analyses ── images, image_references, environments
             ├─ log_analyses ── failures
             └─ build_documents
    builds                  a build, of all that was told of it
    tallies, breakers,      how often, so that nobody has to count ten million rows
    base_tallies

A fact is stored once, however many saw it; so is what was found together: the Debian packages of a base image are one set, whoever is derived
from it. A source names the document, and an observation says that it has the set, and how that is known: it was *declared* (a lock), *observed*
(a package database, an installer's output) or *inferred*.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from trimtab.catalog.metadata import Name, metadata

__all__ = [
    "ANY_BASE",
    "NO_FACT",
    "base_tallies",
    "breakers",
    "build_documents",
    "builds",
    "fact_sets",
    "facts",
    "failures",
    "image_analyses",
    "image_references",
    "images",
    "library_symbols",
    "log_analyses",
    "observations",
    "set_facts",
    "sources",
    "symbols",
    "tallies",
]

ID, REFERENCE = Name(200), Name(500)
ANY_BASE = 0  # in tallies: whatever the base image was
NO_FACT = 0  # in breakers: the failure names no package


def _source() -> Column[int]:
    return Column(
        "source_id",
        Integer,
        ForeignKey("sources.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


sources = Table(
    "sources",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("document_id", ID, nullable=False),
    Column("kind", String(8), nullable=False),  # build, image, log
    Column("digest", String(64), nullable=False),  # SHA-256 of the document, in hex
    Column("analyzer", String(100), nullable=False),
    Column("analyzer_version", String(50), nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("document_id", name="uq_sources_document_id"),
)

images = Table(
    "images",
    metadata,
    Column("id", Integer, primary_key=True),
    # The digest of its manifest; of one whose digest nobody knows, what it was called.
    Column("identity", REFERENCE, nullable=False),
    UniqueConstraint("identity", name="uq_images_identity"),
)

image_references = Table(
    "image_references",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("reference", REFERENCE, nullable=False),
    Column("repository", REFERENCE, nullable=False),  # without tag and digest
    UniqueConstraint("reference", name="uq_image_references_reference"),
    Index("ix_image_references_repository", "repository"),
)

facts = Table(
    "facts",
    metadata,
    Column("id", Integer, primary_key=True),
    # A package by its system (pypi, deb, rpm, …), `interpreter`, `cuda`, `library`, or `layer`.
    Column("kind", String(16), nullable=False),
    Column("name", Name(300), nullable=False),  # of the package, or the path in the image; a layer's digest
    Column(
        "value", Name(200), nullable=False
    ),  # the version; a digest of a library's symbols; a layer's place
    UniqueConstraint("name", "kind", "value", name="uq_facts_name"),
)

symbols = Table(
    "symbols",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", ID, nullable=False),
    UniqueConstraint("name", name="uq_symbols_name"),
)

library_symbols = Table(
    "library_symbols",
    metadata,
    Column("fact_id", Integer, ForeignKey("facts.id", ondelete="CASCADE"), primary_key=True),
    Column("symbol_id", Integer, ForeignKey("symbols.id"), primary_key=True),
    Index("ix_library_symbols_symbol_id_fact_id", "symbol_id", "fact_id"),
)

fact_sets = Table(
    "fact_sets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),  # of all its facts
    Column("subject", String(8), nullable=False),  # what has it: image, build
    Column("digest", String(64), nullable=False),  # SHA-256 of subject and facts, in hex
    Column("size", Integer, nullable=False),
    UniqueConstraint("digest", name="uq_fact_sets_digest"),
)

set_facts = Table(
    "set_facts",
    metadata,
    Column("set_id", Integer, ForeignKey("fact_sets.id", ondelete="CASCADE"), primary_key=True),
    Column("fact_id", Integer, ForeignKey("facts.id"), primary_key=True),
    # That of the set, once more: who asks for images does not walk over the hundred times as many builds.
    Column("subject", String(8), nullable=False),
    Index("ix_set_facts_fact_id_subject_set_id", "fact_id", "subject", "set_id"),
)

observations = Table(
    "observations",
    metadata,
    _source(),
    Column("set_id", Integer, ForeignKey("fact_sets.id"), primary_key=True, autoincrement=False),
    # contains (of an image); requires (a lock), installed, attempted (of a build)
    Column("relation", String(12), primary_key=True),
    Column("how", String(8), nullable=False),  # declared, observed, inferred
    Index("ix_observations_set_id_source_id", "set_id", "source_id"),
)

image_analyses = Table(
    "image_analyses",
    metadata,
    _source(),
    Column("document_id", ID, nullable=False),
    Column("image_id", Integer, ForeignKey("images.id"), nullable=False),
    Column("reference_id", Integer, ForeignKey("image_references.id")),
    Column("environment_id", Integer, ForeignKey("environments.id"), nullable=False),
    Column("environment_type", String(16), nullable=False),
    Column("last_layer", String(100), nullable=False),  # by which the original knows an image
    Column("image_name", String(200), nullable=False),  # what its environment calls it
    Column("image_tag", String(100), nullable=False),
    Column("size", BigInteger),
    Column("at", Double, nullable=False),
    # Whether no later analysis of the same image is there: it alone is shown.
    Column("newest", Boolean(create_constraint=False), nullable=False),
    Index("ix_image_analyses_newest_at_document_id", "newest", "at", "document_id"),
    Index("ix_image_analyses_image_id", "image_id"),
    Index("ix_image_analyses_reference_id", "reference_id"),
    Index("ix_image_analyses_environment_id", "environment_id"),
)

log_analyses = Table(
    "log_analyses",
    metadata,
    _source(),
    Column("outcome", String(12), nullable=False),  # successful, failed, unknown
    Column("tool", String(50), nullable=False),
    Column("exit_code", Integer),
    Column("kind", String(16), nullable=False),  # of the breaker; empty where there is none
    Column("class", String(32), nullable=False),
    Column("breaker_id", Integer, ForeignKey("facts.id")),
    Column("breaker_how", String(8), nullable=False),  # observed; inferred: its version is another line's
    Column("base_reference_id", Integer, ForeignKey("image_references.id")),
    Column("base_digest", String(100), nullable=False),
    Column("at", Double, nullable=False),
)

failures = Table(
    "failures",
    metadata,
    _source(),
    Column("number", Integer, primary_key=True, autoincrement=False),  # in the order of the log
    Column("class", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("package", Name(300), nullable=False),  # empty where none is named
    Column("version", String(200), nullable=False),
    Column("message", String(500), nullable=False),
    Column("line", Integer),
    Column("recovered", Boolean(create_constraint=False), nullable=False),
    Column("breaker", Boolean(create_constraint=False), nullable=False),
    Index("ix_failures_package", "package"),
)

build_documents = Table(
    "build_documents",
    metadata,
    _source(),
    Column("key", String(64), nullable=False),  # the same for whatever tells of the same build
    Column("parts", Integer, nullable=False),  # how much it tells
    Column("name", String(200), nullable=False),
    Column("namespace", String(200), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("exit_code", Integer),
    Column("base_reference_id", Integer, ForeignKey("image_references.id")),
    Column("base_digest", String(100), nullable=False),
    Column("base_analysis", ID, nullable=False),
    Column("output_reference_id", Integer, ForeignKey("image_references.id")),
    Column("output_digest", String(100), nullable=False),
    Column("output_analysis", ID, nullable=False),
    Column("log_analysis", ID, nullable=False),
    Column("at", Double, nullable=False),
    Index("ix_build_documents_key", "key"),
    Index("ix_build_documents_base_analysis", "base_analysis"),
    Index("ix_build_documents_output_analysis", "output_analysis"),
    Index("ix_build_documents_log_analysis", "log_analysis"),
)

builds = Table(
    "builds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False),
    Column("document_id", ID, nullable=False),  # that tells the most of it
    Column("source_id", Integer, ForeignKey("sources.id", ondelete="CASCADE")),  # its build document
    Column("log_id", Integer, ForeignKey("sources.id", ondelete="CASCADE")),
    Column("output_id", Integer, ForeignKey("sources.id", ondelete="SET NULL")),  # the image's analysis
    Column("base_id", Integer, ForeignKey("image_references.id")),
    Column("base_image_id", Integer, ForeignKey("images.id")),
    Column("output_image_id", Integer, ForeignKey("images.id")),
    Column("stack_id", Integer, ForeignKey("fact_sets.id")),  # the Python packages it was to have
    Column("outcome", String(12), nullable=False),  # successful, failed, cancelled, unknown
    Column("how", String(8), nullable=False),
    Column("kind", String(16), nullable=False),  # of the failure; empty where nothing explains it
    Column("class", String(32), nullable=False),
    Column("breaker_id", Integer, ForeignKey("facts.id")),
    Column("at", Double, nullable=False),
    UniqueConstraint("key", name="uq_builds_key"),
    Index("ix_builds_document_id", "document_id"),
    Index("ix_builds_source_id", "source_id"),
    Index("ix_builds_log_id", "log_id"),
    Index("ix_builds_output_id", "output_id"),
    Index("ix_builds_stack_id_outcome", "stack_id", "outcome"),
    Index("ix_builds_breaker_id_document_id", "breaker_id", "document_id"),
    Index("ix_builds_breaker_id_base_id_document_id", "breaker_id", "base_id", "document_id"),
    Index("ix_builds_base_id", "base_id"),
    Index("ix_builds_base_image_id", "base_image_id"),
    Index("ix_builds_output_image_id", "output_image_id"),
)

tallies = Table(
    "tallies",
    metadata,
    Column("base_id", Integer, primary_key=True, autoincrement=False),
    Column("fact_id", Integer, ForeignKey("facts.id"), primary_key=True, autoincrement=False),
    Column("succeeded", Integer, nullable=False),  # builds with the package that succeeded
    Column("failed", Integer, nullable=False),  # that failed, for a reason in the stack
    Column("broke", Integer, nullable=False),  # of those: at this package
    Column("held", Integer, nullable=False),  # of those: elsewhere, with this package already installed
    Index("ix_tallies_fact_id", "fact_id"),
    Index("ix_tallies_base_id_succeeded_failed", "base_id", "succeeded", "failed"),
)

breakers = Table(
    "breakers",
    metadata,
    Column("base_id", Integer, primary_key=True, autoincrement=False),
    Column("fact_id", Integer, primary_key=True, autoincrement=False),
    Column("class", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("builds", Integer, nullable=False),
)

base_tallies = Table(
    "base_tallies",
    metadata,
    Column("base_id", Integer, primary_key=True, autoincrement=False),
    Column("succeeded", Integer, nullable=False),
    Column("stack", Integer, nullable=False),  # failed, by kind of what has to change
    Column("index", Integer, nullable=False),
    Column("network", Integer, nullable=False),
    Column("infrastructure", Integer, nullable=False),
    Column("resource", Integer, nullable=False),
    Column("unexplained", Integer, nullable=False),  # failed, and nothing says why
    Column("cancelled", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
)
