"""Builds that were submitted, and which analyses they have. Each function takes the connection."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.analyses import Row
from trimtab.catalog.analysis_schema import analyses, build_analyses
from trimtab.catalog.upserts import insert_absent

__all__ = ["add", "by_id", "by_key", "delete", "having", "listed", "parts", "recorded"]

PARTS = ("base_id", "output_id", "log_id")


def add(connection: sa.Connection, row: Mapping[str, Any]) -> bool:
    """A new build; False: its owner submitted one with the same key before."""
    return insert_absent(connection, build_analyses, [row]) == 1


def by_id(connection: sa.Connection, build_id: str) -> Row | None:
    """The build of an id."""
    query = sa.select(build_analyses).where(build_analyses.c.id == build_id)
    return connection.execute(query).mappings().first()


def by_key(connection: sa.Connection, deployment: str, owner: str, key: str) -> Row | None:
    """The build that an owner submitted with a key."""
    query = sa.select(build_analyses).where(
        build_analyses.c.deployment == deployment,
        build_analyses.c.owner == owner,
        build_analyses.c.idempotency == key,
    )
    return connection.execute(query).mappings().first()


def listed(
    connection: sa.Connection,
    deployment: str,
    owner: str | None,
    *,
    before: str | None = None,
    limit: int = 25,
) -> Sequence[Row]:
    """The newest builds, as their ids have it: they begin with the time.

    Args:
        connection: That reads.
        deployment: Whose.
        owner: Whose, None: anybody's.
        before: Those alone that come after this one in the list.
        limit: How many at most.
    """
    query = sa.select(build_analyses).where(build_analyses.c.deployment == deployment)
    if owner is not None:
        query = query.where(build_analyses.c.owner == owner)
    if before is not None:
        query = query.where(build_analyses.c.id < before)
    return connection.execute(query.order_by(build_analyses.c.id.desc()).limit(limit)).mappings().all()


def parts(connection: sa.Connection, *builds: Row) -> Mapping[str, Row]:
    """The analyses of builds' parts, by id."""
    ids = {each[name] for each in builds for name in PARTS if each[name] is not None}
    query = sa.select(analyses).where(analyses.c.id.in_(ids))
    return {each["id"]: each for each in connection.execute(query).mappings()}


def having(connection: sa.Connection, analysis_id: str) -> Sequence[str]:
    """The builds that have an analysis, by id. It reads all builds: nobody asks often."""
    query = sa.select(build_analyses.c.id).where(
        sa.or_(*(build_analyses.c[each] == analysis_id for each in PARTS))
    )
    return connection.execute(query.order_by(build_analyses.c.id)).scalars().all()


def recorded(connection: sa.Connection, build_id: str) -> None:
    """Its document is stored."""
    query = sa.update(build_analyses).where(
        build_analyses.c.id == build_id, build_analyses.c.recorded_at.is_(None)
    )
    connection.execute(query.values(recorded_at=time.time()))


def delete(connection: sa.Connection, build_id: str) -> None:
    """Delete the row of a build."""
    connection.execute(sa.delete(build_analyses).where(build_analyses.c.id == build_id))
