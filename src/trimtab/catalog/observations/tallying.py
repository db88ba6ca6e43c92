"""What is counted of builds, so that a question about millions of rows reads a few.

A build counts for each Python package, and each package of a system's manager, that it was to have: once with its base image and once whatever
that is. Failures of the network, of what builds, or of what nothing explains, say nothing of a stack, and count for the base image alone.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from trimtab.catalog.observation_schema import (
    ANY_BASE,
    NO_FACT,
    base_tallies,
    breakers,
    fact_sets,
    facts,
    observations,
    set_facts,
    tallies,
)

__all__ = ["OUTCOMES", "Counts", "count", "shares"]

OUTCOMES = ("succeeded", "stack", "index", "network", "infrastructure", "resource", "unexplained", "cancelled", "unknown")  # fmt: skip
"""The columns of `base_tallies`: how a build ended, and if it failed, what has to change."""
INSTALLED = {"successful": ("requires", "installed"), "failed": ("requires", "installed", "attempted")}
IN_IMAGE = ("pypi", "conda")  # of an image only what builds install: its system is the base image's


class Counts(NamedTuple):
    """What one build adds to the tallies of one fact."""

    succeeded: int
    failed: int
    broke: int
    held: int


def count(connection: sa.Connection, build: Mapping[str, Any], sign: int) -> None:
    """Add a build to the tallies, or take it out of them.

    Args:
        connection: In a transaction that writes, under the lock of `recording`.
        build: Its row.
        sign: 1 or -1.
    """
    bases = [ANY_BASE] + ([build["base_id"]] if build["base_id"] is not None else [])
    ending = outcome_of(build)
    _add(
        connection,
        base_tallies,
        [{"base_id": base} | {name: sign * (name == ending) for name in OUTCOMES} for base in bases],
    )
    if build["outcome"] == "failed" and build["kind"]:
        row = {
            "fact_id": build["breaker_id"] or NO_FACT,
            "class": build["class"],
            "kind": build["kind"],
            "builds": sign,
        }
        _add(connection, breakers, [row | {"base_id": base} for base in bases])
    found = shares(build, _facts(connection, build))
    rows = [
        {"base_id": base, "fact_id": fact} | {name: sign * value for name, value in share._asdict().items()}
        for base in bases
        for fact, share in sorted(found.items())
    ]
    _add(connection, tallies, rows)


def outcome_of(build: Mapping[str, Any]) -> str:
    """The column of `base_tallies` that a build counts in."""
    if build["outcome"] == "failed":
        return str(build["kind"] or "unexplained")
    return "succeeded" if build["outcome"] == "successful" else str(build["outcome"])


def shares(build: Mapping[str, Any], found: Mapping[int, bool]) -> dict[int, Counts]:
    """What a build adds to the tallies of each fact.

    Args:
        build: Its row.
        found: The packages it was to have, and whether each was installed; its breaker among them, if that has a version.
    """
    if build["outcome"] == "successful":
        return dict.fromkeys(found, Counts(1, 0, 0, 0))
    if build["outcome"] != "failed" or build["kind"] != "stack":
        return {}
    breaker = build["breaker_id"]
    return {
        fact: Counts(0, 1, int(fact == breaker), int(fact != breaker and installed))
        for fact, installed in found.items()
    }


def _facts(connection: sa.Connection, build: Mapping[str, Any]) -> dict[int, bool]:
    """The packages that a build was to have, and whether each is known to have been installed."""
    relations = INSTALLED.get(build["outcome"])
    found: dict[int, bool] = {}
    for fact, relation in _told(connection, build, relations) if relations else ():
        found[fact] = found.get(fact, False) or relation in {"installed", "contains"}
    if (
        build["outcome"] == "failed"
        and build["breaker_id"] is not None
        and _has_version(connection, build["breaker_id"])
    ):
        found.setdefault(build["breaker_id"], False)
    return found


def _has_version(connection: sa.Connection, fact: int) -> bool:
    return bool(connection.execute(sa.select(facts.c.value).where(facts.c.id == fact)).scalar_one())


def _told(connection: sa.Connection, build: Mapping[str, Any], relations: tuple[str, ...]) -> Iterator[Any]:
    query = sa.select(set_facts.c.fact_id, observations.c.relation).join(
        observations, observations.c.set_id == set_facts.c.set_id
    )
    if build["log_id"] is not None:
        here = query.where(
            observations.c.source_id == build["log_id"], observations.c.relation.in_(relations)
        )
        yield from connection.execute(here)
    if build["output_id"] is not None and build["outcome"] == "successful":
        here = query.join(fact_sets, fact_sets.c.id == set_facts.c.set_id)
        yield from connection.execute(
            here.where(observations.c.source_id == build["output_id"], fact_sets.c.kind.in_(IN_IMAGE))
        )


def _add(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(_addition(connection.dialect.name, table), rows)


@cache
def _addition(dialect: str, table: sa.Table) -> Any:
    query = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    keys = [each.name for each in table.primary_key]
    numbers = [each.name for each in table.c if isinstance(each.type, sa.Integer) and each.name not in keys]
    changed = {name: table.c[name] + query.excluded[name] for name in numbers}
    return query.on_conflict_do_update(index_elements=keys, set_=changed)
