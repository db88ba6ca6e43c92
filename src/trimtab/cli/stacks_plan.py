"""The plan that a command names, and the verdicts it is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trimtab.cli.stacks_options import PlanName, Question
from trimtab.cli.stacks_search import Search
from trimtab.stacks import (
    All,
    Around,
    Bisect,
    Breakers,
    Floor,
    Newest,
    Pairwise,
    Plan,
    PlanError,
    Random,
    RequirementsError,
    Survey,
    Verdict,
    between,
    read_pins,
    survey,
)

if TYPE_CHECKING:
    from trimtab.stacks import Stack

__all__ = ["Chosen", "Locks", "choose", "read_verdicts"]

_DIGEST = 12
_VERDICTS = 64 * 1024 * 1024


@dataclass(frozen=True)
class Locks:
    """The locks that some plans start from."""

    lock: Path | None = None
    good: Path | None = None
    bad: Path | None = None


@dataclass(frozen=True)
class Chosen:
    """A plan, and what it was made from.

    Attributes:
        plan: The plan.
        found: The space; None where there is no need of one.
        base: Version by name of what candidates are compared with.
    """

    plan: Plan
    found: Survey | None
    base: Mapping[str, str]


async def choose(search: Search, question: Question, name: PlanName, seed: int, locks: Locks) -> Chosen:
    """Make the plan.

    Raises:
        StacksError: It has nothing to do, or lacks what it needs.
    """
    _check(name, locks)
    if name is PlanName.bisect:
        return await _bisection(search, question, locks)
    found = await survey(
        search.oracle, search.releases, search.sieves, vary=question.vary, newest=question.newest
    )
    space = found.space
    if name is PlanName.around:
        pins = read_pins(locks.lock) if locks.lock else dict(search.project.pins)
        # A lock may hold more than is required here: development packages, other extras.
        shared = {each: version for each, version in pins.items() if each in found.first.pins}
        return Chosen(Around(space, pins), found, shared)
    plans: dict[PlanName, Any] = {
        PlanName.all: lambda: All(space),
        PlanName.random: lambda: Random(space, seed),
        PlanName.pairwise: lambda: Pairwise(space, seed),
        PlanName.floor: lambda: Floor(space),
        PlanName.breakers: lambda: Breakers(space, seed),
        PlanName.newest: lambda: Newest(space, found.first),
    }
    return Chosen(plans[name](), found, found.first.pins)


def read_verdicts(path: Path | None) -> "Verdicts":
    """Read verdicts.

    Args:
        path: JSON: `pass`, `fail` or `unknown` by the digest of a stack, or by its first twelve digits; None: there are none.

    Raises:
        RequirementsError: It is no such file.
    """
    from trimtab.stacks.sources.text import read_json

    if path is None:
        return Verdicts({})
    document = read_json(path, _VERDICTS)
    if not isinstance(document, dict):
        raise RequirementsError(f"{path} is no object of verdicts by stack")
    found = {}
    for digest, text in document.items():
        if text not in list(Verdict) or len(digest) < _DIGEST:
            raise RequirementsError(
                f"{path}: {digest[:20]!r} has {str(text)[:20]!r}; write pass, fail or unknown by at least the first "
                f"{_DIGEST} digits of a stack"
            )
        found[digest[:_DIGEST]] = Verdict(text)
    return Verdicts(found)


@dataclass(frozen=True)
class Verdicts:
    """Verdicts by the first digits of a stack."""

    known: Mapping[str, Verdict]

    def of(self, stack: "Stack") -> Verdict | None:
        """What trying it showed; None: nobody tried it."""
        return self.known.get(stack.digest[:_DIGEST])


def _check(name: PlanName, locks: Locks) -> None:
    if name is PlanName.bisect and not (locks.good and locks.bad):
        raise PlanError("the plan bisect needs --good and --bad, a lock that passes and one that fails")
    if name is not PlanName.bisect and (locks.good or locks.bad):
        raise PlanError("--good and --bad are for --plan bisect")
    if locks.lock and name is not PlanName.around:
        raise PlanError("--lock is for --plan around; give a lock as FILE to start from it")


async def _bisection(search: Search, question: Question, locks: Locks) -> Chosen:
    assert locks.good
    assert locks.bad
    good, bad = read_pins(locks.good), read_pins(locks.bad)
    versions = await between(search.releases, search.sieves, good, bad)
    return Chosen(Bisect(good, bad, versions, question.vary), None, good)
