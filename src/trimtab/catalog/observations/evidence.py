"""Which documents a count stands on."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.observation_schema import ANY_BASE, builds, observations, set_facts

__all__ = ["SOURCES", "broken_by", "failed_with"]

SOURCES = 5  # documents that an answer names; its count says how many there are


def broken_by(
    connection: sa.Connection,
    fact_ids: Sequence[int],
    base: int,
    kind: str | None = None,
    limit: int = SOURCES,
) -> tuple[str, ...]:
    """Documents of builds that these packages broke: the first ones by id of the first package, then of the next.

    Args:
        connection: For reading.
        fact_ids: The packages.
        base: On this base image.
        kind: Of failures of this kind alone.
        limit: How many at most.
    """
    found: list[str] = []
    for each in fact_ids:  # one by one: each is the beginning of an index, and the first ones mostly suffice
        query = sa.select(builds.c.document_id).where(builds.c.breaker_id == each)
        query = query.where(builds.c.kind != "" if kind is None else builds.c.kind == kind)
        found += _listed(connection, query, base, limit - len(found))
        if len(found) >= limit:
            break
    return tuple(found)


def failed_with(connection: sa.Connection, fact_id: int, base: int, limit: int = SOURCES) -> tuple[str, ...]:
    """Documents of builds that were to have this package, and failed for a reason in the stack."""
    had = (
        sa.select(observations.c.source_id)
        .join(set_facts, set_facts.c.set_id == observations.c.set_id)
        .where(set_facts.c.fact_id == fact_id, set_facts.c.subject == "build")
    )
    here = sa.or_(builds.c.log_id.in_(had), builds.c.breaker_id == fact_id)
    query = sa.select(builds.c.document_id).where(
        here, builds.c.outcome == "failed", builds.c.kind == "stack"
    )
    return tuple(_listed(connection, query, base, limit))


def _listed(connection: sa.Connection, query: sa.Select[Any], base: int, limit: int) -> Sequence[str]:
    if base != ANY_BASE:
        query = query.where(builds.c.base_id == base)
    return connection.execute(query.order_by(builds.c.document_id).limit(limit)).scalars().all()
