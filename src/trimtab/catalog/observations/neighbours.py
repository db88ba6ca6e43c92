"""Stacks that are like a failing one, and built."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.observation_schema import (
    ANY_BASE,
    builds,
    fact_sets,
    facts,
    image_references,
    observations,
    set_facts,
    sources,
    tallies,
)
from trimtab.catalog.observations.bases import base_id
from trimtab.catalog.observations.confidence import Proportion, proportion
from trimtab.catalog.observations.fact import Fact
from trimtab.catalog.observations.first_bad import called
from trimtab.catalog.observations.interning import known_facts
from trimtab.catalog.observations.versions import order
from trimtab.catalog.values import storable

__all__ = [
    "Difference",
    "Neighbour",
    "Neighbours",
    "UnknownBuildError",
    "known_good_neighbours",
    "neighbours_of_build",
]

POSTINGS = 5_000  # builds that the packages looked up may be in, all together
CANDIDATES = 100  # stacks that are compared package by package


class UnknownBuildError(LookupError):
    """Nothing is known of a build."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A package that is not the same: its version in the stack that fails, and in the one that built; empty where it is not there."""

    name: str
    failing: str
    good: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A stack that built.

    Args:
        digest: By which it is known.
        differences: What it has otherwise; the fewer, the nearer.
        same: Packages that are the same.
        builds: Builds of it that succeeded, of those that succeeded or failed for a reason in the stack.
        bases: Base images on which it did.
        sources: Documents of some of these builds.
    """

    digest: str
    differences: tuple[Difference, ...]
    same: int
    builds: Proportion
    bases: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Stacks near to a failing one.

    Args:
        packages: Of the failing stack: versions by name.
        breaker: The package at which the build failed, as `name==version`; empty if none is known.
        items: The nearest first.
        looked_at: Stacks that were compared.
        complete: Whether these are all that share a package version with it and built. If not, they are those that share the versions that
            the fewest builds have.
    """

    packages: Mapping[str, str]
    breaker: str
    items: tuple[Neighbour, ...]
    looked_at: int
    complete: bool


def neighbours_of_build(
    connection: sa.Connection, build: str, *, base: str | None = None, limit: int = 10
) -> Neighbours:
    """Stacks near to that of a build.

    Args:
        connection: For reading.
        build: Id of the build's document, or of the analysis of its log.
        base: That built on this base image.
        limit: How many at most.

    Raises:
        UnknownBuildError: Nothing is known of the build.
    """
    row = _build(connection, build) if storable(build) else None
    if row is None:
        raise UnknownBuildError(build)
    packages = _stack(connection, row.log_id)
    found = known_good_neighbours(connection, packages, base=base, limit=limit)
    breaker = f"{row.name}=={row.value}".removesuffix("==") if row.name else ""
    return Neighbours(found.packages, breaker, found.items, found.looked_at, found.complete)


def known_good_neighbours(
    connection: sa.Connection, packages: Mapping[str, str], *, base: str | None = None, limit: int = 10
) -> Neighbours:
    """Stacks of Python packages that built, and are like this one.

    Args:
        connection: For reading.
        packages: Versions by name.
        base: That built on this base image.
        limit: How many at most.
    """
    wanted = {called("pypi", name): version for name, version in packages.items() if storable(name + version)}
    number = base_id(connection, base)
    if number is None:
        return Neighbours(wanted, "", (), 0, complete=True)
    ids, all_of_them = _rarest(connection, wanted)
    found = _candidates(connection, ids, number)
    contents = _packages(connection, list(found))
    nearest = sorted(found, key=lambda each: (_distance(wanted, contents[each]), found[each]))[:limit]
    items = tuple(
        _neighbour(connection, each, found[each], wanted, contents[each], number) for each in nearest
    )
    return Neighbours(wanted, "", items, len(found), complete=all_of_them and len(found) < CANDIDATES)


def _build(connection: sa.Connection, document_id: str) -> Any:
    logs = sa.select(sources.c.id).where(sources.c.document_id == document_id)
    told = sa.or_(
        builds.c.document_id == document_id, builds.c.log_id.in_(logs), builds.c.source_id.in_(logs)
    )
    joined = builds.outerjoin(facts, facts.c.id == builds.c.breaker_id)
    query = sa.select(builds.c.log_id, facts.c.name, facts.c.value).select_from(joined).where(told)
    return connection.execute(query.order_by(builds.c.document_id).limit(1)).first()


def _stack(connection: sa.Connection, log: int | None) -> dict[str, str]:
    """The Python packages that a build was to have: those of its lock, or else what it installed and tried to."""
    query = (
        sa.select(observations.c.relation, observations.c.set_id)
        .join(fact_sets, fact_sets.c.id == observations.c.set_id)
        .where(observations.c.source_id == log, fact_sets.c.kind == "pypi")
    )
    found = {row.relation: row.set_id for row in connection.execute(query)}
    relations = ("requires",) if "requires" in found else ("attempted", "installed")
    chosen = [found[each] for each in relations if each in found]
    sets = _packages(connection, chosen)
    return {name: version for each in chosen for name, version in sets[each].items()}


def _rarest(connection: sa.Connection, wanted: Mapping[str, str]) -> tuple[list[int], bool]:
    """The facts of a stack that builds had which succeeded, those that the fewest had first; and whether these are all of them."""
    found = known_facts(
        connection, sorted(Fact("pypi", name, version) for name, version in wanted.items() if version)
    )
    names = {number: each.name for each, number in found.items()}
    query = sa.select(tallies.c.fact_id, tallies.c.succeeded).where(
        tallies.c.base_id == ANY_BASE, tallies.c.fact_id.in_(names)
    )
    rows = [row for row in connection.execute(query) if row.succeeded]
    rows.sort(key=lambda row: (row.succeeded, names[row.fact_id]))
    taken: list[int] = []
    left = POSTINGS
    for row in rows:
        if taken and row.succeeded > left:
            return taken, False
        taken.append(row.fact_id)
        left -= row.succeeded
    return taken, True


def _candidates(connection: sa.Connection, ids: Sequence[int], base: int) -> dict[int, str]:
    """Stacks that have some of these facts, and built: those with the most first; their digests by number."""
    built = (builds.c.stack_id == set_facts.c.set_id) & (builds.c.outcome == "successful")
    if base != ANY_BASE:
        built &= builds.c.base_id == base
    query = (
        sa.select(set_facts.c.set_id, fact_sets.c.digest)
        .join(fact_sets, fact_sets.c.id == set_facts.c.set_id)
        .where(set_facts.c.fact_id.in_(ids), set_facts.c.subject == "build", sa.exists().where(built))
        .group_by(set_facts.c.set_id, fact_sets.c.digest)
        .order_by(sa.func.count().desc(), fact_sets.c.digest)
        .limit(CANDIDATES)
    )
    return {row.set_id: row.digest for row in connection.execute(query)}


def _packages(connection: sa.Connection, set_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """The packages of sets, by name; of several versions of one the last."""
    query = (
        sa.select(set_facts.c.set_id, facts.c.name, facts.c.value)
        .join(facts, facts.c.id == set_facts.c.fact_id)
        .where(set_facts.c.set_id.in_(set_ids))
    )
    key = order("pypi")
    found: dict[int, dict[str, str]] = {each: {} for each in set_ids}
    for row in connection.execute(query):
        known = found[row.set_id].get(row.name)
        if known is None or key(known) < key(row.value):
            found[row.set_id][row.name] = row.value
    return found


def _distance(one: Mapping[str, str], other: Mapping[str, str]) -> int:
    return sum(one.get(name) != other.get(name) for name in {*one, *other})


def _neighbour(
    connection: sa.Connection,
    number: int,
    digest: str,
    wanted: Mapping[str, str],
    good: Mapping[str, str],
    base: int,
) -> Neighbour:
    names = sorted(name for name in {*wanted, *good} if wanted.get(name) != good.get(name))
    differences = tuple(Difference(name, wanted.get(name, ""), good.get(name, "")) for name in names)
    same = sum(wanted.get(name) == version for name, version in good.items())
    told = sa.or_(builds.c.outcome == "successful", builds.c.kind == "stack")
    here = [builds.c.stack_id == number, told, *([builds.c.base_id == base] if base != ANY_BASE else [])]
    count = sa.select(builds.c.outcome, sa.func.count()).where(*here).group_by(builds.c.outcome)
    counts = {outcome: each for outcome, each in connection.execute(count)}  # noqa: C416 # rows are no pairs to the type checker
    succeeded = counts.get("successful", 0)
    well = [*here, builds.c.outcome == "successful"]
    named = sa.select(image_references.c.reference).join(builds, builds.c.base_id == image_references.c.id)
    bases = connection.execute(named.where(*well).distinct().order_by(image_references.c.reference).limit(5))
    documents = sa.select(builds.c.document_id).where(*well).order_by(builds.c.document_id).limit(3)
    return Neighbour(
        digest,
        differences,
        same,
        proportion(succeeded, sum(counts.values())),
        tuple(bases.scalars().all()),
        tuple(connection.execute(documents).scalars().all()),
    )
