"""Tables of what is to be analysed: what was submitted of builds, and how far each analysis is.

They are the memory of what is under way. What was found is in documents, and in the tables of observations.
"""

from sqlalchemy import Column, Double, Index, Integer, String, Table, Text

from trimtab.catalog.metadata import Document, Name, metadata

__all__ = ["analyses", "build_analyses"]

ID = Name(200)

analyses = Table(
    "analyses",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(16), nullable=False),  # of `trimtab.catalog.AnalysisKind`, or `MONKEY`
    Column("deployment", String(200), nullable=False),
    Column("owner", String(200), nullable=False),  # empty: nobody's in particular
    Column("state", String(16), nullable=False),
    # By which the same is not analysed twice. NULL: another has taken its place, or it failed and may be tried again.
    Column("cache_key", ID),
    Column("digest", ID),  # of the image; of a log, the id of its document
    Column("request", Document, nullable=False),  # what was asked for, without credentials
    Column("credentials", String(80)),  # `body`: they came along; `name:…`: what the settings know
    Column("holder", String(200)),  # the process that has them in memory, if it makes analyses
    Column("taken", Integer, nullable=False),  # how often it was begun, and its end not seen
    Column("attempts", Integer, nullable=False),  # that failed by what passes
    Column("reason", Text),
    Column("log", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
    Index("ix_analyses_deployment_digest_created_at", "deployment", "digest", "created_at"),
    Index("ix_analyses_kind_state", "kind", "state"),
)
Index(
    "ux_analyses_cache_key",
    analyses.c.deployment,
    analyses.c.owner,
    analyses.c.cache_key,
    unique=True,
    sqlite_where=analyses.c.cache_key.is_not(None),
    postgresql_where=analyses.c.cache_key.is_not(None),
)

build_analyses = Table(
    "build_analyses",
    metadata,
    Column("id", ID, primary_key=True),
    Column("deployment", String(200), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("idempotency", ID),
    Column("base_id", ID),  # of the analyses of its parts
    Column("output_id", ID),
    Column("log_id", ID),
    Column("document", Document, nullable=False),  # what is stored of it
    Column("answer", Document, nullable=False),  # what was answered to it
    Column("created_at", Double, nullable=False),
    Column("recorded_at", Double),  # since when its document is stored
)
# Whoever asks twice with the same key asks once.
Index(
    "ux_build_analyses_idempotency",
    build_analyses.c.deployment,
    build_analyses.c.owner,
    build_analyses.c.idempotency,
    unique=True,
    sqlite_where=build_analyses.c.idempotency.is_not(None),
    postgresql_where=build_analyses.c.idempotency.is_not(None),
)
