"""Which documents a count stands on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.observation_schema import ANY_BASE, builds, observations, set_facts

__all__ = ["SOURCES", "broken_by", "failed_with", "gathered"]

SOURCES = 5  # documents that an answer names; its count says how many there are
AT_ONCE = 40  # parts of one query


def broken_by(
    connection: sa.Connection,
    broken: Iterable[tuple[int, int]],
    kind: str | None = None,
    limit: int = SOURCES,
) -> dict[tuple[int, int], tuple[str, ...]]:
    """Documents of builds that packages broke, the first ones by id.

    Args:
        connection: For reading.
        broken: Numbers of base images, or `ANY_BASE`, and facts.
        kind: Of failures of this kind alone.
        limit: How many at most, of each pair.
    """
    pairs = sorted(set(broken))
    found: dict[tuple[int, int], list[str]] = {each: [] for each in pairs}
    for start in range(0, len(pairs), AT_ONCE):
        # Each is the beginning of an index: all together they cost less than one that reads all builds of a package.
        parts = [_first(each, kind, limit) for each in pairs[start : start + AT_ONCE]]
        for base, fact, document_id in connection.execute(sa.union_all(*parts)):
            found[base, fact].append(document_id)
    return {each: tuple(sorted(documents)) for each, documents in found.items()}


def gathered(
    found: Mapping[tuple[int, int], Sequence[str]], base: int, fact_ids: Iterable[int], limit: int = SOURCES
) -> tuple[str, ...]:
    """Of these packages' documents the first ones: those of the first package, then those of the next."""
    return tuple(document for each in fact_ids for document in found.get((base, each), ()))[:limit]


def failed_with(connection: sa.Connection, fact_id: int, base: int, limit: int = SOURCES) -> tuple[str, ...]:
    """Documents of builds that were to have this package, and failed for a reason in the stack."""
    had = (
        sa.select(observations.c.source_id)
        .join(set_facts, set_facts.c.set_id == observations.c.set_id)
        .where(set_facts.c.fact_id == fact_id, set_facts.c.subject == "build")
    )
    query = sa.select(builds.c.document_id).where(builds.c.log_id.in_(had), builds.c.kind == "stack")
    if base != ANY_BASE:
        query = query.where(builds.c.base_id == base)
    return tuple(connection.execute(query.order_by(builds.c.document_id).limit(limit)).scalars().all())


def _first(broken: tuple[int, int], kind: str | None, limit: int) -> sa.Select[Any]:
    base, fact = broken
    query = sa.select(builds.c.document_id).where(builds.c.breaker_id == fact)
    query = query.where(builds.c.kind != "" if kind is None else builds.c.kind == kind)
    if base != ANY_BASE:
        query = query.where(builds.c.base_id == base)
    part = query.order_by(builds.c.document_id).limit(limit).subquery()
    return sa.select(sa.literal(base, sa.Integer), sa.literal(fact, sa.Integer), part.c.document_id)
