"""What the catalog remembers of stacks like those of a project: inspections and builds, nothing run.

Inspections are compared within one context: the same base image, script and limits, with other packages. A script that fails is
the stack's fault only where the same script went well with another stack.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from trimtab.catalog import Database, InspectionState
from trimtab.catalog.inspection_schema import inspections, packages, runs, specifications, stack_packages
from trimtab.catalog.observations import candidate_rules
from trimtab.catalog.observations.bases import base_id
from trimtab.catalog.observations.first_bad import seen_versions
from trimtab.stacks.evidence import Evidence, Failure
from trimtab.stacks.proposal import Verdict
from trimtab.stacks.sieves.rules import Rule
from trimtab.stacks.stack import Stack

__all__ = ["Context", "Line", "Memory", "recall"]

MOST = 5000
"""Inspections that are looked at, the newest."""
_FAILURES = 500
_PYTHON = "pypi"
_AT_ONCE = 500
_ENDED = {
    InspectionState.SUCCEEDED: Verdict.PASS,
    InspectionState.FAILED: Verdict.FAIL,
    InspectionState.BUILD_FAILED: Verdict.FAIL,
}

Line = Callable[[str], str | None]
"""The line of the log that says why an inspection failed, by its id."""


@dataclass(frozen=True)
class Context:
    """Inspections that differ in their stacks alone.

    Attributes:
        identifier: What they were called, if they were.
        base: Their base image.
        evidence: What they showed.
    """

    identifier: str | None
    base: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Memory:
    """What is remembered.

    Attributes:
        contexts: Inspections, the context with the most of them first.
        rules: What builds taught to avoid.
        builds: By package and version, builds in which it went well, and builds that it broke.
        base: The base image that is asked about; None: any.
    """

    contexts: tuple[Context, ...] = ()
    rules: tuple[Rule, ...] = ()
    builds: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    base: str | None = None

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Of all contexts."""
        return tuple(each for context in self.contexts for each in context.evidence)


def recall(
    database: Database, names: Collection[str], *, base: str | None = None, line: Line = lambda _: None
) -> Memory:
    """Remember what is known of packages.

    Args:
        database: The catalog.
        names: Canonical names of the packages.
        base: Of inspections and builds on this base image alone.
        line: Finds the line that says why an inspection failed.

    Raises:
        trimtab.catalog.UnavailableError: The database cannot be used.
    """
    with database.read() as connection:
        found = _inspections(connection, names, base)
        pins = _pins(connection, {row["stack_id"] for row in found})
        documents = _documents(connection, [row["id"] for row in found])
        measured = _runs(connection, [row["id"] for row in found])
        rules = _rules(connection, names, base)
        builds = _builds(connection, names, base)
    contexts = _contexts(found, pins, documents, measured, line)
    return Memory(contexts, rules, builds, base)


def _inspections(
    connection: sa.Connection, names: Collection[str], base: str | None
) -> Sequence[sa.RowMapping]:
    """Those that are over and lock one of the packages, the newest first."""
    having = (
        sa.select(stack_packages.c.stack_id)
        .join(packages, packages.c.id == stack_packages.c.package_id)
        .where(packages.c.name.in_(sorted(names)[:_AT_ONCE]))
    )
    query = sa.select(inspections).where(
        inspections.c.stack_id.in_(having), inspections.c.state.in_(sorted(each.value for each in _ENDED))
    )
    if base is not None:
        query = query.where(inspections.c.base == base)
    ordered = query.order_by(inspections.c.created_at.desc(), inspections.c.id.desc()).limit(MOST)
    return connection.execute(ordered).mappings().all()


def _pins(connection: sa.Connection, stacks: Collection[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for part in _parts(sorted(stacks)):
        query = (
            sa.select(stack_packages.c.stack_id, packages.c.name, packages.c.version)
            .join(packages, packages.c.id == stack_packages.c.package_id)
            .where(stack_packages.c.stack_id.in_(part))
        )
        for stack, name, version in connection.execute(query):
            if version:
                found[stack][name] = version
    return found


def _documents(connection: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for part in _parts(ids):
        query = sa.select(specifications).where(specifications.c.inspection_id.in_(part))
        found |= {row["inspection_id"]: row["document"] for row in connection.execute(query).mappings()}
    return found


def _runs(connection: sa.Connection, ids: Sequence[str]) -> dict[str, list[sa.RowMapping]]:
    """The runs that succeeded."""
    found: dict[str, list[sa.RowMapping]] = defaultdict(list)
    columns = (
        *(runs.c.inspection_id, runs.c.duration, runs.c.memory_peak, runs.c.max_rss),
        *(runs.c.hardware_digest, runs.c.item, runs.c.attempt),
    )
    for part in _parts(ids):
        query = sa.select(*columns).where(runs.c.inspection_id.in_(part), runs.c.state == "succeeded")
        for row in connection.execute(query.order_by(runs.c.item, runs.c.attempt)).mappings():
            found[row["inspection_id"]].append(row)
    return found


def _rules(connection: sa.Connection, names: Collection[str], base: str | None) -> tuple[Rule, ...]:
    pages = (
        candidate_rules(connection, base=base, name=name, any_base=base is None, least=2)
        for name in sorted(names)
    )
    python = (each for page in pages for each in page.items if each.kind == _PYTHON)
    found = (_rule(each) for each in python if base is not None or each.base is None)
    return tuple(rule for rule in found if rule)


def _rule(found: Any) -> Rule | None:
    try:
        versions = SpecifierSet(found.bad.specifier)
    except InvalidSpecifier:
        return None
    why = next(iter(found.classes), "for reasons unknown")
    where = found.base or "any base image"
    reason = f"it broke {found.bad.inside.n} of {found.bad.inside.m} builds on {where}: {why}"
    return Rule(found.id, {found.name: versions}, f"{reason} ({', '.join(found.sources[:3])})")


def _builds(
    connection: sa.Connection, names: Collection[str], base: str | None
) -> dict[tuple[str, str], tuple[int, int]]:
    number = base_id(connection, base)
    if number is None:
        return {}
    seen = seen_versions(connection, [(number, _PYTHON, name) for name in sorted(names)])
    return {
        (name, each.version): (each.held, each.broke)
        for (_, _, name), found in seen.items()
        for each in found.tried
    }


def _contexts(
    rows: Sequence[sa.RowMapping],
    pins: Mapping[int, Mapping[str, str]],
    documents: Mapping[str, Mapping[str, Any]],
    measured: Mapping[str, Sequence[sa.RowMapping]],
    line: Line,
) -> tuple[Context, ...]:
    groups: dict[str, list[sa.RowMapping]] = defaultdict(list)
    for row in rows:
        groups[_without_stack(documents.get(row["id"], {"base": row["base"]}))].append(row)
    found = []
    failures = 0
    for group in groups.values():
        passed = any(row["state"] == InspectionState.SUCCEEDED for row in group)
        evidence = []
        for row in group:
            failures += row["state"] != InspectionState.SUCCEEDED
            told = (
                line(row["id"])
                if failures <= _FAILURES and row["state"] != InspectionState.SUCCEEDED
                else None
            )
            evidence.append(
                _evidence(row, pins[row["stack_id"]], measured.get(row["id"], ()), told, passed=passed)
            )
        found.append(Context(group[0]["identifier"], group[0]["base"], tuple(evidence)))
    return tuple(sorted(found, key=lambda each: -len(each.evidence)))


def _without_stack(document: Mapping[str, Any]) -> str:
    """What tells contexts apart: how often something is run does not."""
    left = {
        name: value
        for name, value in document.items()
        if not name.startswith("@") and name not in {"python", "batch_size", "identifier"}
    }
    return hashlib.sha256(json.dumps(left, sort_keys=True).encode()).hexdigest()


def _evidence(
    row: sa.RowMapping,
    pins: Mapping[str, str],
    measured: Sequence[sa.RowMapping],
    told: str | None,
    *,
    passed: bool,
) -> Evidence:
    verdict = _ENDED[InspectionState(row["state"])]
    blamed = row["failure_class"] == "stack" or (row["failure_class"] == "script" and passed)
    if verdict is Verdict.FAIL and not blamed:
        verdict = Verdict.UNKNOWN
    stack = Stack("".join(f"{name}=={version}\n" for name, version in sorted(pins.items())))
    kinds = Counter(each["hardware_digest"] for each in measured)
    hardware = kinds.most_common(1)[0][0] if kinds else None
    same = [each for each in measured if each["hardware_digest"] == hardware]
    figures = {
        "duration": tuple(each["duration"] for each in same if each["duration"] is not None),
        "memory": tuple(
            float(peak) for each in same if (peak := each["memory_peak"] or each["max_rss"]) is not None
        ),
    }
    failure = None
    if verdict is Verdict.FAIL:
        phase = "build" if row["state"] == InspectionState.BUILD_FAILED else "run"
        message = told or row["failure_reason"] or "it failed, and nothing says why"
        failure = Failure(row["failure_class"] or "stack", phase, message)
    return Evidence(
        stack, verdict, row["id"], failure, {name: each for name, each in figures.items() if each}, hardware
    )


def _parts(ids: Sequence[Any]) -> "list[Sequence[Any]]":
    return [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
