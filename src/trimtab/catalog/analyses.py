"""Analyses of images and logs, and the builds they are of. Each function takes the connection."""

import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.analysis_schema import analyses, build_analyses
from trimtab.catalog.upserts import insert_absent

__all__ = [
    "ENDED",
    "MONKEY",
    "AnalysisKind",
    "AnalysisState",
    "Row",
    "add",
    "add_build",
    "begin",
    "build_by_id",
    "build_by_key",
    "by_id",
    "by_key",
    "finish",
    "latest",
    "leave",
    "parts",
    "postpone",
    "recorded",
    "resolve",
    "states",
    "supersede",
]

Row = sa.RowMapping
MONKEY = "monkey"
"""The kind of what is accepted, made and ended as analyses are, and analyses nothing: stacks to be inspected."""
PARTS = ("base_id", "output_id", "log_id")
LONGEST_REASON = 2000


class AnalysisKind(StrEnum):
    """What is analysed."""

    IMAGE = "image"
    LOG = "log"


class AnalysisState(StrEnum):
    """Where an analysis is, in the words that the original's clients know."""

    PENDING = "pending"
    """Accepted; nothing was begun yet."""
    RUNNING = "running"
    """Begun."""
    SUCCEEDED = "succeeded"
    """Its document is stored."""
    FAILED = "failed"
    """There will be no document."""


ENDED = frozenset({AnalysisState.SUCCEEDED, AnalysisState.FAILED})
OPEN = analyses.c.state.not_in(sorted(ENDED))


def add(connection: sa.Connection, row: Mapping[str, Any]) -> str:
    """A new analysis; or the one that the same owner has of the same already.

    Args:
        connection: In a transaction that writes.
        row: `id, kind, deployment, owner, cache_key, digest, request, credentials, holder, created_at`.

    Returns:
        Its id.
    """
    values = {"state": AnalysisState.PENDING.value, "taken": 0, "attempts": 0, "log": "", **row}
    if insert_absent(connection, analyses, [values]):
        return str(row["id"])
    found = by_key(connection, row["deployment"], row["owner"], row["cache_key"])
    return str(row["id"] if found is None else found["id"])


def by_id(connection: sa.Connection, analysis_id: str) -> Row | None:
    """The analysis of an id."""
    query = sa.select(analyses).where(analyses.c.id == analysis_id)
    return connection.execute(query).mappings().first()


def by_key(connection: sa.Connection, deployment: str, owner: str, key: str | None) -> Row | None:
    """The analysis that an owner has, or will have, of something; one that failed does not count."""
    query = sa.select(analyses).where(
        analyses.c.deployment == deployment, analyses.c.owner == owner, analyses.c.cache_key == key
    )
    return connection.execute(query).mappings().first()


def latest(
    connection: sa.Connection, deployment: str, kind: AnalysisKind, digest: str, owner: str | None
) -> Row | None:
    """The newest analysis of an image or a log, that has not failed if there is one.

    Args:
        connection: That reads.
        deployment: Whose.
        kind: Of what.
        digest: Of the image; of a log, the name of its document.
        owner: Whose, None: anybody's.
    """
    query = sa.select(analyses).where(
        analyses.c.deployment == deployment,
        analyses.c.digest == digest,
        analyses.c.kind == kind.value,
    )
    if owner is not None:
        query = query.where(analyses.c.owner == owner)
    failed = analyses.c.state == AnalysisState.FAILED.value
    ordered = query.order_by(failed, analyses.c.created_at.desc(), analyses.c.id.desc())
    return connection.execute(ordered.limit(1)).mappings().first()


def supersede(connection: sa.Connection, deployment: str, owner: str, key: str) -> None:
    """Let the next analysis of the same be a new one."""
    connection.execute(
        sa.update(analyses)
        .where(analyses.c.deployment == deployment, analyses.c.owner == owner, analyses.c.cache_key == key)
        .values(cache_key=None)
    )


def begin(connection: sa.Connection, analysis_id: str) -> Row | None:
    """It is begun, once more perhaps.

    Returns:
        It; None: there is none such, or it is over.
    """
    values = {
        "state": AnalysisState.RUNNING.value,
        "taken": analyses.c.taken + 1,
        "started_at": sa.func.coalesce(analyses.c.started_at, time.time()),
    }
    query = sa.update(analyses).where(analyses.c.id == analysis_id, OPEN).values(values)
    return connection.execute(query.returning(*analyses.c)).mappings().first()


def leave(connection: sa.Connection, analysis_id: str) -> None:
    """It was broken off on purpose, which is no attempt."""
    query = sa.update(analyses).where(analyses.c.id == analysis_id, OPEN)
    connection.execute(query.values(taken=analyses.c.taken - 1))


def postpone(connection: sa.Connection, analysis_id: str, reason: str) -> None:
    """An attempt failed by what passes."""
    query = sa.update(analyses).where(analyses.c.id == analysis_id, OPEN)
    line = _line(reason)
    connection.execute(
        query.values(taken=analyses.c.taken - 1, attempts=analyses.c.attempts + 1, log=analyses.c.log + line)
    )


def resolve(connection: sa.Connection, analysis_id: str, digest: str) -> None:
    """Note the digest of an image that was asked for by a tag."""
    query = sa.update(analyses).where(analyses.c.id == analysis_id, OPEN)
    connection.execute(query.values(digest=digest))


def finish(
    connection: sa.Connection, analysis_id: str, state: AnalysisState, reason: str | None = None
) -> bool:
    """It is over, once.

    Args:
        connection: In a transaction that writes.
        analysis_id: Which.
        state: In which state.
        reason: Why, or under which circumstances.

    Returns:
        Whether it was not over before.
    """
    values = {"state": state.value, "reason": reason and reason[:LONGEST_REASON], "ended_at": time.time()}
    line = _line(f"{state.value}: {reason}" if reason else state.value)
    key = {"cache_key": None} if state is AnalysisState.FAILED else {}
    query = sa.update(analyses).where(analyses.c.id == analysis_id, OPEN)
    done = connection.execute(query.values(log=analyses.c.log + line, **values, **key))
    return done.rowcount == 1


def states(connection: sa.Connection) -> Mapping[tuple[str, str], int]:
    """How many there are, by kind and state."""
    query = sa.select(analyses.c.kind, analyses.c.state, sa.func.count()).group_by(
        analyses.c.kind, analyses.c.state
    )
    return {(kind, state): count for kind, state, count in connection.execute(query)}


def add_build(connection: sa.Connection, row: Mapping[str, Any]) -> bool:
    """A new build; False: its owner submitted one with the same key before."""
    return insert_absent(connection, build_analyses, [row]) == 1


def build_by_id(connection: sa.Connection, build_id: str) -> Row | None:
    """The build of an id."""
    query = sa.select(build_analyses).where(build_analyses.c.id == build_id)
    return connection.execute(query).mappings().first()


def build_by_key(connection: sa.Connection, deployment: str, owner: str, key: str) -> Row | None:
    """The build that an owner submitted with a key."""
    query = sa.select(build_analyses).where(
        build_analyses.c.deployment == deployment,
        build_analyses.c.owner == owner,
        build_analyses.c.idempotency == key,
    )
    return connection.execute(query).mappings().first()


def parts(connection: sa.Connection, build: Row) -> Mapping[str, Row]:
    """The analyses of a build's parts, by id."""
    ids = [build[name] for name in PARTS if build[name] is not None]
    query = sa.select(analyses).where(analyses.c.id.in_(ids))
    return {each["id"]: each for each in connection.execute(query).mappings()}


def recorded(connection: sa.Connection, build_id: str) -> None:
    """Its document is stored."""
    query = sa.update(build_analyses).where(
        build_analyses.c.id == build_id, build_analyses.c.recorded_at.is_(None)
    )
    connection.execute(query.values(recorded_at=time.time()))


def _line(text: str) -> str:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return f"{moment} {text[:LONGEST_REASON]}\n"
