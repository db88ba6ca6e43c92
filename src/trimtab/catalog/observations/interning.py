"""Rows that many documents share, and their ids: facts, sets of them, symbols, images, references, environments.

Each takes the connection of a transaction that writes, under the lock of `recording`: nobody else adds to these tables meanwhile.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa

from trimtab.catalog.inspection_schema import environments
from trimtab.catalog.observation_schema import (
    fact_sets,
    facts,
    image_references,
    images,
    library_symbols,
    set_facts,
    symbols,
)
from trimtab.catalog.observations.fact import Fact, FactSet, repository
from trimtab.catalog.upserts import insert_absent

__all__ = ["environment_id", "fact_ids", "image_id", "known_facts", "reference_id", "set_id", "store_symbols"]

AT_ONCE = 300  # rows of one query's list
T = TypeVar("T")


def fact_ids(connection: sa.Connection, found: Iterable[Fact]) -> dict[Fact, int]:
    """The ids of facts, whose rows are there then."""
    wanted = sorted(set(found))
    known = known_facts(connection, wanted)
    if missing := [each for each in wanted if each not in known]:
        insert_absent(connection, facts, [each._asdict() for each in missing])
        known |= known_facts(connection, missing)
    return known


def set_id(connection: sa.Connection, found: FactSet) -> int:
    """The id of a set, which is there then with its facts."""
    here = sa.select(fact_sets.c.id).where(fact_sets.c.digest == found.digest)
    known: int | None = connection.execute(here).scalar()
    if known is not None:
        return known
    ids = fact_ids(connection, found.facts)
    row = {"kind": found.kind, "subject": found.subject, "digest": found.digest, "size": len(found.facts)}
    number = _inserted(connection, fact_sets, row)
    rows = [{"set_id": number, "fact_id": each, "subject": found.subject} for each in sorted(ids.values())]
    insert_absent(connection, set_facts, rows)
    return number


def store_symbols(connection: sa.Connection, libraries: Mapping[Fact, Sequence[str]]) -> None:
    """The symbols of libraries; of a library that is known, they are there."""
    ids = fact_ids(connection, libraries)
    known: set[int] = set()
    for some in _parts(sorted(ids.values())):
        query = sa.select(library_symbols.c.fact_id).where(library_symbols.c.fact_id.in_(some)).distinct()
        known.update(connection.execute(query).scalars())
    new = {each: names for each, names in libraries.items() if ids[each] not in known}
    numbers = _symbol_ids(connection, {name for names in new.values() for name in names})
    rows = [
        {"fact_id": ids[each], "symbol_id": numbers[name]} for each, names in new.items() for name in names
    ]
    insert_absent(connection, library_symbols, rows)


def image_id(connection: sa.Connection, identity: str) -> int:
    """The id of an image."""
    return _id_of(connection, images, {"identity": identity})


def reference_id(connection: sa.Connection, reference: str) -> int | None:
    """The id of what an image is called; None if it is called nothing."""
    if not reference:
        return None
    return _id_of(connection, image_references, {"reference": reference}, repository=repository(reference))


def environment_id(connection: sa.Connection, values: Mapping[str, str]) -> int:
    """The id of an environment, as `image_document` tells it."""
    return _id_of(connection, environments, values)


def known_facts(connection: sa.Connection, wanted: Sequence[Fact]) -> dict[Fact, int]:
    """The ids of those facts that are there."""
    key = sa.tuple_(facts.c.name, facts.c.kind, facts.c.value)
    known = {}
    for some in _parts(wanted):
        # The names once more: SQLite takes no index for a list of tuples.
        named = facts.c.name.in_(sorted({each.name for each in some}))
        query = sa.select(facts).where(named, key.in_([(each.name, each.kind, each.value) for each in some]))
        known.update({Fact(row.kind, row.name, row.value): row.id for row in connection.execute(query)})
    return known


def _symbol_ids(connection: sa.Connection, names: Iterable[str]) -> dict[str, int]:
    wanted = sorted(names)
    insert_absent(connection, symbols, [{"name": each} for each in wanted])
    known: dict[str, int] = {}
    for some in _parts(wanted):
        query = sa.select(symbols.c.name, symbols.c.id).where(symbols.c.name.in_(some))
        known.update({row.name: row.id for row in connection.execute(query)})
    return known


def _id_of(connection: sa.Connection, table: sa.Table, key: Mapping[str, str], **more: Any) -> int:
    query = sa.select(table.c.id).where(*(table.c[name] == value for name, value in key.items()))
    known: int | None = connection.execute(query).scalar()
    if known is None:
        return _inserted(connection, table, {**key, **more})
    return known


def _inserted(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> int:
    number: int = connection.execute(sa.insert(table).values(row).returning(table.c.id)).scalar_one()
    return number


def _parts(found: Iterable[T]) -> Iterator[list[T]]:
    left = iter(found)
    while some := list(islice(left, AT_ONCE)):
        yield some
