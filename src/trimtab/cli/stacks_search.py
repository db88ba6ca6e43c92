"""A search for stacks, opened as a command asks for it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from trimtab.cli.options import read_settings
from trimtab.cli.place import FAILURE, USAGE, fail
from trimtab.cli.stacks_options import Question, read_date
from trimtab.settings import Settings
from trimtab.stacks import (
    LicenceSieve,
    Oracle,
    PlanError,
    PlatformSieve,
    Project,
    Releases,
    RequirementsError,
    RulesSieve,
    Sieve,
    StacksError,
    Target,
    VulnerableSieve,
    YankedSieve,
    read_osv,
    read_project,
    read_rules,
)

__all__ = ["Search", "opened", "run"]

T = TypeVar("T")
_INTERRUPTED = 130


@dataclass(frozen=True)
class Search:
    """What a search has.

    Attributes:
        project: What is wanted.
        target: Where it is to be installed.
        oracle: Resolves.
        releases: Tells what there is.
        sieves: What is not tried.
    """

    project: Project
    target: Target
    oracle: Oracle
    releases: Releases
    sieves: Sequence[Sieve]


@asynccontextmanager
async def opened(question: Question) -> AsyncIterator[Search]:
    """Read what is asked, and open what answers.

    Raises:
        StacksError: It cannot be read, or uv is not there.
    """
    project = read_project(question.requirements, question.extras)
    target = Target(question.python or project.python, question.platform, read_date(question.index_date))
    sieves = [*_vulnerable(question), *_rules(question, target)]
    settings = read_settings(Settings, {"home": question.home})
    cache = settings.home.expanduser().absolute() / "engines" / "uv"  # the process engine's
    async with (
        Oracle(project, target, cache, parallel=question.parallel) as oracle,
        Releases(oracle.index) as releases,
    ):
        if not question.yanked:
            sieves.insert(0, YankedSieve(releases))
        sieves.insert(0, PlatformSieve(target, releases))
        if question.allowed or question.denied or question.known_licences:
            allow, deny = frozenset(question.allowed), frozenset(question.denied)
            sieves.append(LicenceSieve(target, releases, allow, deny, unknown=not question.known_licences))
        yield Search(project, target, oracle, releases, sieves)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do it; what is wrong ends the command with a message: code 2 for what was asked, 1 for what came of it."""
    try:
        return asyncio.run(work)
    except (RequirementsError, PlanError) as error:
        fail(str(error), USAGE)
    except StacksError as error:
        fail(str(error), FAILURE)
    except KeyboardInterrupt:
        fail("interrupted", _INTERRUPTED)


def _vulnerable(question: Question) -> list[Sieve]:
    found: dict[str, Any] = {}
    for path in question.osv:
        for name, each in read_osv(path).items():
            found[name] = (*found.get(name, ()), *each)
    if question.accepted and not question.osv:
        raise RequirementsError("--accept says which vulnerabilities are no reason; give them by --osv")
    return [VulnerableSieve(found, frozenset(question.accepted))] if question.osv else []


def _rules(question: Question, target: Target) -> list[Sieve]:
    rules = tuple(rule for path in question.rules for rule in read_rules(path))
    return [RulesSieve(rules, target, question.base)] if question.rules else []
