"""From options to a campaign."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab.cli.place import USAGE, fail
from trimtab.cli.stacks_options import Question, read_date

__all__ = ["Asked", "Parts", "asked"]


@dataclass(frozen=True)
class Asked:
    """The options of `trimtab campaigns run`, as they were given."""

    question: Question
    context: Path
    plan: str
    seed: int
    lock: Path | None
    good: Path | None
    bad: Path | None
    find: int | None
    slower: float | None
    metric: str
    objective: str | None
    strategy: str | None
    budget: Mapping[str, Any]
    time: str | None


@dataclass(frozen=True)
class Parts:
    """What a campaign is made of, as documents."""

    question: Mapping[str, Any]
    context: Mapping[str, Any]
    budget: Mapping[str, Any]


def asked(wanted: Asked) -> Parts:
    """Read the files that options name; what is wrong with them ends the command with a message."""
    from trimtab.stacks import RequirementsError, StacksError

    try:
        question = _question(wanted)
    except RequirementsError as error:
        fail(str(error), USAGE)
    except StacksError as error:
        fail(str(error))
    return Parts(question, _context(wanted.context), {**wanted.budget, "seconds": _seconds(wanted.time)})


def _question(wanted: Asked) -> dict[str, Any]:
    from trimtab.stacks import Target, asked, read_pins, read_project

    given = wanted.question
    project = read_project(given.requirements, given.extras)
    target = Target(given.python or project.python, given.platform, read_date(given.index_date))
    others: dict[str, Any] = {
        "vary": None if given.vary is None else list(given.vary),
        "newest": given.newest,
        "plan": wanted.plan,
        "seed": wanted.seed,
        "good": wanted.good and read_pins(wanted.good),
        "bad": wanted.bad and read_pins(wanted.bad),
        "find": wanted.find,
        "slower": wanted.slower,
        "metric": wanted.metric,
        "objective": wanted.objective,
        "strategy": wanted.strategy,
        "sieves": _sieves(given),
    }
    found = dict(asked(project, target, **others))
    if wanted.lock:
        found["pins"] = dict(read_pins(wanted.lock))
    return found


def _sieves(given: Question) -> dict[str, Any]:
    from trimtab.stacks import read_osv, read_rules

    known: dict[str, list[Any]] = {}
    for path in given.osv:
        for name, found in read_osv(path).items():
            known.setdefault(name, []).extend(each.document() for each in found)
    if given.accepted and not given.osv:
        fail("--accept says which vulnerabilities are no reason; give them by --osv", USAGE)
    return {
        "yanked": given.yanked,
        "rules": [rule.document() for path in given.rules for rule in read_rules(path)],
        "vulnerabilities": known,
        "accept": list(given.accepted),
        "allow_licences": list(given.allowed),
        "deny_licences": list(given.denied),
        "known_licences": given.known_licences,
    }


def _context(file: Path) -> Mapping[str, Any]:
    import os

    from trimtab.inspection import Defaults, Specification, SpecificationError
    from trimtab.inspection.specification.limits import MAX_DOCUMENT

    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_DOCUMENT + 1)
        return Specification.parse(text, defaults=Defaults.of(os.environ)).document()
    except OSError as error:
        fail(f"--context: {file} cannot be read: {error.strerror}", USAGE)
    except SpecificationError as error:
        fail("\nError: ".join(f"--context: {file}: {line}" for line in str(error).splitlines()), USAGE)


def _seconds(text: str | None) -> float | None:
    from servo.types import Duration

    if text is None:
        return None
    try:
        return Duration(text).total_seconds()
    except ValueError:
        fail(f"--time: {text[:50]!r} is no duration; write it as 90s, 30m or 2h", USAGE)
