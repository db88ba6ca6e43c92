"""What changed from one image to another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from trimtab.catalog.observation_schema import (
    fact_sets,
    facts,
    library_symbols,
    observations,
    set_facts,
    symbols,
)
from trimtab.catalog.observations.fact import PACKAGES, Fact
from trimtab.catalog.observations.image_query import HeldImage, resolve_image

__all__ = ["Change", "Drift", "SymbolChange", "drift"]

AT_ONCE = 500
LAYERS = ("os_name", "os_version", "python_version", "cuda_version")


@dataclass(frozen=True, slots=True)
class Change:
    """A package, an interpreter or CUDA, in one image and the other: its versions; empty where it is not there."""

    kind: str
    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SymbolChange:
    """A library that is not the same: the symbol versions that it has no more, and those that are new."""

    library: str
    lost: tuple[str, ...]
    gained: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """What changed from one image to another.

    Args:
        before, after: The images, as their newest analyses have them.
        environment: What of operating system, Python and CUDA is not the same: by name, before and after.
        changes: Packages, interpreters and CUDA.
        symbols: Libraries whose symbol versions are not the same.
    """

    before: HeldImage
    after: HeldImage
    environment: Mapping[str, tuple[str, str]]
    changes: tuple[Change, ...]
    symbols: tuple[SymbolChange, ...]


def drift(connection: sa.Connection, before: str, after: str) -> Drift:
    """What changed from one image to another.

    Args:
        connection: For reading.
        before: The first: by its digest, what it is called, or the id of an analysis.
        after: The second, likewise.

    Raises:
        LookupError: One of them was never analysed; its argument is which.
    """
    (number, one), (other_number, other) = (_resolved(connection, each) for each in (before, after))
    lost, gained = (
        _difference(connection, number, other_number),
        _difference(connection, other_number, number),
    )
    told = [each for each in (*lost, *gained) if each.kind in {*PACKAGES, "interpreter", "cuda"}]
    whole = _of(connection, number, told), _of(connection, other_number, told)
    return Drift(
        one,
        other,
        {name: (getattr(one, name), getattr(other, name)) for name in LAYERS if getattr(one, name) != getattr(other, name)},
        tuple(_changes(*whole)),
        tuple(_symbols(connection, lost, gained)),
    )  # fmt: skip


def _resolved(connection: sa.Connection, image: str) -> tuple[int, HeldImage]:
    found = resolve_image(connection, image)
    if found is None:
        raise LookupError(image)
    return found


def _difference(connection: sa.Connection, number: int, other: int) -> dict[Fact, int]:
    """Facts of the first image that the second has not; sets that both have are not looked into."""
    theirs = sa.select(observations.c.set_id).where(observations.c.source_id == other)
    mine = sa.select(observations.c.set_id).where(observations.c.source_id == number)
    also = sa.select(set_facts.c.fact_id).where(set_facts.c.set_id.in_(theirs))
    query = (
        sa.select(facts)
        .join(set_facts, set_facts.c.fact_id == facts.c.id)
        .where(set_facts.c.set_id.in_(mine), set_facts.c.set_id.not_in(theirs), facts.c.id.not_in(also))
    )
    return {Fact(row.kind, row.name, row.value): row.id for row in connection.execute(query)}


def _of(connection: sa.Connection, number: int, told: Iterable[Fact]) -> dict[tuple[str, str], set[str]]:
    """All versions that an image has of packages of which some version is not in both."""
    keys = sorted({(each.kind, each.name) for each in told})
    found: dict[tuple[str, str], set[str]] = {each: set() for each in keys}
    mine = (
        sa.select(set_facts.c.fact_id)
        .join(observations, observations.c.set_id == set_facts.c.set_id)
        .join(fact_sets, fact_sets.c.id == set_facts.c.set_id)
        .where(observations.c.source_id == number, fact_sets.c.kind.in_({kind for kind, _ in keys}))
    )
    for start in range(0, len(keys), AT_ONCE):
        some = sa.tuple_(facts.c.kind, facts.c.name).in_(keys[start : start + AT_ONCE])
        query = sa.select(facts.c.kind, facts.c.name, facts.c.value).where(some, facts.c.id.in_(mine))
        for row in connection.execute(query):
            found[row.kind, row.name].add(row.value)
    return found


def _changes(
    before: dict[tuple[str, str], set[str]], after: dict[tuple[str, str], set[str]]
) -> Iterable[Change]:
    for kind, name in sorted(before):
        yield Change(kind, name, tuple(sorted(before[kind, name])), tuple(sorted(after[kind, name])))


def _symbols(
    connection: sa.Connection, lost: dict[Fact, int], gained: dict[Fact, int]
) -> Iterable[SymbolChange]:
    before, after = (
        {each.name: number for each, number in found.items() if each.kind == "library"}
        for found in (lost, gained)
    )
    names = _names(connection, [*before.values(), *after.values()])
    for path in sorted({*before, *after}):
        old, new = names.get(before.get(path, 0), set()), names.get(after.get(path, 0), set())
        yield SymbolChange(path, tuple(sorted(old - new)), tuple(sorted(new - old)))


def _names(connection: sa.Connection, numbers: list[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for start in range(0, len(numbers), AT_ONCE):
        query = (
            sa.select(library_symbols.c.fact_id, symbols.c.name)
            .join(symbols, symbols.c.id == library_symbols.c.symbol_id)
            .where(library_symbols.c.fact_id.in_(numbers[start : start + AT_ONCE]))
        )
        for number, name in connection.execute(query):
            found.setdefault(number, set()).add(name)
    return found
