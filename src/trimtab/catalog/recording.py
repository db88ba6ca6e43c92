"""Write the rows of an inspection: as it goes on, and once more from its documents. Each takes the connection."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.hardware import hardware_digest, hardware_values
from trimtab.catalog.inspection_rows import environment_values, inspection_values, run_values, words_of
from trimtab.catalog.inspection_schema import (
    environments,
    hardware,
    inspection_words,
    inspections,
    packages,
    runs,
    specifications,
    stack_packages,
    stacks,
)
from trimtab.catalog.stacks import Package, packages_of, stack_digest
from trimtab.catalog.states import TERMINAL, InspectionState, RunState
from trimtab.catalog.upserts import insert_absent, upsert
from trimtab.catalog.values import standard, text

__all__ = ["Documents", "RunDocuments", "accept", "advance", "forget_run", "record", "record_run"]

NAMES = 500  # of a query's list


@dataclass(frozen=True, slots=True)
class RunDocuments:
    """What is known of one attempt of one run.

    Args:
        item: Which run.
        result: What came of it; None if it was lost.
        hwinfo: What it ran on.
        report: What the inspection's report says of it.
    """

    item: int
    result: Mapping[str, Any] | None = None
    hwinfo: Mapping[str, Any] | None = None
    report: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Documents:
    """What is known of an inspection that is over.

    Args:
        inspection_id: Which.
        specification: What was asked for.
        report: How it ended; None for the original's.
        runs: Its runs.
    """

    inspection_id: str
    specification: Mapping[str, Any]
    report: Mapping[str, Any] | None = None
    runs: tuple[RunDocuments, ...] = field(default=())


def accept(
    connection: sa.Connection,
    inspection_id: str,
    specification: Mapping[str, Any],
    *,
    created_at: float,
    owner: str = "",
    idempotency: str | None = None,
) -> str:
    """A new inspection, which is queued; or the one that the same owner asked for with the same key before.

    Args:
        connection: In a transaction that writes.
        inspection_id: Its id, if it is new.
        specification: What is asked for, with the defaults and the `@` keys.
        created_at: When, in seconds since 1970.
        owner: Who asks.
        idempotency: The key by which whoever asks again, not knowing whether the first time was heard, asks once.

    Returns:
        The id of the new one, or of the one that is there.
    """
    values = inspection_values(inspection_id, specification) | {
        "owner": text(owner, 200) or "",
        "state": InspectionState.QUEUED.value,
        "idempotency": text(idempotency, 200),
        "created_at": created_at,
    }
    values["stack_id"] = _stack(connection, packages_of(specification))
    if not insert_absent(connection, inspections, [values]):
        return _accepted(connection, inspection_id, values)
    _describe(connection, inspection_id, values["identifier"], specification)
    return inspection_id


def advance(
    connection: sa.Connection, inspection_id: str, state: InspectionState | str, **values: Any
) -> bool:
    """Bring an inspection into another state, unless it is over or somebody wishes it to end: it ends once.

    Args:
        connection: In a transaction that writes.
        inspection_id: Which.
        state: The new one; it may be the one it is in.
        values: Other columns: `engine`, `build`, `failure_class`, `failure_reason`, `started_at`, `ended_at`.

    Returns:
        Whether it goes on.
    """
    # One row decides, so that of two who write at the same time the second sees what the first wrote.
    here = (
        (inspections.c.id == inspection_id)
        & inspections.c.state.not_in(sorted(TERMINAL))
        & inspections.c.ending.is_(None)
    )
    new = {"state": InspectionState(state).value, **values}
    if "failure_reason" in new:
        new["failure_reason"] = text(new["failure_reason"], 4000)
    if "build" in new:
        new["build"] = standard(new["build"])
    return connection.execute(sa.update(inspections).where(here).values(**new)).rowcount == 1


def record(connection: sa.Connection, documents: Documents) -> None:
    """Write all rows of an inspection that is over, as its documents have it; written again, they are the same.

    What only the catalog knows, the idempotency key, stays.
    """
    results = [each.result for each in documents.runs if each.result is not None]
    values = inspection_values(documents.inspection_id, documents.specification, documents.report, results)
    values["stack_id"] = _stack(connection, packages_of(documents.specification))
    # Documents of the original name no owner: whose they are, if anybody's, was said when they were brought in.
    upsert(connection, inspections, [values], keep=["owner"] if documents.report is None else [])
    _describe(connection, documents.inspection_id, values["identifier"], documents.specification)
    connection.execute(sa.delete(runs).where(runs.c.inspection_id == documents.inspection_id))
    _write_runs(connection, documents.inspection_id, documents.runs)


def record_run(connection: sa.Connection, inspection_id: str, run: RunDocuments) -> None:
    """Write the row of a run of an inspection that is not over; written again, it is the same.

    Args:
        connection: In a transaction that writes.
        inspection_id: Of the inspection, which is there.
        run: What is known of it.
    """
    _write_runs(connection, inspection_id, [run], told=True)


def forget_run(connection: sa.Connection, inspection_id: str, item: int, attempt: int) -> None:
    """Delete the row of a run that was begun, and is as if it had not been."""
    here = (runs.c.inspection_id == inspection_id) & (runs.c.item == item) & (runs.c.attempt == attempt)
    connection.execute(sa.delete(runs).where(here, runs.c.state == RunState.RUNNING.value))


def _write_runs(
    connection: sa.Connection, inspection_id: str, found: Iterable[RunDocuments], *, told: bool = False
) -> None:
    references = _References(connection)
    rows = [
        {
            "inspection_id": inspection_id,
            "hardware_digest": references.hardware(each.hwinfo),
            "environment_id": references.environment(environment_values(each.result)),
            "report": standard(each.report) if told else None,
            **run_values(each.item, each.result, each.report),
        }
        for each in found
    ]
    upsert(connection, runs, rows)


class _References:
    """Hardware and environments, which the runs of an inspection mostly share: each is looked for once."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.known: set[str] = set()
        self.environments: dict[tuple[str, ...], int] = {}

    def hardware(self, document: Mapping[str, Any] | None) -> str | None:
        """The digest of a machine's kind, whose row is there then."""
        if not document:
            return None
        digest = hardware_digest(document)
        if digest not in self.known:
            here = sa.select(hardware.c.digest).where(hardware.c.digest == digest)
            if self.connection.execute(here).scalar() is None:
                insert_absent(self.connection, hardware, [hardware_values(document)])
            self.known.add(digest)
        return digest

    def environment(self, values: Mapping[str, str] | None) -> int | None:
        """The id of an environment, whose row is there then."""
        if values is None:
            return None
        key = tuple(values.values())
        if key not in self.environments:
            here = sa.and_(*(environments.c[name] == value for name, value in values.items()))
            self.environments[key] = _id_of(self.connection, environments, here, values)
        return self.environments[key]


def _accepted(connection: sa.Connection, inspection_id: str, values: Mapping[str, Any]) -> str:
    same: sa.ColumnElement[bool] = inspections.c.id == inspection_id
    if values["idempotency"] is not None:  # without one, all others of the owner that have none would match
        key = inspections.c.idempotency == values["idempotency"]
        same |= (inspections.c.owner == values["owner"]) & key
    found: str = connection.execute(sa.select(inspections.c.id).where(same)).scalar_one()
    return found


def _describe(
    connection: sa.Connection, inspection_id: str, identifier: str | None, specification: Mapping[str, Any]
) -> None:
    row = {"inspection_id": inspection_id, "document": standard(specification)}
    upsert(connection, specifications, [row])
    words = [
        {"word": word, "inspection_id": inspection_id} for word in sorted(words_of(inspection_id, identifier))
    ]
    insert_absent(connection, inspection_words, words)


def _stack(connection: sa.Connection, found: tuple[Package, ...]) -> int | None:
    """The stack of these packages; whoever is first writes it."""
    if not found:
        return None
    digest = stack_digest(found)
    here = stacks.c.digest == digest
    known = connection.execute(sa.select(stacks.c.id).where(here)).scalar()
    if known is not None:
        return int(known)
    ids = _packages(connection, found)
    stack = _id_of(connection, stacks, here, {"digest": digest, "packages": len(found)})
    insert_absent(connection, stack_packages, [{"stack_id": stack, "package_id": each} for each in ids])
    return stack


def _packages(connection: sa.Connection, found: tuple[Package, ...]) -> list[int]:
    # In order: two that write the same packages wait for each other, and not in a circle.
    rows = [{"name": each.name, "version": each.version, "source": each.source} for each in found]
    insert_absent(connection, packages, rows)
    wanted = set(found)
    names = sorted({each.name for each in found})
    ids = []
    for start in range(0, len(names), NAMES):
        query = sa.select(packages).where(packages.c.name.in_(names[start : start + NAMES]))
        ids += [
            row.id
            for row in connection.execute(query)
            if Package(row.name, row.version, row.source) in wanted
        ]
    return sorted(ids)


def _id_of(
    connection: sa.Connection, table: sa.Table, here: sa.ColumnElement[bool], values: Mapping[str, Any]
) -> int:
    query = sa.select(table.c.id).where(here)
    known = connection.execute(query).scalar()
    if known is None:
        insert_absent(connection, table, [values])
        known = connection.execute(query).scalar_one()
    return int(known)
