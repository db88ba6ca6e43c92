"""The tables. Times are seconds since 1970 in UTC; JSON columns hold standard JSON, so no NaN."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from trimtab.catalog.analysis_schema import analyses, build_analyses
from trimtab.catalog.campaign_schema import campaign_proposals, campaigns
from trimtab.catalog.inspection_schema import (
    environments,
    hardware,
    inspection_words,
    inspections,
    packages,
    runs,
    specifications,
    stack_packages,
    stacks,
    submissions,
)
from trimtab.catalog.metadata import metadata
from trimtab.catalog.observation_schema import (
    base_tallies,
    breakers,
    build_documents,
    builds,
    fact_sets,
    facts,
    failures,
    image_analyses,
    image_references,
    images,
    library_symbols,
    log_analyses,
    observations,
    set_facts,
    sources,
    symbols,
    tallies,
)

__all__ = [
    "analyses",
    "base_tallies",
    "breakers",
    "build_analyses",
    "build_documents",
    "builds",
    "campaign_proposals",
    "campaigns",
    "commands",
    "environments",
    "events",
    "fact_sets",
    "facts",
    "failures",
    "hardware",
    "image_analyses",
    "image_references",
    "images",
    "inspection_words",
    "inspections",
    "library_symbols",
    "log_analyses",
    "metadata",
    "observations",
    "packages",
    "runs",
    "sessions",
    "set_facts",
    "sources",
    "specifications",
    "stack_packages",
    "stacks",
    "submissions",
    "symbols",
    "tallies",
    "trials",
]

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("application", String(128), nullable=False),
    Column("active", Boolean(create_constraint=False), nullable=False),
    Column("state", String(16), nullable=False),
    # Every change of what decides the next command raises it; a writer states the one it has read.
    Column("version", Integer, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("machine", JSON, nullable=False),
    Column("description", JSON),
    Column("prior", JSON),
    Column("best", JSON),
    Column("result", JSON),
    Column("progress", JSON),
    Column("last_seen", Double),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("finished_at", Double),
)
Index("ix_sessions_application_created_at", sessions.c.application, sessions.c.created_at)
# One session at a time decides for an application; the database itself sees to it.
Index(
    "ux_sessions_active",
    sessions.c.application,
    unique=True,
    sqlite_where=sessions.c.active,
    postgresql_where=sessions.c.active,
)


def _session_id() -> Column[str]:
    return Column(
        "session_id",
        String(64),
        ForeignKey("sessions.id", ondelete="CASCADE"),
        primary_key=True,
        nullable=False,
    )


def _number() -> Column[int]:
    return Column("number", Integer, primary_key=True, autoincrement=False)


trials = Table(
    "trials",
    metadata,
    _session_id(),
    _number(),
    Column("purpose", String(16), nullable=False),
    Column("point", JSON, nullable=False),
    Column("strategy", String(64), nullable=False),
    Column("why", Text, nullable=False),
    Column("predicted", JSON),
    Column("attempts", Integer, nullable=False),
    Column("status", String(16)),
    Column("metrics", JSON),
    Column("spread", JSON),
    Column("reason", Text),
    Column("message", Text),
    Column("seconds", Double),
    Column("started_at", Double, nullable=False),
    Column("finished_at", Double),
)

commands = Table(
    "commands",
    metadata,
    _session_id(),
    _number(),
    Column("cmd", String(16), nullable=False),
    Column("step", String(16), nullable=False),
    Column("trial", Integer),
    Column("attempt", Integer),
    Column("param", JSON, nullable=False),
    Column("issued_at", Double, nullable=False),
    Column("answered_at", Double),
    Column("status", String(16)),
    Column("reason", Text),
    Column("message", Text),
)

events = Table(
    "events",
    metadata,
    _session_id(),
    _number(),
    Column("at", Double, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("data", JSON, nullable=False),
)
