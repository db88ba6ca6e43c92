"""Queries over inspections and their runs. Each takes the connection, and so is part of its transaction."""

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa

from trimtab.catalog.inspection_filter import EVERYTHING, Wanted, clauses
from trimtab.catalog.inspection_schema import (
    environments,
    hardware,
    inspections,
    packages,
    runs,
    specifications,
    stack_packages,
    stacks,
)
from trimtab.catalog.observation_schema import image_analyses

__all__ = [
    "Order",
    "Row",
    "bounds",
    "by_id",
    "count",
    "delete",
    "ids",
    "listed",
    "machine",
    "prune",
    "runs_of",
    "shown",
    "specification",
    "stack",
    "states",
    "tallies",
]

Row = sa.RowMapping
Order = Literal["newest", "id"]
LIMIT = 100
FARTHEST = 1 << 40
SHOWN = (
    *("id", "identifier", "owner", "state", "base", "batch_size", "engine"),
    *("failure_class", "failure_reason", "created_at", "started_at", "ended_at"),
)


def bounds(page: int | None, limit: int | None) -> tuple[int, int]:
    """Offset and limit of a page; the first page is 1, at most 100 are on it, and what makes no sense is the default."""
    size = LIMIT if limit is None or not 0 < limit <= LIMIT else limit
    return (min(max(page or 1, 1), FARTHEST) - 1) * size, size


def shown(row: Row) -> dict[str, Any]:
    """What a list tells of an inspection; times are seconds since 1970."""
    return {name: row[name] for name in SHOWN}


def by_id(connection: sa.Connection, inspection_id: str) -> Row | None:
    """One inspection."""
    query = sa.select(inspections).where(inspections.c.id == inspection_id)
    return connection.execute(query).mappings().first()


def specification(connection: sa.Connection, inspection_id: str) -> dict[str, Any] | None:
    """What was asked for; None if there is no such inspection."""
    query = sa.select(specifications.c.document).where(specifications.c.inspection_id == inspection_id)
    found: dict[str, Any] | None = connection.execute(query).scalar()
    return found


def runs_of(connection: sa.Connection, inspection_id: str) -> Sequence[Row]:
    """All attempts of all runs, in order, with their hardware's and environment's columns."""
    told = (hardware.c.brand, hardware.c.family, hardware.c.model, hardware.c.ncpus)
    where = (environments.c.os_name, environments.c.os_version, environments.c.python_version)
    query = (
        sa.select(runs, *told, *where)
        .outerjoin(hardware, hardware.c.digest == runs.c.hardware_digest)
        .outerjoin(environments, environments.c.id == runs.c.environment_id)
        .where(runs.c.inspection_id == inspection_id)
        .order_by(runs.c.item, runs.c.attempt)
    )
    return connection.execute(query).mappings().all()


def machine(connection: sa.Connection, digest: str) -> Row | None:
    """One kind of machine, with its document."""
    return connection.execute(sa.select(hardware).where(hardware.c.digest == digest)).mappings().first()


def stack(connection: sa.Connection, inspection_id: str) -> Sequence[Row]:
    """Name, version and source of the packages that an inspection locks, by name."""
    query = (
        sa.select(packages.c.name, packages.c.version, packages.c.source)
        .join(stack_packages, stack_packages.c.package_id == packages.c.id)
        .join(inspections, inspections.c.stack_id == stack_packages.c.stack_id)
        .where(inspections.c.id == inspection_id)
        .order_by(packages.c.name, packages.c.version)
    )
    return connection.execute(query).mappings().all()


def listed(
    connection: sa.Connection,
    wanted: Wanted = EVERYTHING,
    *,
    order: Order = "newest",
    offset: int = 0,
    limit: int = LIMIT,
    after: tuple[float, str] | None = None,
) -> Sequence[Row]:
    """Inspections.

    Args:
        connection: For reading.
        wanted: Which.
        order: The newest first; or by id, as an object store lists them.
        offset: How many are left out.
        limit: How many at most.
        after: `created_at` and `id` of the last one that was seen, to go on from there however far that is.
    """
    # The ids first, along an index that has nothing else to read, and then the rows of this page alone.
    page = _ids(connection, wanted, order, offset, limit, after).subquery()
    query = sa.select(inspections).join(page, page.c.id == inspections.c.id).order_by(*_sorted(order))
    return connection.execute(query).mappings().all()


def ids(
    connection: sa.Connection,
    wanted: Wanted = EVERYTHING,
    *,
    order: Order = "id",
    offset: int = 0,
    limit: int = LIMIT,
    after: tuple[float, str] | None = None,
) -> list[str]:
    """Their ids alone; the arguments are those of `listed`."""
    return list(connection.execute(_ids(connection, wanted, order, offset, limit, after)).scalars())


def count(connection: sa.Connection, wanted: Wanted = EVERYTHING) -> int:
    """How many there are."""
    query = sa.select(sa.func.count()).select_from(inspections).where(*clauses(connection, wanted))
    return int(connection.execute(query).scalar_one())


def states(connection: sa.Connection, wanted: Wanted = EVERYTHING) -> dict[str, int]:
    """How many are in each state."""
    query = (
        sa.select(inspections.c.state, sa.func.count())
        .where(*clauses(connection, wanted))
        .group_by(inspections.c.state)
    )
    return {state: number for state, number in connection.execute(query)}  # noqa: C416 # rows are Row objects, not pairs, to the type checker


def tallies(connection: sa.Connection, inspection_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many runs of each inspection are in each state; an attempt that was followed by another counts as well."""
    query = (
        sa.select(runs.c.inspection_id, runs.c.state, sa.func.count())
        .where(runs.c.inspection_id.in_(inspection_ids))
        .group_by(runs.c.inspection_id, runs.c.state)
    )
    found: dict[str, dict[str, int]] = {each: {} for each in inspection_ids}
    for inspection_id, state, number in connection.execute(query):
        found[inspection_id][state] = number
    return found


def delete(connection: sa.Connection, inspection_id: str) -> bool:
    """Delete an inspection and all that belongs to it alone; False if there is none."""
    return connection.execute(sa.delete(inspections).where(inspections.c.id == inspection_id)).rowcount == 1


def prune(connection: sa.Connection) -> None:
    """Delete stacks, packages, hardware and environments that belong to nothing any more."""
    for table, used in (
        (stacks, inspections.c.stack_id == stacks.c.id),
        (packages, stack_packages.c.package_id == packages.c.id),
        (hardware, runs.c.hardware_digest == hardware.c.digest),
    ):
        connection.execute(sa.delete(table).where(~sa.exists().where(used)))
    # Images have environments, too.
    users = (runs.c.environment_id, image_analyses.c.environment_id)
    unused = (~sa.exists().where(column == environments.c.id) for column in users)
    connection.execute(sa.delete(environments).where(*unused))


def _ids(
    connection: sa.Connection,
    wanted: Wanted,
    order: Order,
    offset: int,
    limit: int,
    after: tuple[float, str] | None,
) -> sa.Select[Any]:
    query = sa.select(inspections.c.id).where(*clauses(connection, wanted)).order_by(*_sorted(order))
    if after is not None and order == "id":
        query = query.where(inspections.c.id > after[1])
    elif after is not None:
        query = query.where(
            sa.tuple_(inspections.c.created_at, inspections.c.id) < sa.tuple_(*map(sa.literal, after))
        )
    return query.limit(limit).offset(offset)


def _sorted(order: Order) -> tuple[sa.ColumnElement[Any], ...]:
    if order == "id":
        return (inspections.c.id.asc(),)
    return inspections.c.created_at.desc(), inspections.c.id.desc()
