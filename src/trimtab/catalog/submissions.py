"""Inspections that are in the queue, or under way from there. Each function takes the connection."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.inspection_schema import inspections, runs, submissions
from trimtab.catalog.states import TERMINAL, InspectionState
from trimtab.catalog.upserts import insert_absent

__all__ = ["Row", "by_id", "done", "ended", "endings", "keep", "late", "reports", "wish"]

Row = sa.RowMapping
BATCH = 100
OPEN = inspections.c.state.not_in(sorted(TERMINAL))
QUEUED = inspections.c.state == InspectionState.QUEUED.value


def keep(connection: sa.Connection, inspection_id: str, deployment: str, document: Mapping[str, Any]) -> None:
    """Keep what was submitted, unless it is kept.

    Args:
        connection: In a transaction that writes.
        inspection_id: Of the inspection, which is there.
        deployment: Whose.
        document: What was submitted.
    """
    row = {"inspection_id": inspection_id, "deployment": deployment, "document": document}
    insert_absent(connection, submissions, [row])


def by_id(connection: sa.Connection, inspection_id: str) -> Row | None:
    """What was submitted, with `state`, `ending` and `created_at` of its inspection; None: it is not in the queue."""
    query = _joined().where(submissions.c.inspection_id == inspection_id)
    return connection.execute(query).mappings().first()


def done(connection: sa.Connection, inspection_id: str) -> None:
    """It is over, and kept no longer."""
    connection.execute(sa.delete(submissions).where(submissions.c.inspection_id == inspection_id))


def wish(
    connection: sa.Connection, inspection_id: str, ending: InspectionState, *, queued: bool = False
) -> bool:
    """Note that it shall end, unless it is over, or shall end already.

    Args:
        connection: In a transaction that writes.
        inspection_id: Which.
        ending: In which state.
        queued: Only if nothing of it was begun.

    Returns:
        Whether it is in the queue or under way from there, and shall end so.
    """
    kept = sa.exists().where(submissions.c.inspection_id == inspection_id)
    here = [inspections.c.id == inspection_id, OPEN, kept, *([QUEUED] if queued else [])]
    new = sa.func.coalesce(inspections.c.ending, ending.value)
    query = sa.update(inspections).where(*here).values(ending=new).returning(inspections.c.ending)
    return connection.execute(query).scalar() == ending.value


def endings(connection: sa.Connection, ids: Sequence[str]) -> dict[str, InspectionState | None]:
    """Those of these that shall end, and in which state; None: it was deleted."""
    query = sa.select(inspections.c.id, inspections.c.ending).where(inspections.c.id.in_(ids))
    found = {row.id: row.ending for row in connection.execute(query)}
    wished = {each: InspectionState(ending) for each, ending in found.items() if ending is not None}
    return wished | {each: None for each in ids if each not in found}


def ended(connection: sa.Connection, deployment: str) -> Sequence[Row]:
    """Some of a deployment's that shall end and were not begun."""
    query = _joined().where(submissions.c.deployment == deployment, QUEUED, inspections.c.ending.is_not(None))
    return connection.execute(query.limit(BATCH)).mappings().all()


def late(connection: sa.Connection, deployment: str, before: float) -> Sequence[str]:
    """Some of a deployment's that were accepted before a time and not begun."""
    here = (submissions.c.deployment == deployment) & QUEUED & inspections.c.ending.is_(None)
    query = (
        sa.select(inspections.c.id)
        .join(submissions, submissions.c.inspection_id == inspections.c.id)
        .where(here, inspections.c.created_at < before)
        .order_by(inspections.c.created_at)
    )
    return connection.execute(query.limit(BATCH)).scalars().all()


def reports(connection: sa.Connection, inspection_id: str) -> list[Mapping[str, Any]]:
    """What will be said of each attempt of each run so far, in order."""
    query = (
        sa.select(runs.c.report)
        .where(runs.c.inspection_id == inspection_id, runs.c.report.is_not(None))
        .order_by(runs.c.item, runs.c.attempt)
    )
    return list(connection.execute(query).scalars())


def _joined() -> sa.Select[Any]:
    told = (inspections.c.state, inspections.c.ending, inspections.c.created_at)
    return sa.select(submissions, *told).join(inspections, inspections.c.id == submissions.c.inspection_id)
