"""Which package versions appear in failed builds alone, and what breaks builds most often."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from trimtab.catalog.observation_schema import NO_FACT, base_tallies, breakers, facts, tallies
from trimtab.catalog.observations.bases import FAILED, base_id, usual
from trimtab.catalog.observations.confidence import TOO_FEW, Proportion, proportion
from trimtab.catalog.observations.evidence import broken_by, failed_with, gathered
from trimtab.catalog.observations.page import Page

__all__ = ["Breaker", "BreakerBy", "OnlyInFailures", "most_frequent_breakers", "only_in_failures"]

BreakerBy = Literal["package", "version", "class"]
LEAST = 2  # builds: one is an anecdote
VERSIONS = 3  # of a package, whose builds are named


@dataclass(frozen=True, slots=True)
class OnlyInFailures:
    """A version of a package that no build had which succeeded.

    Args:
        kind, name, version: The package.
        failures: Builds with it that failed for a reason in the stack: all of them.
        broke: Of those, such as failed at this package.
        usual: How often builds fail here, whatever they have.
        verdict: `breaks` builds; `accompanies` what breaks them, for it was never named; or `not enough builds to say`, if so many
            failures in a row are nothing special here.
        sources: Documents of some of them.
    """

    kind: str
    name: str
    version: str
    failures: Proportion
    broke: int
    usual: Proportion
    verdict: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Breaker:
    """What builds fail at.

    Args:
        kind, name, version: The package; empty where the failures name none, or the question is about something else.
        failure_class: Why; empty if the question is about packages of any.
        failure_kind: What has to change.
        failures: Builds that failed at it, of all that failed and tell why.
        sources: Documents of some of them.
    """

    kind: str
    name: str
    version: str
    failure_class: str
    failure_kind: str
    failures: Proportion
    sources: tuple[str, ...]


def only_in_failures(
    connection: sa.Connection,
    *,
    base: str | None = None,
    kind: str | None = None,
    offset: int = 0,
    limit: int = 25,
) -> Page[OnlyInFailures]:
    """Package versions that appear in failed builds and in none that succeeded; those in the most builds first.

    Failures of network, index, infrastructure and resources say nothing of a stack, and do not count.

    Args:
        connection: For reading.
        base: On this base image.
        kind: Packages of this system, such as `pypi`.
        offset: How many are left out.
        limit: How many at most.
    """
    number = base_id(connection, base)
    if number is None:
        return Page((), 0)
    here = [tallies.c.base_id == number, tallies.c.succeeded == 0, tallies.c.failed > 0]
    table: Any = tallies
    if kind is not None:
        table = tallies.join(facts, facts.c.id == tallies.c.fact_id)
        here.append(facts.c.kind == kind)
    total = connection.execute(sa.select(sa.func.count()).select_from(table).where(*here)).scalar_one()
    # How many failures those of this page have at least: only these are put in order by their names.
    place = min(offset + limit, total) - 1
    least = sa.select(tallies.c.failed).select_from(table).where(*here).order_by(tallies.c.failed.desc())
    floor = connection.execute(least.offset(max(place, 0)).limit(1)).scalar() or 1
    order = (tallies.c.failed.desc(), tallies.c.broke.desc(), facts.c.name, facts.c.kind, facts.c.value)
    rows = connection.execute(
        sa.select(facts, tallies.c.failed, tallies.c.broke)
        .join(tallies, tallies.c.fact_id == facts.c.id)
        .where(*here, tallies.c.failed >= floor)
        .order_by(*order)
        .offset(offset)
        .limit(limit)
    ).all()
    rate = usual(connection, number)
    broken = broken_by(connection, ((number, row.id) for row in rows if row.broke), "stack")
    return Page(
        tuple(
            _only(row, rate, gathered(broken, number, [row.id]) or failed_with(connection, row.id, number))
            for row in rows
        ),
        total,
    )


def _only(row: Any, rate: Proportion, sources: tuple[str, ...]) -> OnlyInFailures:
    failures = proportion(row.failed, row.failed)
    sure = row.failed >= LEAST and failures.exceeds(rate)
    verdict = ("breaks" if row.broke else "accompanies") if sure else TOO_FEW
    return OnlyInFailures(row.kind, row.name, row.value, failures, row.broke, rate, verdict, sources)


def most_frequent_breakers(
    connection: sa.Connection,
    *,
    by: BreakerBy = "package",
    base: str | None = None,
    kind: str | None = None,
    offset: int = 0,
    limit: int = 25,
) -> Page[Breaker]:
    """What builds fail at most often.

    Args:
        connection: For reading.
        by: What is one breaker: a package whatever its version, a version of it, or a class of failures.
        base: On this base image.
        kind: Failures of this kind alone: `stack`, `index`, ...
        offset: How many are left out.
        limit: How many at most.
    """
    number = base_id(connection, base)
    if number is None:
        return Page((), 0)
    columns = {
        "package": (facts.c.kind, facts.c.name),
        "version": (facts.c.kind, facts.c.name, facts.c.value),
        "class": (breakers.c["class"], breakers.c.kind),
    }[by]
    here = [breakers.c.base_id == number, breakers.c.builds > 0]
    if kind is not None:
        here.append(breakers.c.kind == kind)
    source: Any = breakers
    if by != "class":
        source = breakers.join(facts, facts.c.id == breakers.c.fact_id)
        here.append(breakers.c.fact_id != NO_FACT)
    builds = sa.func.sum(breakers.c.builds)
    labels = [each.label(f"key_{place}") for place, each in enumerate(columns)]
    query = sa.select(*labels, builds.label("builds")).select_from(source).where(*here).group_by(*columns)
    total = connection.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar_one()
    rows = connection.execute(query.order_by(builds.desc(), *columns).offset(offset).limit(limit)).all()
    told = _told(connection, number)
    if by == "class":
        return Page(
            tuple(Breaker("", "", "", *row[:2], proportion(int(row[2]), told), ()) for row in rows), total
        )
    versions = _broken_versions(connection, rows, number, kind)
    looked_up = None if by == "version" else VERSIONS
    pairs = ((number, each) for ids in versions.values() for each in list(ids.values())[:looked_up])
    sources = broken_by(connection, pairs, kind)
    return Page(tuple(_breaker(by, row, told, number, versions, sources) for row in rows), total)


def _told(connection: sa.Connection, base: int) -> int:
    """Builds that failed, and of which is known why."""
    row = connection.execute(sa.select(base_tallies).where(base_tallies.c.base_id == base)).mappings().first()
    return sum(row[each] for each in FAILED if each != "unexplained") if row else 0


def _broken_versions(
    connection: sa.Connection, rows: Sequence[Any], base: int, kind: str | None
) -> dict[tuple[str, str], dict[str, int]]:
    """Of each package on a page the versions that broke builds most, and their facts; by version."""
    query = (
        sa.select(facts, sa.func.sum(breakers.c.builds).label("builds"))
        .join(breakers, breakers.c.fact_id == facts.c.id)
        .where(facts.c.name.in_([row[1] for row in rows]), facts.c.kind.in_({row[0] for row in rows}))
        .where(breakers.c.base_id == base, breakers.c.builds > 0)
        .group_by(*facts.c)
        .order_by(sa.func.sum(breakers.c.builds).desc(), facts.c.value)
    )
    if kind is not None:
        query = query.where(breakers.c.kind == kind)
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in connection.execute(query):
        found.setdefault((row.kind, row.name), {})[row.value] = row.id
    return found


def _breaker(
    by: BreakerBy,
    row: Any,
    told: int,
    base: int,
    versions: Mapping[tuple[str, str], Mapping[str, int]],
    sources: Mapping[tuple[int, int], Sequence[str]],
) -> Breaker:
    kind, name = row[:2]
    version = row[2] if by == "version" else ""
    known = versions.get((kind, name), {})
    ids = [known[version]] if by == "version" and version in known else list(known.values())[:VERSIONS]
    return Breaker(
        kind, name, version, "", "", proportion(int(row.builds), told), gathered(sources, base, ids)
    )
