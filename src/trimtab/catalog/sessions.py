"""Queries over sessions and what belongs to them. Each takes the connection, and so is part of its transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.schema import commands, events, sessions, trials

__all__ = [
    "Key",
    "Row",
    "Writes",
    "by_id",
    "children",
    "concluded",
    "delete",
    "history",
    "insert",
    "key_of",
    "latest",
    "listed",
    "save",
    "states",
    "statuses",
    "trial",
]

Row = sa.RowMapping


@dataclass(frozen=True, slots=True)
class Key:
    """Which session, and which version of it."""

    id: str
    version: int


@dataclass
class Writes:
    """Rows to be written beside the session's own, in the order they were thought of."""

    rows: list[tuple[sa.Table, int, bool, dict[str, Any]]] = field(default_factory=list)

    def insert(self, table: sa.Table, number: int, **values: Any) -> None:
        """A new row."""
        self.rows.append((table, number, True, values))

    def update(self, table: sa.Table, number: int, **values: Any) -> None:
        """New values in a row that is there."""
        self.rows.append((table, number, False, values))

    def execute(self, connection: sa.Connection, session_id: str) -> None:
        """Write them."""
        for table, number, new, values in self.rows:
            if new:
                connection.execute(sa.insert(table).values(session_id=session_id, number=number, **values))
            else:
                here = (table.c.session_id == session_id) & (table.c.number == number)
                connection.execute(sa.update(table).where(here).values(**values))


_LATEST = (
    sa.select(sessions.c.id, sessions.c.version)
    .where(sessions.c.application == sa.bindparam("application"))
    .order_by(sessions.c.active.desc(), sessions.c.created_at.desc(), sessions.c.id.desc())
    .limit(1)
)


def latest(connection: sa.Connection, application: str) -> Key | None:
    """The session that decides for an application: the active one, else the latest."""
    row = connection.execute(_LATEST, {"application": application}).first()
    return Key(row.id, row.version) if row else None


def key_of(connection: sa.Connection, session_id: str) -> Key | None:
    """The version of one session."""
    query = sa.select(sessions.c.id, sessions.c.version).where(sessions.c.id == session_id)
    row = connection.execute(query).first()
    return Key(row.id, row.version) if row else None


def by_id(connection: sa.Connection, session_id: str) -> Row | None:
    """One session."""
    return connection.execute(sa.select(sessions).where(sessions.c.id == session_id)).mappings().first()


def children(connection: sa.Connection, session_id: str, table: sa.Table) -> Sequence[Row]:
    """The rows of a session in `trials`, `commands` or `events`, in order."""
    query = sa.select(table).where(table.c.session_id == session_id).order_by(table.c.number)
    return connection.execute(query).mappings().all()


def trial(connection: sa.Connection, session_id: str, number: int) -> Row | None:
    """One trial."""
    query = sa.select(trials).where(trials.c.session_id == session_id, trials.c.number == number)
    return connection.execute(query).mappings().first()


def concluded(connection: sa.Connection, session_ids: Sequence[str]) -> dict[str, int]:
    """How many trials of each session have their outcome."""
    mine = trials.c.session_id.in_(session_ids) & trials.c.status.is_not(None)
    query = sa.select(trials.c.session_id, sa.func.count()).where(mine).group_by(trials.c.session_id)
    return {session_id: count for session_id, count in connection.execute(query)}  # noqa: C416 # these are no pairs to mypy


def listed(
    connection: sa.Connection,
    *,
    application: str | None = None,
    active: bool | None = None,
    limit: int = 100,
    offset: int = 0,
) -> Sequence[Row]:
    """Sessions, the newest first."""
    query = sa.select(sessions).order_by(sessions.c.created_at.desc(), sessions.c.id.desc())
    if application is not None:
        query = query.where(sessions.c.application == application)
    if active is not None:
        query = query.where(sessions.c.active.is_(active))
    return connection.execute(query.limit(limit).offset(offset)).mappings().all()


def history(connection: sa.Connection, application: str, *, limit: int) -> Sequence[Row]:
    """The latest concluded trials of an application's sessions that are over, the oldest first."""
    query = (
        sa.select(trials)
        .join(sessions, sessions.c.id == trials.c.session_id)
        .where(
            sessions.c.application == application, sessions.c.active.is_(False), trials.c.status.is_not(None)
        )
        .order_by(trials.c.finished_at.desc(), trials.c.session_id, trials.c.number.desc())
        .limit(limit)
    )
    return connection.execute(query).mappings().all()[::-1]


def insert(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """A new session.

    Raises:
        sqlalchemy.exc.IntegrityError: The application has an active one.
    """
    connection.execute(sa.insert(sessions).values(**values))


def save(connection: sa.Connection, key: Key, values: Mapping[str, Any], *, changed: bool) -> bool:
    """Write a session's new values, unless another process has changed it since it was read.

    Args:
        connection: In a transaction that writes.
        key: The session, and the version that was read.
        values: What is new.
        changed: Whether the next command may be another now; raises the version.

    Returns:
        Whether it was written.
    """
    here = (sessions.c.id == key.id) & (sessions.c.version == key.version)
    query = sa.update(sessions).where(here).values(version=key.version + changed, **values)
    return connection.execute(query).rowcount == 1


def delete(connection: sa.Connection, session_id: str) -> bool:
    """Delete a session and all that belongs to it; False if there is none."""
    for table in (events, commands, trials):
        connection.execute(sa.delete(table).where(table.c.session_id == session_id))
    return connection.execute(sa.delete(sessions).where(sessions.c.id == session_id)).rowcount == 1


def states(connection: sa.Connection) -> dict[str, int]:
    """How many sessions are in each state."""
    rows = connection.execute(sa.select(sessions.c.state, sa.func.count()).group_by(sessions.c.state))
    return {state: count for state, count in rows}  # noqa: C416 # rows are Row objects, not pairs, to the type checker


def statuses(connection: sa.Connection) -> dict[str, int]:
    """How many concluded trials have each status."""
    query = (
        sa.select(trials.c.status, sa.func.count())
        .where(trials.c.status.is_not(None))
        .group_by(trials.c.status)
    )
    return {status: count for status, count in connection.execute(query)}  # noqa: C416 # the same
