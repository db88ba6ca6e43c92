"""Candidate rules: which versions a resolver had better not choose on a base image, with the evidence for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.observation_schema import ANY_BASE, breakers, facts, image_references
from trimtab.catalog.observations.bases import base_id
from trimtab.catalog.observations.evidence import broken_by, gathered
from trimtab.catalog.observations.first_bad import (
    Seen,
    called,
    classes_by_pair,
    most_frequent,
    seen_versions,
)
from trimtab.catalog.observations.page import Page
from trimtab.catalog.observations.ranges import BadRange, bad_range

__all__ = ["SCHEMA", "Rule", "candidate_rules", "rules_document"]

SCHEMA = "trimtab/candidate-rules/1"
SOURCES = 10


@dataclass(frozen=True, slots=True)
class Rule:
    """With this base, these versions of this package fail to build.

    Args:
        id: The same for the same base, package and range.
        base: The base image; None: whatever it is.
        kind, name: The package.
        bad: The range, and the counts that it stands on.
        classes: Why the builds failed, the most frequent class first.
        sources: Documents of some of these builds.
    """

    id: str
    base: str | None
    kind: str
    name: str
    bad: BadRange
    classes: dict[str, int]
    sources: tuple[str, ...]


def candidate_rules(
    connection: sa.Connection,
    *,
    base: str | None = None,
    name: str | None = None,
    any_base: bool = False,
    least: int = 3,
    unsure: bool = False,
    offset: int = 0,
    limit: int = 100,
) -> Page[Rule]:
    """Rules for packages that broke builds; those that broke the most first.

    Args:
        connection: For reading.
        base: For this base image alone.
        name: For this package alone.
        any_base: Rules that hold whatever the base image is, instead of one for each.
        least: Builds that a package must have broken to be looked at.
        unsure: Whether those are told, too, of which there are not enough builds to say.
        offset: How many packages are left out.
        limit: How many packages are looked at, at most; there may be fewer rules.
    """
    query = _broken(connection, base, name, any_base=any_base, least=least)
    if query is None:
        return Page((), 0)
    total = connection.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar_one()
    number = sa.func.sum(breakers.c.builds)
    order = (number.desc(), facts.c.name, facts.c.kind, image_references.c.reference)
    rows = connection.execute(query.order_by(*order).offset(offset).limit(limit)).all()
    seen = seen_versions(connection, [(row.base_id, row.kind, row.name) for row in rows])
    bad = {package: worst for package, each in seen.items() if (worst := bad_range(each.tried))}
    broken = [
        (package[0], seen[package].fact_ids[each])
        for package, found in bad.items()
        for each in found.versions
    ]
    sources, classes = broken_by(connection, broken, "stack", SOURCES), classes_by_pair(connection, broken)
    found = (_rule(row, seen, bad, sources, classes) for row in rows)
    return Page(tuple(each for each in found if each and (unsure or each.bad.verdict == "fails")), total)


def rules_document(rules: Sequence[Rule]) -> dict[str, Any]:
    """Rules as a document for a resolver: docs/observations.md describes its shape."""
    return {"schema": SCHEMA, "rules": [_document(each) for each in rules]}


def _broken(
    connection: sa.Connection, base: str | None, name: str | None, *, any_base: bool, least: int
) -> sa.Select[Any] | None:
    """Packages that broke builds on a base."""
    number = base_id(connection, base)
    if number is None:
        return None
    named = number != ANY_BASE or any_base
    here = [
        breakers.c.kind == "stack",
        breakers.c.base_id == number if named else breakers.c.base_id != ANY_BASE,
    ]
    if name is not None:
        here.append(facts.c.name.in_({name, called("pypi", name)}))
    columns = (breakers.c.base_id, image_references.c.reference, facts.c.kind, facts.c.name)
    return (
        sa.select(*columns)
        .select_from(breakers.join(facts, facts.c.id == breakers.c.fact_id))
        .outerjoin(image_references, image_references.c.id == breakers.c.base_id)
        .where(*here, facts.c.value != "")
        .group_by(*columns)
        .having(sa.func.sum(breakers.c.builds) >= least)
    )


def _rule(
    row: Any,
    seen: Mapping[tuple[int, str, str], Seen],
    ranges: Mapping[tuple[int, str, str], BadRange],
    sources: Mapping[tuple[int, int], Sequence[str]],
    classes: Mapping[tuple[int, int], Mapping[str, int]],
) -> Rule | None:
    package = (row.base_id, row.kind, row.name)
    bad = ranges.get(package)
    if bad is None:
        return None
    ids = [seen[package].fact_ids[each] for each in bad.versions]
    text = "\0".join((row.reference or "", row.kind, row.name, bad.specifier))
    return Rule(
        id=f"rule-{sha256(text.encode()).hexdigest()[:16]}",
        base=row.reference,
        kind=row.kind,
        name=row.name,
        bad=bad,
        classes=most_frequent([(row.base_id, each) for each in ids], classes),
        sources=gathered(sources, row.base_id, ids, SOURCES),
    )


def _document(rule: Rule) -> dict[str, Any]:
    inside, outside = rule.bad.inside, rule.bad.outside
    return {
        "id": rule.id,
        "base": rule.base,
        "package": {"type": rule.kind, "name": rule.name},
        "versions": rule.bad.specifier,
        "versions_seen": list(rule.bad.versions),
        "failure": {"class": next(iter(rule.classes), ""), "classes": dict(rule.classes)},
        "inside": {"failed": inside.n, "builds": inside.m, "low": inside.low, "high": inside.high},
        "outside": {"failed": outside.n, "builds": outside.m, "low": outside.low, "high": outside.high},
        "interval": {"method": "wilson", "level": inside.level, "ranges_looked_at": rule.bad.looked_at},
        "verdict": rule.bad.verdict,
        "sources": list(rule.sources),
    }
