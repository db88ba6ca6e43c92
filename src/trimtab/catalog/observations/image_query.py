"""Images by what is in them."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.inspection_schema import environments
from trimtab.catalog.observation_schema import (
    builds,
    facts,
    image_analyses,
    image_references,
    images,
    library_symbols,
    observations,
    set_facts,
    sources,
    symbols,
)
from trimtab.catalog.observations.derivation import derived_sources
from trimtab.catalog.observations.fact import PACKAGES, named
from trimtab.catalog.observations.first_bad import called
from trimtab.catalog.observations.page import Page
from trimtab.catalog.observations.versions import (
    SpecifierError,
    check_specifier,
    matching,
    split_requirement,
)
from trimtab.catalog.values import storable

__all__ = ["HeldImage", "ImagesWanted", "images_holding", "resolve_image"]

MOST_VERSIONS = 5000  # of one package
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ImagesWanted:
    """Which images; what is None says nothing.

    Args:
        package: Holding this package: `numpy`, or `numpy>=1.20,<2`.
        kind: The package's system; any, if it is not given.
        library: Holding this library, by its path or file name.
        symbol: A library of which provides this symbol version.
        os_name, os_version: Of this operating system; a version takes those that begin with it and a dot.
        python_version, cuda_version: With these, likewise.
        image: Called so, with or without its tag, or with this digest.
        base: That a build derived from this base image, or that begin with all layers of it.
        rpm: Holding this package of RPM, besides.
        exact: Whether `package` is a name and nothing else, whatever characters it has.
    """

    package: str | None = None
    kind: str | None = None
    library: str | None = None
    symbol: str | None = None
    os_name: str | None = None
    os_version: str | None = None
    python_version: str | None = None
    cuda_version: str | None = None
    image: str | None = None
    base: str | None = None
    rpm: str | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class HeldImage:
    """An image, as its newest analysis has it.

    Args:
        identity: Its digest; of one that has none, its last layer or what it was called.
        reference: What it was analysed as.
        document_id: Of the analysis.
        at: When that was made, in seconds since 1970.
        os_name, os_version, python_version, cuda_version: Of its environment; empty where it has none.
        environment_type: `runtime`, `buildtime`, or empty.
        last_layer: Digest of its last layer.
        image_name, image_tag: What its own environment variables call it.
        size: Bytes, compressed.
        versions: Those of the package that was asked for, that it holds.
    """

    identity: str
    reference: str
    document_id: str
    at: float
    os_name: str
    os_version: str
    python_version: str
    cuda_version: str
    environment_type: str
    last_layer: str
    image_name: str
    image_tag: str
    size: int | None
    versions: tuple[str, ...] = ()


def images_holding(
    connection: sa.Connection, wanted: ImagesWanted, *, offset: int = 0, limit: int = 25
) -> Page[HeldImage]:
    """Images that are as wanted, the last analysed first.

    Args:
        connection: For reading.
        wanted: Which.
        offset: How many are left out.
        limit: How many at most.

    Raises:
        SpecifierError: The package cannot be read.
    """
    if not all(storable(each) for each in astuple(wanted) if isinstance(each, str)):
        return Page((), 0)
    package = _package(connection, wanted)
    here = [image_analyses.c.newest, *_clauses(wanted)]
    if wanted.base is not None:
        here.append(_derived(connection, wanted.base))
    if package is not None:
        here.append(_holding(list(package)))
    table: Any = image_analyses
    if any((wanted.os_name, wanted.os_version, wanted.python_version, wanted.cuda_version)):
        table = table.join(environments, environments.c.id == image_analyses.c.environment_id)
    if wanted.image is not None:
        table = table.outerjoin(image_references, image_references.c.id == image_analyses.c.reference_id)
    # Counted on the way: what they hold is looked up once. All are counted, so PostgreSQL must not hope to be done after a
    # page: it would compare each image with all that hold the package, and take seconds.
    columns = (image_analyses.c.source_id, image_analyses.c.at, image_analyses.c.document_id)
    all_of_them = sa.select(*columns).select_from(table).where(*here).cte("all_of_them")
    all_of_them = all_of_them.prefix_with("MATERIALIZED", dialect="postgresql")
    query = sa.select(all_of_them.c.source_id, sa.func.count().over().label("total"))
    order = (all_of_them.c.at.desc(), all_of_them.c.document_id.desc())
    found = connection.execute(query.order_by(*order).offset(offset).limit(limit)).all()
    total = found[0].total if found else 0
    if not found and offset:
        total = connection.execute(sa.select(sa.func.count()).select_from(table).where(*here)).scalar_one()
    numbers = [each.source_id for each in found]
    rows = _rows(connection, numbers)
    held = _versions(connection, numbers, package or {})
    return Page(tuple(_image(rows[each], held.get(each, ())) for each in numbers), total)


def resolve_image(connection: sa.Connection, called_: str) -> tuple[int, HeldImage] | None:
    """The newest analysis of an image, by its digest, what it is called, or the id of an analysis.

    Returns:
        The number of its source, and the image; None if nobody analysed it.
    """
    if not storable(called_):
        return None
    name = named(called_)
    digest = called_.partition("@")[2] or called_
    found = (
        sa.select(image_analyses.c.source_id)
        .join(images, images.c.id == image_analyses.c.image_id)
        .outerjoin(image_references, image_references.c.id == image_analyses.c.reference_id)
        .order_by(image_analyses.c.at.desc(), image_analyses.c.document_id.desc())
        .limit(1)
    )
    for here in (
        image_analyses.c.source_id.in_(sa.select(sources.c.id).where(sources.c.document_id == called_)),
        images.c.identity == digest,
        image_references.c.reference == called_,
        image_references.c.reference == name,
    ):
        number = connection.execute(found.where(here)).scalar()
        if number is not None:
            return number, _image(_rows(connection, [number])[number], ())
    return None


def _package(connection: sa.Connection, wanted: ImagesWanted) -> dict[int, str] | None:
    """The facts of the package that is wanted, and their versions."""
    if wanted.package is None:
        return None
    name, specifier = (wanted.package, "") if wanted.exact else split_requirement(wanted.package)
    kinds = PACKAGES if wanted.kind is None else (wanted.kind,)
    names = {kind: called(kind, name) for kind in kinds}
    query = sa.select(facts.c.id, facts.c.kind, facts.c.name, facts.c.value).where(
        facts.c.name.in_(set(names.values())), facts.c.kind.in_(kinds)
    )
    rows = [row for row in connection.execute(query.limit(MOST_VERSIONS)) if row.name == names[row.kind]]
    check_specifier(specifier)
    found: dict[int, str] = {}
    for kind in {row.kind for row in rows}:
        takes = _taken(
            kind, specifier, [row.value for row in rows if row.kind == kind], sure=wanted.kind is not None
        )
        found |= {row.id: row.value for row in rows if row.kind == kind and row.value in takes}
    return found


def _taken(kind: str, specifier: str, versions: list[str], *, sure: bool) -> set[str]:
    """Which versions a specifier takes; of a system that was not asked for, and cannot read it, none."""
    try:
        return set(matching(kind, specifier, versions))
    except SpecifierError:
        if sure:
            raise
        return set()


def _clauses(wanted: ImagesWanted) -> Iterator[sa.ColumnElement[bool]]:
    for column, value in (
        (environments.c.os_version, wanted.os_version),
        (environments.c.python_version, wanted.python_version),
        (environments.c.cuda_version, wanted.cuda_version),
    ):
        if value is not None:
            yield sa.or_(column == value, column.startswith(f"{value}.", autoescape=True))
    if wanted.os_name is not None:
        yield environments.c.os_name == wanted.os_name
    if wanted.image is not None:
        yield _called(wanted.image)
    if wanted.library is not None or wanted.symbol is not None:
        yield _holding(_libraries(wanted.library, wanted.symbol))
    if wanted.rpm is not None:
        yield _holding(sa.select(facts.c.id).where(facts.c.name == wanted.rpm, facts.c.kind == "rpm"))


def _derived(connection: sa.Connection, base: str) -> sa.ColumnElement[bool]:
    """That a build made it of this base, or that it begins with all of its layers."""
    built = sa.select(builds.c.output_image_id).join(
        image_references, image_references.c.id == builds.c.base_id
    )
    told = image_analyses.c.image_id.in_(built.where(image_references.c.reference == named(base)))
    inferred = derived_sources(connection, base)
    return told if inferred is None else sa.or_(told, image_analyses.c.source_id.in_(inferred))


def _called(name: str) -> sa.ColumnElement[bool]:
    identified = sa.select(images.c.id).where(images.c.identity == (name.partition("@")[2] or name))
    return sa.or_(
        image_references.c.reference == name,
        image_references.c.reference == named(name),
        image_references.c.repository == name,
        image_analyses.c.image_id.in_(identified),
    )


def _libraries(library: str | None, symbol: str | None) -> sa.Select[tuple[int]]:
    query = sa.select(facts.c.id).where(facts.c.kind == "library")
    if library is not None:
        name = facts.c.name
        query = query.where(
            name == library if "/" in library else name.endswith(f"/{library}", autoescape=True)
        )
    if symbol is not None:
        joined = library_symbols.join(symbols, symbols.c.id == library_symbols.c.symbol_id)
        providing = sa.select(library_symbols.c.fact_id).select_from(joined).where(symbols.c.name == symbol)
        query = query.where(facts.c.id.in_(providing))
    return query


def _holding(found: list[int] | sa.Select[Any]) -> sa.ColumnElement[bool]:
    told = sa.select(observations.c.source_id).join(set_facts, set_facts.c.set_id == observations.c.set_id)
    here = set_facts.c.fact_id.in_(found) & (set_facts.c.subject == "image")
    # An offset, be it of none, keeps PostgreSQL from asking this of each image one by one, as it does to be quick with a page's first.
    return image_analyses.c.source_id.in_(told.where(here).offset(0))


def _rows(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, Any]:
    query = (
        sa.select(image_analyses, environments, images.c.identity, image_references.c.reference)
        .join(images, images.c.id == image_analyses.c.image_id)
        .join(environments, environments.c.id == image_analyses.c.environment_id)
        .outerjoin(image_references, image_references.c.id == image_analyses.c.reference_id)
        .where(image_analyses.c.source_id.in_(numbers))
    )
    return {row["source_id"]: row for row in connection.execute(query).mappings()}


def _versions(
    connection: sa.Connection, numbers: Sequence[int], package: dict[int, str]
) -> dict[int, tuple[str, ...]]:
    """Which of these versions each image has."""
    if not package:
        return {}
    # The images of a page are few, and others with the package many: + 0 keeps the database from beginning with those.
    held = (set_facts.c.fact_id + 0).in_(list(package))
    query = (
        sa.select(observations.c.source_id, set_facts.c.fact_id)
        .join(set_facts, set_facts.c.set_id == observations.c.set_id)
        .where(observations.c.source_id.in_(numbers), held)
    )
    found: dict[int, set[str]] = {}
    for source, fact in connection.execute(query):
        found.setdefault(source, set()).add(package[fact])
    return {source: tuple(sorted(each)) for source, each in found.items()}


def _image(row: Any, versions: tuple[str, ...]) -> HeldImage:
    names = [each for each in HeldImage.__slots__ if each not in {"versions", "reference"}]
    return HeldImage(
        reference=row["reference"] or "", versions=versions, **{each: row[each] for each in names}
    )
