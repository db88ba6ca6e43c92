"""Write what documents tell into the catalog: once or again, in whatever order they come.

A build is told of by several documents, and each may come first: what is known of it is made anew from all that are there whenever one of them
comes, and the tallies get the difference. So the same documents make the same answers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.errors import CatalogError
from trimtab.catalog.observation_schema import (
    build_documents,
    failures,
    image_analyses,
    log_analyses,
    observations,
    sources,
)
from trimtab.catalog.observations import interning
from trimtab.catalog.observations.build_document import BuildFacts, build_facts
from trimtab.catalog.observations.deriving import Touched, settle, touched_by, withdraw
from trimtab.catalog.observations.fact import FactSet
from trimtab.catalog.observations.image_document import ImageFacts, image_facts
from trimtab.catalog.observations.log_document import Failure, LogFacts, log_facts
from trimtab.catalog.upserts import insert_absent
from trimtab.catalog.values import at, moment, number, text

__all__ = ["NamelessError", "forget", "record_analysis", "record_build"]

LOCK = 0x7472696D74616F  # "trimtao": one at a time records, so that the shared rows and the tallies are nobody else's
LONGEST_ID = 200


class NamelessError(CatalogError):
    """A document has no id, and so nothing could name it as its source."""


@dataclass(frozen=True, slots=True)
class _Source:
    document_id: str
    kind: str
    digest: str
    analyzer: str
    analyzer_version: str
    at: float


def record_build(
    connection: sa.Connection,
    document: Mapping[str, Any],
    document_id: str | None = None,
    *,
    again: bool = False,
) -> None:
    """Record a build's own document: which images and which log belong to it, and how it ended.

    Args:
        connection: In a transaction that writes.
        document: With `analysis_id`, `base_image`, `output_image`, `build_log`, `build`; see docs/observations.md.
        document_id: Its id, if that is not in it.
        again: Also if the same document was recorded before.

    Raises:
        NamelessError: It has no id.
    """
    found = build_facts(document)
    named = document_id or document.get("analysis_id")
    source = _source(document, "build", named, found.at, {})
    _record(connection, source, lambda number: _write_build(connection, number, found), again=again)


def record_analysis(
    connection: sa.Connection,
    document: Mapping[str, Any],
    document_id: str | None = None,
    *,
    again: bool = False,
) -> None:
    """Record what an analysis found: of an image, or of a build's log. Of which, its keys say.

    Args:
        connection: In a transaction that writes.
        document: With `metadata` and `result`: ours, or the original's.
        document_id: Its id, if `metadata.document_id` does not have it, as the original's parsed logs do not.
        again: Also if the same document was recorded before.

    Raises:
        NamelessError: It has no id.
    """
    told = at(document, "metadata")
    named = document_id or at(told, "document_id")
    when = moment(at(told, "datetime")) or number(at(told, "timestamp")) or 0.0
    kind = "log" if _is_of_log(document) else "image"
    source = _source(document, kind, named, when, told)
    if kind == "log":
        log = log_facts(document)
        _record(connection, source, lambda number: _write_log(connection, number, source, log), again=again)
    else:
        image = image_facts(document)
        _record(
            connection, source, lambda number: _write_image(connection, number, source, image), again=again
        )


def forget(connection: sa.Connection, document_id: str) -> bool:
    """Delete what a document told; False if nothing is known of it."""
    _lock(connection)
    row = connection.execute(sa.select(sources).where(sources.c.document_id == document_id)).first()
    if row is None:
        return False
    touched = touched_by(connection, row.kind, row.id, document_id)
    withdraw(connection, touched)
    _delete(connection, row.id)
    for each in sorted(touched):
        settle(connection, each)
    return True


def _is_of_log(document: Mapping[str, Any]) -> bool:
    result = at(document, "result")
    return isinstance(result, Mapping) and not {
        "installation",
        "installation_successful",
        "outcome",
    }.isdisjoint(result)


def _source(document: Mapping[str, Any], kind: str, named: Any, when: float, told: Any) -> _Source:
    document_id = text(named, LONGEST_ID)
    if not document_id:
        raise NamelessError(
            f"a document of {'an image' if kind == 'image' else f'a {kind}'} has no id; give it one"
        )
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    analyzer, version = (
        text(at(told, name), size) or "" for name, size in (("analyzer", 100), ("analyzer_version", 50))
    )
    return _Source(document_id, kind, digest, analyzer, version, when)


def _record(connection: sa.Connection, source: _Source, write: Any, *, again: bool) -> None:
    _lock(connection)
    known = connection.execute(sa.select(sources).where(sources.c.document_id == source.document_id)).first()
    if known is not None and not again and known.digest == source.digest and known.kind == source.kind:
        return
    touched: set[Touched] = set()
    if known is not None:
        touched = touched_by(connection, known.kind, known.id, source.document_id)
        withdraw(connection, touched)
        _delete(connection, known.id)
    values = {name: getattr(source, name) for name in _Source.__slots__}
    number: int = connection.execute(sa.insert(sources).values(values).returning(sources.c.id)).scalar_one()
    write(number)
    after = touched_by(connection, source.kind, number, source.document_id)
    withdraw(connection, after - touched)
    for each in sorted(touched | after):
        settle(connection, each)


def _lock(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":  # on SQLite a transaction that writes is alone anyway
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def _delete(connection: sa.Connection, number: int) -> None:
    image = connection.execute(
        sa.select(image_analyses.c.image_id).where(image_analyses.c.source_id == number)
    ).scalar()
    connection.execute(sa.delete(sources).where(sources.c.id == number))
    if image is not None:
        _mark_newest(connection, image)


def _write_sets(connection: sa.Connection, number: int, found: tuple[FactSet, ...]) -> None:
    rows = [
        {
            "source_id": number,
            "set_id": interning.set_id(connection, each),
            "relation": each.relation,
            "how": each.how,
        }
        for each in found
    ]
    insert_absent(connection, observations, rows)


def _write_image(connection: sa.Connection, number: int, source: _Source, found: ImageFacts) -> None:
    image = interning.image_id(connection, found.identity)
    row = {
        "source_id": number,
        "document_id": source.document_id,
        "image_id": image,
        "reference_id": interning.reference_id(connection, found.reference),
        "environment_id": interning.environment_id(connection, found.environment),
        "environment_type": found.environment_type,
        "last_layer": found.last_layer,
        "image_name": found.image_name,
        "image_tag": found.image_tag,
        "size": found.size,
        "at": source.at,
        "newest": False,
    }
    connection.execute(sa.insert(image_analyses).values(row))
    _write_sets(connection, number, found.sets)
    interning.store_symbols(connection, found.symbols)
    _mark_newest(connection, image)


def _mark_newest(connection: sa.Connection, image: int) -> None:
    """Of the analyses of an image one is shown: the last; of those of one moment that with the greatest id."""
    here = image_analyses.c.image_id == image
    order = (image_analyses.c.at.desc(), image_analyses.c.document_id.desc())
    newest = sa.select(image_analyses.c.source_id).where(here).order_by(*order).limit(1).scalar_subquery()
    connection.execute(
        sa.update(image_analyses).where(here).values(newest=image_analyses.c.source_id == newest)
    )


def _write_log(connection: sa.Connection, number: int, source: _Source, found: LogFacts) -> None:
    known = [each.package for each in found.failures if each.package is not None]
    ids = interning.fact_ids(connection, known)
    breaker = found.breaker
    package = breaker.package if breaker else None
    row = {
        "source_id": number,
        "outcome": found.outcome,
        "tool": found.tool,
        "exit_code": found.exit_code,
        "kind": breaker.kind if breaker else "",
        "class": breaker.failure_class if breaker else "",
        "breaker_id": ids[package] if package else None,
        "breaker_how": breaker.how if breaker else "",
        "base_reference_id": interning.reference_id(connection, found.base),
        "base_digest": found.base_digest,
        "at": source.at,
    }
    connection.execute(sa.insert(log_analyses).values(row))
    _write_sets(connection, number, found.sets)
    rows = [_failure(number, place, each) for place, each in enumerate(found.failures, 1)]
    insert_absent(connection, failures, rows)


def _failure(number: int, place: int, failure: Failure) -> dict[str, Any]:
    return {
        "source_id": number,
        "number": place,
        "class": failure.failure_class,
        "kind": failure.kind,
        "package": failure.package.name if failure.package else "",
        "version": failure.package.value if failure.package else "",
        "message": failure.message,
        "line": failure.line,
        "recovered": failure.recovered,
        "breaker": failure.breaker,
    }


def _write_build(connection: sa.Connection, number: int, found: BuildFacts) -> None:
    row = {
        "source_id": number,
        "key": found.key,
        "parts": found.parts,
        "name": found.name,
        "namespace": found.namespace,
        "phase": found.phase,
        "exit_code": found.exit_code,
        "base_reference_id": interning.reference_id(connection, found.base.reference),
        "base_digest": found.base.digest,
        "base_analysis": found.base.analysis,
        "output_reference_id": interning.reference_id(connection, found.output.reference),
        "output_digest": found.output.digest,
        "output_analysis": found.output.analysis,
        "log_analysis": found.log_analysis,
        "at": found.at,
    }
    connection.execute(sa.insert(build_documents).values(row))
