"""Rows that may be there already: written again, they are the same."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["insert_absent", "upsert"]


def insert_absent(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows that are not there; which those are, its keys and unique constraints say.

    Returns:
        How many were inserted, if it was one row.
    """
    if not rows:
        return 0
    # One row by itself: of several in one statement no database counts reliably.
    parameters = dict(rows[0]) if len(rows) == 1 else list(rows)
    query = _insert_absent(connection.dialect.name, table)
    return connection.execute(query, parameters, execution_options={"preserve_rowcount": True}).rowcount


def upsert(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, keep: Sequence[str] = ()
) -> None:
    """Insert rows, or give those that are there these values.

    Args:
        connection: In a transaction that writes.
        table: With a primary key, by which a row is known.
        rows: All with the same columns.
        keep: Columns that a row that is there keeps.
    """
    if not rows:
        return
    query = _upsert(connection.dialect.name, table, tuple(rows[0]), tuple(keep))
    connection.execute(query, list(rows))


# Statements are values; to put one together costs more than to run it.
@cache
def _insert_absent(dialect: str, table: sa.Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _upsert(dialect: str, table: sa.Table, columns: tuple[str, ...], keep: tuple[str, ...]) -> Any:
    keys = [each.name for each in table.primary_key]
    query = _insert(dialect, table)
    changed = {name: query.excluded[name] for name in columns if name not in {*keys, *keep}}
    return query.on_conflict_do_update(index_elements=keys, set_=changed)


def _insert(dialect: str, table: sa.Table) -> Any:
    # The two have the same methods for it, and no common class.
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)
