"""Which documents a count stands on."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

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
    for anywhere in (True, False):
        here = [each for each in pairs if (each[0] == ANY_BASE) is anywhere]
        for start in range(0, len(here), AT_ONCE):
            asked = here[start : start + AT_ONCE]
            parameters: dict[str, object] = {"kind": kind or "", "most": limit}
            for number, (base, fact) in enumerate(asked):
                parameters |= {f"base_{number}": base, f"fact_{number}": fact}
            query = _first(len(asked), anywhere=anywhere, any_kind=kind is None)
            for base, fact, document_id in connection.execute(query, parameters):
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


@cache
def _first(count: int, *, anywhere: bool, any_kind: bool) -> sa.TextClause:
    """The first documents of so many pairs.

    Each part is the beginning of an index: all together they cost less than one query that reads all builds of a package. It
    is text, for to put as many parts together from expressions takes several times as long as the database needs for them.
    """
    kind = "kind <> :kind" if any_kind else "kind = :kind"
    base = "" if anywhere else " AND base_id = :base_{0}"
    inner = f"breaker_id = :fact_{{0}}{base} AND {kind} ORDER BY document_id LIMIT :most"
    part = (
        "SELECT CAST(:base_{0} AS INTEGER), CAST(:fact_{0} AS INTEGER), document_id"  # noqa: S608 - texts of ours; values are bound
        f" FROM (SELECT document_id FROM builds WHERE {inner}) AS part_{{0}}"
    )
    return sa.text(" UNION ALL ".join(part.format(number) for number in range(count)))
