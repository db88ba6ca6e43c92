"""How often builds fail, by base image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from trimtab.catalog.observation_schema import ANY_BASE, base_tallies, image_references
from trimtab.catalog.observations.confidence import TOO_FEW, Proportion, proportion
from trimtab.catalog.observations.fact import named
from trimtab.catalog.observations.page import Page
from trimtab.catalog.observations.tallying import OUTCOMES
from trimtab.catalog.values import storable

__all__ = ["FAILED", "BaseRate", "By", "FailureKind", "base_id", "failure_rates", "usual"]

By = Literal["reference", "repository"]
FailureKind = Literal["any", "stack", "index", "network", "infrastructure", "resource", "unexplained"]
FAILED = ("stack", "index", "network", "infrastructure", "resource", "unexplained")
LEAST = 5  # builds of which something is said


@dataclass(frozen=True, slots=True)
class BaseRate:
    """How often builds on a base image fail.

    Args:
        base: The base image.
        builds: How many ended each way, by the columns of the tallies.
        failures: Builds that failed for what was asked about, of those and the ones that succeeded.
        verdict: `above` or `below` the other base images, `no difference shown`, or `not enough builds to say`.
    """

    base: str
    builds: Mapping[str, int]
    failures: Proportion
    verdict: str


def base_id(connection: sa.Connection, base: str | None) -> int | None:
    """The number under which a base image is counted: that of none in particular, if it is None; None if nobody built on it."""
    if base is None:
        return ANY_BASE
    query = sa.select(image_references.c.id).where(image_references.c.reference == named(base))
    found: int | None = connection.execute(query).scalar() if storable(base) else None
    return found


def failure_rates(
    connection: sa.Connection,
    *,
    by: By = "reference",
    kind: FailureKind = "any",
    base: str | None = None,
    offset: int = 0,
    limit: int = 25,
) -> Page[BaseRate]:
    """How often builds fail, by base image; those with the most builds first.

    Args:
        connection: For reading.
        by: What is one base image: with its tag, or all tags of a repository.
        kind: What has to change for the failures to go away; `any` counts all.
        base: This one alone.
        offset: How many are left out.
        limit: How many at most.
    """
    name = image_references.c[by]
    sums = [sa.func.sum(base_tallies.c[each]).label(each) for each in OUTCOMES]
    every = sum((sa.func.sum(base_tallies.c[each]) for each in OUTCOMES), sa.literal(0))
    joined = base_tallies.join(image_references, image_references.c.id == base_tallies.c.base_id)
    found = sa.select(name.label("base"), *sums).select_from(joined).group_by(name).having(every > 0)
    if base is not None:
        found = found.where(name == named(base)) if storable(base) else found.where(sa.false())
    total = connection.execute(sa.select(sa.func.count()).select_from(found.subquery())).scalar_one()
    rows = connection.execute(found.order_by(every.desc(), name).offset(offset).limit(limit)).mappings()
    whole = _counts(connection)
    return Page(tuple(_rate(dict(row), kind, whole) for row in rows), total)


def usual(connection: sa.Connection, base: int) -> Proportion:
    """How often builds with this base fail for a reason in the stack."""
    row = connection.execute(sa.select(base_tallies).where(base_tallies.c.base_id == base)).first()
    return proportion(row.stack, row.stack + row.succeeded) if row else proportion(0, 0)


def _counts(connection: sa.Connection) -> Mapping[str, int]:
    row = (
        connection.execute(sa.select(base_tallies).where(base_tallies.c.base_id == ANY_BASE))
        .mappings()
        .first()
    )
    return {name: row[name] if row else 0 for name in OUTCOMES}


def _failures(counts: Mapping[str, int], kind: str) -> tuple[int, int]:
    failed = sum(counts[each] for each in FAILED) if kind == "any" else counts[kind]
    return failed, failed + counts["succeeded"]


def _rate(row: Mapping[str, Any], kind: str, whole: Mapping[str, int]) -> BaseRate:
    counts = {name: int(row[name]) for name in OUTCOMES}
    (failed, told), (all_failed, all_told) = _failures(counts, kind), _failures(whole, kind)
    here, others = proportion(failed, told), proportion(all_failed - failed, all_told - told)
    return BaseRate(row["base"], counts, here, _verdict(here, others))


def _verdict(here: Proportion, others: Proportion) -> str:
    if min(here.m, others.m) < LEAST:
        return TOO_FEW
    if here.exceeds(others):
        return "above"
    return "below" if others.exceeds(here) else "no difference shown"
