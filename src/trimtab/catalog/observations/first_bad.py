"""From which version on a package breaks builds."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trimtab.catalog.observation_schema import breakers, facts, tallies
from trimtab.catalog.observations.bases import base_id
from trimtab.catalog.observations.confidence import TOO_FEW
from trimtab.catalog.observations.evidence import broken_by
from trimtab.catalog.observations.ranges import BadRange, Tried, bad_range
from trimtab.catalog.observations.versions import order
from trimtab.catalog.stacks import normalise

__all__ = ["FirstBad", "Seen", "called", "first_bad_version", "seen_versions"]


@dataclass(frozen=True, slots=True)
class FirstBad:
    """Which versions of a package break builds.

    Args:
        kind, name: The package.
        base: The base image that is asked about; None for any.
        tried: What became of each version, in their order.
        bad: The range that breaks builds; None if none did.
        classes: Why these builds failed, and how many did so.
        verdict: `fails` from `bad.first` on; `no failure seen`; or `not enough builds to say`.
        sources: Documents of some of the builds that broke.
    """

    kind: str
    name: str
    base: str | None
    tried: tuple[Tried, ...]
    bad: BadRange | None
    classes: dict[str, int]
    verdict: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """The versions of a package that were tried on a base, and the numbers of their facts."""

    tried: tuple[Tried, ...]
    fact_ids: dict[str, int]


def first_bad_version(
    connection: sa.Connection, name: str, *, kind: str = "pypi", base: str | None = None
) -> FirstBad:
    """From which version on a package breaks builds, and until which.

    Args:
        connection: For reading.
        name: Of the package.
        kind: Its system.
        base: On this base image.
    """
    package = called(kind, name)
    number = base_id(connection, base)
    seen = Seen((), {}) if number is None else seen_versions(connection, kind, package, number)
    bad = bad_range(seen.tried)
    if bad is None or number is None:
        verdict = "no failure seen" if any(each.held for each in seen.tried) else TOO_FEW
        return FirstBad(kind, package, base, seen.tried, None, {}, verdict, ())
    ids = [seen.fact_ids[each] for each in bad.versions]
    sources = broken_by(connection, ids, number, "stack")
    return FirstBad(
        kind, package, base, seen.tried, bad, classes_of(connection, ids, number), bad.verdict, sources
    )


def called(kind: str, name: str) -> str:
    """A package's name as facts have it."""
    return normalise(name) if kind == "pypi" else name


def seen_versions(connection: sa.Connection, kind: str, name: str, base: int) -> Seen:
    """The versions of a package that were tried, in their order."""
    query = (
        sa.select(facts.c.id, facts.c.value, tallies.c.succeeded, tallies.c.held, tallies.c.broke)
        .join(tallies, tallies.c.fact_id == facts.c.id)
        .where(facts.c.name == name, facts.c.kind == kind, tallies.c.base_id == base)
    )
    rows = [row for row in connection.execute(query) if row.succeeded + row.held + row.broke]
    key = order(kind)
    rows.sort(key=lambda row: (key(row.value), row.value))
    tried = tuple(Tried(row.value, row.succeeded + row.held, row.broke) for row in rows)
    return Seen(tried, {row.value: row.id for row in rows})


def classes_of(connection: sa.Connection, fact_ids: Sequence[int], base: int) -> dict[str, int]:
    """Why builds broke at these packages, the most frequent class first."""
    number = sa.func.sum(breakers.c.builds)
    query = (
        sa.select(breakers.c["class"], number)
        .where(breakers.c.fact_id.in_(fact_ids), breakers.c.base_id == base, breakers.c.kind == "stack")
        .group_by(breakers.c["class"])
        .having(number > 0)
        .order_by(number.desc(), breakers.c["class"])
    )
    return {row[0]: int(row[1]) for row in connection.execute(query)}
