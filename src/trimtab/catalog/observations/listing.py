"""Observations one by one, each with its source: what a data scientist takes into a frame."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.inspection_schema import environments
from trimtab.catalog.observation_schema import (
    builds,
    facts,
    failures,
    image_analyses,
    image_references,
    images,
    library_symbols,
    log_analyses,
    observations,
    set_facts,
    sources,
    symbols,
)
from trimtab.catalog.observations.derivation import bases_of
from trimtab.catalog.observations.fact import DECLARED, INFERRED, OBSERVED

__all__ = ["RELATIONS", "Observation", "is_known", "observed", "observed_after"]

RELATIONS = ("contains", "requires", "installed", "attempted", "failed", "runs", "called", "provides", "ended", "derived-from")  # fmt: skip
AT_ONCE, AT_ONCE_WITH_SYMBOLS = 50, 2  # documents
MOST, MOST_DOCUMENTS = 10_000, 1_000  # of a page


@dataclass(frozen=True, slots=True)
class Observation:
    """One fact, with how we know it.

    Args:
        subject_kind: `image` or `build`.
        subject: The image's digest, or what stands for it; the build's document.
        relation: What the object is to the subject; see `RELATIONS`.
        kind: Of the object: a package's system, `library`, `symbol`, `layer`, `interpreter`, `cuda`, `os`, `image`, `outcome`, or a class of failures.
        name: Of the object.
        value: Its version.
        how: `declared`, `observed` or `inferred`.
        document_id: The source.
        digest: SHA-256 of the source.
        at: Of when that is, in seconds since 1970.
    """

    subject_kind: str
    subject: str
    relation: str
    kind: str
    name: str
    value: str
    how: str
    document_id: str
    digest: str
    at: float


def observed(
    connection: sa.Connection,
    *,
    document_id: str | None = None,
    relations: Iterable[str] | None = None,
    kinds: Iterable[str] | None = None,
) -> Iterator[Observation]:
    """All observations, by the id of their document, in the same order each time.

    Args:
        connection: For reading.
        document_id: Of this document alone.
        relations: These alone; by default all but `provides`, of which there are thousands an image.
        kinds: Objects of these kinds alone.
    """
    wanted, chosen = _wanted(relations, kinds)
    for some in _sources(connection, wanted, document_id):
        yield from _observations(connection, some, wanted, chosen)


def observed_after(
    connection: sa.Connection,
    document_id: str = "",
    *,
    relations: Iterable[str] | None = None,
    kinds: Iterable[str] | None = None,
) -> tuple[list[Observation], str | None]:
    """A page of them: some ten thousand, or those of a thousand documents; of a document all or none.

    Args:
        connection: For reading.
        document_id: After the documents up to this one.
        relations: These alone, as of `observed`.
        kinds: Objects of these kinds alone.

    Returns:
        The observations; and after which document the next page begins, None at the end.
    """
    found: list[Observation] = []
    documents, (wanted, chosen) = 0, _wanted(relations, kinds)
    for some in _sources(connection, wanted, after=document_id):
        found += _observations(connection, some, wanted, chosen)
        documents += len(some)
        if len(found) >= MOST or documents >= MOST_DOCUMENTS:
            return found, some[-1].document_id
    return found, None


def _wanted(relations: Iterable[str] | None, kinds: Iterable[str] | None) -> tuple[set[str], set[str] | None]:
    return (
        set(RELATIONS) - {"provides"} if relations is None else set(relations),
        None if kinds is None else set(kinds),
    )


def _observations(
    connection: sa.Connection, some: Sequence[Any], wanted: set[str], chosen: set[str] | None
) -> list[Observation]:
    """All that is wanted of some documents, in order."""
    found = {row.id: row for row in some}
    parts = [list(part(connection, found)) for name, part in PARTS.items() if not wanted.isdisjoint(name)]
    rows = [each for part in parts for each in part]
    rows = [each for each in rows if each.relation in wanted and (chosen is None or each.kind in chosen)]
    return sorted(rows, key=_order)


def is_known(connection: sa.Connection, document_id: str) -> bool:
    """Whether a document was recorded."""
    query = sa.select(sources.c.id).where(sources.c.document_id == document_id)
    return connection.execute(query).first() is not None


def _order(each: Observation) -> tuple[str, ...]:
    return (each.document_id, each.relation, each.kind, each.name, each.value, each.how)


def _sources(
    connection: sa.Connection, wanted: set[str], document_id: str | None = None, after: str = ""
) -> Iterator[Sequence[Any]]:
    subject = sa.func.coalesce(builds.c.document_id, images.c.identity, sources.c.document_id).label(
        "subject"
    )
    told = (builds.c.source_id == sources.c.id) | (builds.c.log_id == sources.c.id)
    first = sa.select(sa.func.min(builds.c.document_id)).where(told).correlate(sources).scalar_subquery()
    query = (
        sa.select(sources, subject)
        .outerjoin(image_analyses, image_analyses.c.source_id == sources.c.id)
        .outerjoin(images, images.c.id == image_analyses.c.image_id)
        .outerjoin(builds, sa.and_(builds.c.document_id == first, told))
        .order_by(sources.c.document_id)
        .limit(AT_ONCE_WITH_SYMBOLS if "provides" in wanted else AT_ONCE)
    )
    if document_id is not None:
        if rows := connection.execute(query.where(sources.c.document_id == document_id)).all():
            yield rows
        return
    while rows := connection.execute(query.where(sources.c.document_id > after)).all():
        yield rows
        after = rows[-1].document_id


def _observation(source: Any, relation: str, kind: str, name: str, value: str, how: str) -> Observation:
    subject_kind = "image" if source.kind == "image" else "build"
    return Observation(
        subject_kind,
        source.subject,
        relation,
        kind,
        name,
        value,
        how,
        source.document_id,
        source.digest,
        source.at,
    )


def _facts(connection: sa.Connection, found: dict[int, Any]) -> Iterator[Observation]:
    query = (
        sa.select(observations.c.source_id, observations.c.relation, observations.c.how, facts)
        .join(set_facts, set_facts.c.set_id == observations.c.set_id)
        .join(facts, facts.c.id == set_facts.c.fact_id)
        .where(observations.c.source_id.in_(found))
    )
    for row in connection.execute(query):
        yield _observation(found[row.source_id], row.relation, row.kind, row.name, row.value, row.how)


def _symbols(connection: sa.Connection, found: dict[int, Any]) -> Iterator[Observation]:
    query = (
        sa.select(observations.c.source_id, observations.c.how, facts.c.name, symbols.c.name.label("symbol"))
        .join(set_facts, set_facts.c.set_id == observations.c.set_id)
        .join(facts, facts.c.id == set_facts.c.fact_id)
        .join(library_symbols, library_symbols.c.fact_id == facts.c.id)
        .join(symbols, symbols.c.id == library_symbols.c.symbol_id)
        .where(observations.c.source_id.in_(found), facts.c.kind == "library")
    )
    for row in connection.execute(query):
        yield _observation(found[row.source_id], "provides", "symbol", row.symbol, row.name, row.how)


def _failures(connection: sa.Connection, found: dict[int, Any]) -> Iterator[Observation]:
    query = (
        sa.select(failures, log_analyses.c.breaker_how)
        .join(log_analyses, log_analyses.c.source_id == failures.c.source_id)
        .where(failures.c.source_id.in_(found), sa.not_(failures.c.recovered))
    )
    for row in connection.execute(query).mappings():
        how = row["breaker_how"] if row["breaker"] else OBSERVED
        source = found[row["source_id"]]
        yield _observation(
            source, "failed", row["class"] or "unexplained", row["package"], row["version"], how
        )


def _images(connection: sa.Connection, found: dict[int, Any]) -> Iterator[Observation]:
    query = (
        sa.select(image_analyses.c.source_id, environments, image_references.c.reference)
        .join(environments, environments.c.id == image_analyses.c.environment_id)
        .outerjoin(image_references, image_references.c.id == image_analyses.c.reference_id)
        .where(image_analyses.c.source_id.in_(found))
    )
    for row in connection.execute(query):
        source = found[row.source_id]
        if row.os_name:
            yield _observation(source, "runs", "os", row.os_name, row.os_version, OBSERVED)
        if row.reference:
            yield _observation(source, "called", "image", row.reference, "", DECLARED)


def _builds(connection: sa.Connection, found: dict[int, Any]) -> Iterator[Observation]:
    source = sa.func.coalesce(builds.c.source_id, builds.c.log_id).label("teller")
    query = (
        sa.select(builds, source, image_references.c.reference, images.c.identity)
        .outerjoin(image_references, image_references.c.id == builds.c.base_id)
        .outerjoin(images, images.c.id == builds.c.base_image_id)
        .where(builds.c.source_id.in_(found) | (builds.c.source_id.is_(None) & builds.c.log_id.in_(found)))
    )
    for row in connection.execute(query).mappings():
        teller = found[row["teller"]]
        yield _observation(teller, "ended", "outcome", row["outcome"], row["class"], row["how"])
        if row["reference"] or row["identity"]:
            how = DECLARED if row["source_id"] is not None else OBSERVED
            yield _observation(
                teller, "derived-from", "image", row["reference"] or "", row["identity"] or "", how
            )


def _bases(connection: sa.Connection, found: dict[int, Any]) -> Iterator[Observation]:
    analysed = [number for number, source in found.items() if source.kind == "image"]
    for number, identity, reference in sorted(set(bases_of(connection, analysed))):
        yield _observation(found[number], "derived-from", "image", reference, identity, INFERRED)


PARTS: dict[frozenset[str], Any] = {
    frozenset({"contains", "requires", "installed", "attempted"}): _facts,
    frozenset({"provides"}): _symbols,
    frozenset({"failed"}): _failures,
    frozenset({"runs", "called"}): _images,
    frozenset({"ended", "derived-from"}): _builds,
    frozenset({"derived-from"}): _bases,
}
