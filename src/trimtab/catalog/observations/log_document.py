"""What the parsed log of a build tells: ours, and the original's, which has no outcome and no errors."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from trimtab.catalog.observations.fact import (
    DECLARED,
    INFERRED,
    OBSERVED,
    Fact,
    FactSet,
    fact,
    named,
    sets_of,
)
from trimtab.catalog.stacks import normalise, packages_of
from trimtab.catalog.values import at, integer, text

__all__ = ["Failure", "LogFacts", "log_facts"]

MOST_FACTS, MOST_FAILURES = 20_000, 100
SYSTEMS = {"apt": "deb", "dpkg": "deb", "dnf": "rpm", "yum": "rpm", "microdnf": "rpm", "zypper": "rpm", "apk": "apk", "conda": "conda"}  # fmt: skip
OUTCOMES = frozenset({"successful", "failed", "unknown"})
KINDS = frozenset({"stack", "index", "network", "infrastructure", "resource"})
FROM = re.compile(r"FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong.

    Args:
        failure_class: Its class.
        kind: What has to change for it to go away; empty if nothing tells.
        package: The package it is of; None where none is named. Its version may be empty.
        how: `observed`, or `inferred` if the version is what was tried elsewhere in the log.
        message: What says so.
        line: Its number.
        recovered: Whether it went well later.
        breaker: Whether it explains the failure of the build.
    """

    failure_class: str
    kind: str
    package: Fact | None
    how: str
    message: str
    line: int | None
    recovered: bool
    breaker: bool


@dataclass(frozen=True, slots=True)
class LogFacts:
    """Facts of one log.

    Args:
        outcome: `successful`, `failed` or `unknown`.
        tool: What wrote it.
        exit_code: That it tells.
        base: The base image it names; empty if it names none.
        base_digest: Its digest, if told.
        sets: What the build requires, installed, and tried to install.
        failures: What went wrong, in order.
    """

    outcome: str
    tool: str
    exit_code: int | None
    base: str
    base_digest: str
    sets: tuple[FactSet, ...]
    failures: tuple[Failure, ...]

    @property
    def breaker(self) -> Failure | None:
        """What explains the failure."""
        return next((each for each in self.failures if each.breaker), None)


def log_facts(document: Mapping[str, Any]) -> LogFacts:
    """The facts of a document; nothing of it is an error."""
    result = at(document, "result")
    outcome = _outcome(result)
    locked = [_python(each.name, each.version) for each in packages_of({"python": {"requirements_locked": at(result, "pipfile_lock")}})]  # fmt: skip
    installed, attempted = _installed(result, outcome)
    known = {*installed, *attempted, *(each for each in locked if each)}
    base, digest = _base(result)
    return LogFacts(
        outcome=outcome,
        tool=text(at(result, "tool"), 50) or "",
        exit_code=integer(at(result, "exit_code")),
        base=text(base, 500) or "",
        base_digest=digest,
        sets=(
            *sets_of(locked, "requires", DECLARED, MOST_FACTS),
            *sets_of(installed, "installed", OBSERVED, MOST_FACTS),
            *sets_of(attempted, "attempted", OBSERVED, MOST_FACTS),
        ),
        failures=tuple(_failures(result, outcome, known)),
    )


def _outcome(result: Any) -> str:
    told = at(result, "outcome")
    if told in OUTCOMES:
        return str(told)
    if at(result, "failed"):
        return "failed"
    # The original calls an installation successful in which it recognised nothing.
    return "successful" if at(result, "info", "push_successful") is True else "unknown"


def _entries(result: Any, key: str, limit: int) -> Iterator[Mapping[str, Any]]:
    found = at(result, key)
    for each in islice(found, limit) if isinstance(found, list) else ():
        if isinstance(each, Mapping):
            yield each


def _python(name: Any, version: Any) -> Fact | None:
    return fact("pypi", normalise(name), version) if isinstance(name, str) else None


def _installed(result: Any, outcome: str) -> tuple[list[Fact], list[Fact]]:
    """What was installed, and what was tried without being known to have been."""
    installed: dict[Fact, None] = {}
    attempted: dict[Fact, None] = {}
    for each in _entries(result, "installation", MOST_FACTS):
        found = _python(each.get("package_name"), each.get("package_version"))
        if found is not None:
            (installed if each.get("is_successful") is True else attempted)[found] = None
    for each in _entries(result, "packages", MOST_FACTS):
        if (found := _system(each)) is not None:
            # What is listed is what is going to be installed; it was, if all went well.
            (installed if outcome == "successful" else attempted)[found] = None
    return list(installed), [each for each in attempted if each not in installed]


def _system(entry: Mapping[str, Any]) -> Fact | None:
    kind = SYSTEMS.get(str(entry.get("manager")))
    version, epoch = entry.get("version"), integer(entry.get("epoch"))
    return (
        fact(kind, entry.get("name"), f"{epoch}:{version}" if epoch and version else version)
        if kind
        else None
    )


def _base(result: Any) -> tuple[str, str]:
    builder = at(result, "info", "s2i_builder_image")
    if isinstance(name := at(builder, "image"), str):
        told = text(at(builder, "sha256"), 64)
        return named(name), f"sha256:{told}" if told else ""
    stages: dict[str, str] = {}
    base = ""
    for each in _entries(result, "steps", MOST_FACTS):
        instruction = each.get("instruction")
        if isinstance(instruction, str) and (found := FROM.match(instruction[:2000])):
            image = stages.get(found[1].lower(), found[1])
            base = "" if image == "scratch" or "$" in image else image
            if found[2]:
                stages[found[2].lower()] = image
    return named(base), base.partition("@")[2] if "@sha256:" in base else ""


def _failures(result: Any, outcome: str, known: Iterable[Fact]) -> Iterator[Failure]:
    told = list(_entries(result, "errors", MOST_FAILURES))
    breaker = at(result, "build_breaker") if outcome == "failed" else None
    tools = {str(each.get("name")) for each in _entries(result, "tools", 100)}
    if isinstance(breaker, Mapping) and breaker:
        others = [each for each in told if not _same(each, breaker)]
        yield _failure(breaker, tools, known, breaker=True)
    else:
        others = told
    yield from (_failure(each, tools, known, breaker=False) for each in others)
    if not told and not breaker and outcome == "failed":
        yield from _unexplained(result, known)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    keys = ("class", "line", "message")
    return all(one.get(key) == other.get(key) for key in keys)


def _failure(entry: Mapping[str, Any], tools: set[str], known: Iterable[Fact], *, breaker: bool) -> Failure:
    kind = text(entry.get("kind"), 16) or ""
    failure_class = text(entry.get("class"), 32) or ""
    package, how = _package(entry, _kind_of(failure_class, tools), known)
    return Failure(
        failure_class=failure_class,
        kind=kind if kind in KINDS else "",
        package=package,
        how=how,
        message=text(entry.get("message"), 500) or "",
        line=integer(entry.get("line")),
        recovered=entry.get("recovered") is True,
        breaker=breaker,
    )


def _kind_of(failure_class: str, tools: set[str]) -> str:
    """The system a failing package belongs to."""
    if failure_class != "system-package":
        return "pypi"
    return next((SYSTEMS[each] for each in sorted(tools) if each in SYSTEMS), "deb")


def _package(entry: Mapping[str, Any], kind: str, known: Iterable[Fact]) -> tuple[Fact | None, str]:
    name, version = text(entry.get("package"), 300), text(entry.get("version"), 200)
    if not name:
        return None, OBSERVED
    called = normalise(name) if kind == "pypi" else name
    if version:
        return Fact(kind, called, version), OBSERVED
    versions = {each.value for each in known if each.name == called and each.kind == kind}
    if len(versions) == 1:
        return Fact(kind, called, versions.pop()), INFERRED
    return Fact(kind, called, ""), OBSERVED


def _unexplained(result: Any, known: Iterable[Fact]) -> Iterator[Failure]:
    """What the original's documents have: the names of what failed, the last of which ended the build."""
    names = at(result, "failed")
    given = [each for each in names if isinstance(each, str) and each] if isinstance(names, list) else []
    failed = list(dict.fromkeys(given))[-MOST_FAILURES:]
    for number, name in enumerate(failed, 1):
        package, how = _package({"package": name}, "pypi", known)
        yield Failure("", "", package, how, "", None, recovered=False, breaker=number == len(failed))
