"""What is known of a build, from all documents that tell of it; and what of that is counted.

How a build ended is observed if the agent saw it (its phase, its exit code), and inferred if only its log, or an image that came of it, tells.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from trimtab.catalog.observation_schema import (
    build_documents,
    builds,
    fact_sets,
    image_analyses,
    image_references,
    log_analyses,
    observations,
    sources,
)
from trimtab.catalog.observations import interning
from trimtab.catalog.observations.build_document import key_of
from trimtab.catalog.observations.fact import INFERRED, OBSERVED
from trimtab.catalog.observations.tallying import count

__all__ = ["Touched", "settle", "touched_by", "withdraw"]


class Touched(NamedTuple):
    """A build that a document tells of.

    Args:
        key: Of the build.
        log: Document id of the log that alone tells of it; empty if it has a document of its own.
    """

    key: str
    log: str = ""


class Ending(NamedTuple):
    """How a build ended, how we know, and what has to change if it failed."""

    outcome: str
    how: str
    kind: str
    failure_class: str


def touched_by(connection: sa.Connection, kind: str, number: int, document_id: str) -> set[Touched]:
    """The builds that a source tells of."""
    columns = build_documents.c
    if kind == "build":
        row = connection.execute(sa.select(build_documents).where(columns.source_id == number)).one()
        alone = {_alone(row.log_analysis)} if row.log_analysis else set()
        return {Touched(row.key)} | alone
    here = columns.log_analysis == document_id
    if kind == "image":
        here = sa.or_(columns.output_analysis == document_id, columns.base_analysis == document_id)
    keys = connection.execute(sa.select(columns.key).where(here).distinct()).scalars()
    return {Touched(key) for key in keys} | ({_alone(document_id)} if kind == "log" else set())


def withdraw(connection: sa.Connection, touched: Iterable[Touched]) -> None:
    """Delete what is known of builds, and what of them was counted."""
    for each in sorted(touched):
        row = connection.execute(sa.select(builds).where(builds.c.key == each.key)).mappings().first()
        if row is not None:
            count(connection, dict(row), -1)
            connection.execute(sa.delete(builds).where(builds.c.id == row["id"]))


def settle(connection: sa.Connection, touched: Touched) -> None:
    """Write what is known of a build, if anything still tells of it, and count it."""
    row = _known(connection, touched)
    if row is not None:
        connection.execute(sa.insert(builds).values(row))
        count(connection, row, 1)


def _alone(log: str) -> Touched:
    return Touched(key_of("log alone", log), log)


def _known(connection: sa.Connection, touched: Touched) -> dict[str, Any] | None:
    told = None if touched.log else _document(connection, touched.key)
    if touched.log and _is_claimed(connection, touched.log):
        return None
    log = _analysis(connection, log_analyses, touched.log or (told.log_analysis if told else ""))
    if told is None and log is None:
        return None
    output = _analysis(connection, image_analyses, told.output_analysis) if told else None
    base = _analysis(connection, image_analyses, told.base_analysis) if told else None
    ending = _ending(told, log, output)
    failed = ending.outcome == "failed"
    base_id = (told.base_reference_id if told else None) or (log.base_reference_id if log else None)
    digest = (told.base_digest if told else "") or (log.base_digest if log else "")
    return {
        "key": touched.key,
        "document_id": told.document_id if told else touched.log,
        "source_id": told.source_id if told else None,
        "log_id": log.source_id if log else None,
        "output_id": output.source_id if output else None,
        "base_id": base_id,
        "base_image_id": _image(connection, base, digest, base_id),
        "output_image_id": _image(connection, output, told.output_digest if told else "", told.output_reference_id if told else None),
        "stack_id": _stack(connection, log),
        "outcome": ending.outcome,
        "how": ending.how,
        "kind": ending.kind if failed else "",
        "class": ending.failure_class if failed else "",
        "breaker_id": log.breaker_id if log and failed else None,
        "at": told.at if told else log.at,
    }  # fmt: skip


def _document(connection: sa.Connection, key: str) -> Any:
    """The document that tells the most; of several the first by id."""
    query = (
        sa.select(build_documents, sources.c.document_id)
        .join(sources, sources.c.id == build_documents.c.source_id)
        .where(build_documents.c.key == key)
        .order_by(build_documents.c.parts.desc(), sources.c.document_id)
        .limit(1)
    )
    return connection.execute(query).first()


def _is_claimed(connection: sa.Connection, log: str) -> bool:
    query = sa.select(build_documents.c.key).where(build_documents.c.log_analysis == log).limit(1)
    return connection.execute(query).first() is not None


def _analysis(connection: sa.Connection, table: sa.Table, document_id: str) -> Any:
    if not document_id:
        return None
    query = (
        sa.select(table)
        .join(sources, sources.c.id == table.c.source_id)
        .where(sources.c.document_id == document_id)
    )
    return connection.execute(query).first()


def _image(connection: sa.Connection, analysis: Any, digest: str, reference_id: int | None) -> int | None:
    """Which image it is: as its analysis says, by its digest, or by what it is called."""
    if analysis is not None:
        return int(analysis.image_id)
    if digest:
        return interning.image_id(connection, digest)
    if reference_id is None:
        return None
    query = sa.select(image_references.c.reference).where(image_references.c.id == reference_id)
    return interning.image_id(connection, connection.execute(query).scalar_one())


def _stack(connection: sa.Connection, log: Any) -> int | None:
    """The Python packages it was to have: those of its lock, or else those that were installed."""
    if log is None:
        return None
    query = (
        sa.select(observations.c.relation, observations.c.set_id)
        .join(fact_sets, fact_sets.c.id == observations.c.set_id)
        .where(observations.c.source_id == log.source_id, fact_sets.c.kind == "pypi")
    )
    found = {row.relation: row.set_id for row in connection.execute(query)}
    return found.get("requires") or found.get("installed") or found.get("attempted")


PHASES = {
    "complete": Ending("successful", OBSERVED, "", ""),
    "cancelled": Ending("cancelled", OBSERVED, "", ""),
    "timed_out": Ending("failed", OBSERVED, "resource", "deadline"),
}


def _ending(told: Any, log: Any, output: Any) -> Ending:
    phase, code = (told.phase, told.exit_code) if told else ("", None)
    kind, failure_class = (log.kind, getattr(log, "class")) if log else ("", "")
    if phase in PHASES:
        return PHASES[phase]
    if phase == "error":
        return Ending("failed", OBSERVED, kind or "infrastructure", failure_class)
    if phase == "failed" or code:
        return Ending("failed", OBSERVED, kind, failure_class)
    if code == 0:
        return PHASES["complete"]
    if log and log.outcome != "unknown":
        return Ending(log.outcome, INFERRED, kind, failure_class)
    return Ending("successful" if output else "unknown", INFERRED, "", "")
