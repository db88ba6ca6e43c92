"""Analyses of images and logs. Each function takes the connection."""

import time
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.analysis_schema import analyses
from trimtab.catalog.upserts import insert_absent

__all__ = [
    "ENDED",
    "MONKEY",
    "AnalysisKind",
    "AnalysisState",
    "Row",
    "add",
    "ask",
    "begin",
    "by_id",
    "by_key",
    "delete",
    "finish",
    "hide",
    "is_wanted",
    "latest",
    "leave",
    "over",
    "postpone",
    "resolve",
    "states",
    "supersede",
]

Row = sa.RowMapping
MONKEY = "monkey"
"""The kind of what is accepted, made and ended as analyses are, and analyses nothing: stacks to be inspected."""
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
    CANCELLED = "cancelled"
    """Nobody wanted it any more before it was over; there will be no document."""


ENDED = frozenset({AnalysisState.SUCCEEDED, AnalysisState.FAILED, AnalysisState.CANCELLED})
UNSUCCESSFUL = sorted(ENDED - {AnalysisState.SUCCEEDED})
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
    while not insert_absent(connection, analyses, [values]):
        # Held until it is said which one it is: it may fail, or be deleted, in this moment, and then there is none.
        found = by_key(connection, row["deployment"], row["owner"], row["cache_key"], held=True)
        if found is not None:
            return str(found["id"])
    return str(row["id"])


def by_id(connection: sa.Connection, analysis_id: str) -> Row | None:
    """The analysis of an id."""
    query = sa.select(analyses).where(analyses.c.id == analysis_id)
    return connection.execute(query).mappings().first()


def by_key(
    connection: sa.Connection, deployment: str, owner: str, key: str | None, *, held: bool = False
) -> Row | None:
    """The analysis that an owner has, or will have, of something; one that failed does not count.

    Args:
        connection: That reads.
        deployment: Whose.
        owner: Whose.
        key: By which it is known.
        held: Whether nobody else may change it before the end of the transaction.
    """
    query = sa.select(analyses).where(
        analyses.c.deployment == deployment, analyses.c.owner == owner, analyses.c.cache_key == key
    )
    return connection.execute(query.with_for_update() if held else query).mappings().first()


def latest(
    connection: sa.Connection, deployment: str, kind: AnalysisKind, digest: str, owner: str | None
) -> Row | None:
    """The newest analysis of an image or a log, that has not failed, or was cancelled, if there is one.

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
    failed = analyses.c.state.in_(UNSUCCESSFUL)
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


def ask(connection: sa.Connection, analysis_id: str, request: Mapping[str, Any]) -> None:
    """What was asked for, in the transaction that accepts it."""
    connection.execute(sa.update(analyses).where(analyses.c.id == analysis_id).values(request=dict(request)))


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
    key = {} if state is AnalysisState.SUCCEEDED else {"cache_key": None}
    query = sa.update(analyses).where(analyses.c.id == analysis_id, OPEN)
    done = connection.execute(query.values(log=analyses.c.log + line, **values, **key))
    return done.rowcount == 1


def states(connection: sa.Connection) -> Mapping[tuple[str, str], int]:
    """How many there are, by kind and state."""
    query = sa.select(analyses.c.kind, analyses.c.state, sa.func.count()).group_by(
        analyses.c.kind, analyses.c.state
    )
    return {(kind, state): count for kind, state, count in connection.execute(query)}


def over(connection: sa.Connection, ids: Iterable[str]) -> set[str]:
    """Those of these analyses that ended, or are not there any more."""
    wanted = set(ids)
    query = sa.select(analyses.c.id).where(analyses.c.id.in_(wanted), OPEN)
    return wanted - set(connection.execute(query).scalars())


def hide(connection: sa.Connection, analysis_id: str) -> None:
    """Whoever submits the same from now on is not told of this one."""
    connection.execute(sa.update(analyses).where(analyses.c.id == analysis_id).values(cache_key=None))


def delete(connection: sa.Connection, analysis_id: str) -> None:
    """Delete the row of an analysis; what else there is of it is not the catalog's."""
    connection.execute(sa.delete(analyses).where(analyses.c.id == analysis_id))


def is_wanted(connection: sa.Connection, deployment: str, digest: str) -> bool:
    """Whether there is an analysis, anybody's, of the image or log of this digest."""
    query = sa.select(analyses.c.id).where(analyses.c.deployment == deployment, analyses.c.digest == digest)
    return connection.execute(query.limit(1)).first() is not None


def _line(text: str) -> str:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return f"{moment} {text[:LONGEST_REASON]}\n"
