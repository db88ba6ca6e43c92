"""From which version on a package breaks builds."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.observation_schema import breakers, facts, tallies
from trimtab.catalog.observations.bases import base_id
from trimtab.catalog.observations.confidence import TOO_FEW
from trimtab.catalog.observations.evidence import broken_by, gathered
from trimtab.catalog.observations.ranges import BadRange, Tried, bad_range
from trimtab.catalog.observations.versions import order
from trimtab.catalog.stacks import normalise

__all__ = ["FirstBad", "Seen", "called", "first_bad_version", "seen_versions"]

AT_ONCE = 500  # facts of one query's list


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
    if number is None:
        return FirstBad(kind, package, base, (), None, {}, TOO_FEW, ())
    seen = seen_versions(connection, [(number, kind, package)]).get((number, kind, package), Seen((), {}))
    bad = bad_range(seen.tried)
    if bad is None:
        verdict = "no failure seen" if any(each.held for each in seen.tried) else TOO_FEW
        return FirstBad(kind, package, base, seen.tried, None, {}, verdict, ())
    ids = [seen.fact_ids[each] for each in bad.versions]
    pairs = [(number, each) for each in ids]
    sources = gathered(broken_by(connection, pairs, "stack"), number, ids)
    return FirstBad(kind, package, base, seen.tried, bad, classes_of(connection, pairs), bad.verdict, sources)


def called(kind: str, name: str) -> str:
    """A package's name as facts have it."""
    return normalise(name) if kind == "pypi" else name


def seen_versions(
    connection: sa.Connection, packages: Sequence[tuple[int, str, str]]
) -> dict[tuple[int, str, str], Seen]:
    """The versions of packages that were tried, in their order.

    Args:
        connection: For reading.
        packages: Numbers of base images, or `ANY_BASE`; systems; and names.
    """
    names = sorted({name for _, _, name in packages})
    kinds = {kind for _, kind, _ in packages}
    named = sa.select(facts).where(facts.c.name.in_(names), facts.c.kind.in_(kinds))
    versions = {row.id: row for row in connection.execute(named)}
    found: dict[tuple[int, str, str], list[Any]] = {each: [] for each in packages}
    numbers = sorted(versions)
    for start in range(
        0, len(numbers), AT_ONCE
    ):  # databases begin with all of a base, if they are asked for both at once
        query = sa.select(tallies).where(
            tallies.c.fact_id.in_(numbers[start : start + AT_ONCE]),
            tallies.c.base_id.in_({base for base, _, _ in packages}),
        )
        for row in connection.execute(query):
            fact = versions[row.fact_id]
            here = found.get((row.base_id, fact.kind, fact.name))
            if here is not None and row.succeeded + row.held + row.broke:
                here.append((fact, row))
    return {package: _seen(package[1], rows) for package, rows in found.items()}


def _seen(kind: str, rows: list[Any]) -> Seen:
    key = order(kind)
    rows.sort(key=lambda row: (key(row[0].value), row[0].value))
    tried = tuple(Tried(fact.value, row.succeeded + row.held, row.broke) for fact, row in rows)
    return Seen(tried, {fact.value: fact.id for fact, _ in rows})


def classes_of(connection: sa.Connection, broken: Sequence[tuple[int, int]]) -> dict[str, int]:
    """Why builds broke at packages on base images, the most frequent class first."""
    return most_frequent(broken, classes_by_pair(connection, broken))


def classes_by_pair(
    connection: sa.Connection, broken: Collection[tuple[int, int]]
) -> dict[tuple[int, int], dict[str, int]]:
    """Why builds broke at each of these packages on its base image, and how many."""
    found: dict[tuple[int, int], dict[str, int]] = {}
    numbers, bases = sorted({fact for _, fact in broken}), {base for base, _ in broken}
    for start in range(0, len(numbers), AT_ONCE):
        query = sa.select(
            breakers.c.base_id, breakers.c.fact_id, breakers.c["class"], breakers.c.builds
        ).where(
            breakers.c.fact_id.in_(numbers[start : start + AT_ONCE]),
            breakers.c.base_id.in_(bases),
            breakers.c.kind == "stack",
            breakers.c.builds > 0,
        )
        for base, fact, failure_class, number in connection.execute(query):
            found.setdefault((base, fact), {})[failure_class] = number
    return found


def most_frequent(
    pairs: Iterable[tuple[int, int]], classes: Mapping[tuple[int, int], Mapping[str, int]]
) -> dict[str, int]:
    """The classes of these pairs together, the most frequent first."""
    found: Counter[str] = Counter()
    for each in pairs:
        found.update(classes.get(each, {}))
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))
