"""A search for stacks, opened as a question asks for it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from trimtab.engines.index import Index
from trimtab.stacks.errors import PlanError, RequirementsError
from trimtab.stacks.evidence import Evidence
from trimtab.stacks.ground import Ground
from trimtab.stacks.oracle import Oracle
from trimtab.stacks.plans import All, Around, Bisect, Floor, Newest, Pairwise, Random
from trimtab.stacks.plans.adaptive import Adaptive, Searcher
from trimtab.stacks.plans.breakers import Breakers
from trimtab.stacks.plans.symptoms import Slowness
from trimtab.stacks.proposal import Plan
from trimtab.stacks.question import PlanName, Question
from trimtab.stacks.releases import Releases
from trimtab.stacks.sieves import LicenceSieve, PlatformSieve, RulesSieve, Sieve, VulnerableSieve, YankedSieve
from trimtab.stacks.sieves.rules import parse_rules
from trimtab.stacks.sieves.vulnerable import Vulnerability
from trimtab.stacks.space import Space
from trimtab.stacks.surveying import between, survey

__all__ = ["Search", "Searching", "ground_of", "open_search", "plan_of"]

Loss = Callable[[Evidence], float | None]
Searching = Callable[[Question, Space], tuple[Searcher, Loss]]
"""Of a question and its space makes what the plan `adaptive` searches with, and what is to be minimised of a stack."""


@dataclass(frozen=True)
class Search:
    """What a search has.

    Attributes:
        question: What is asked.
        oracle: Resolves.
        releases: Tells what there is.
        sieves: What is not tried.
    """

    question: Question
    oracle: Oracle
    releases: Releases
    sieves: Sequence[Sieve]


@asynccontextmanager
async def open_search(
    question: Question, cache: Path, *, index: Index | None = None, parallel: int | None = None
) -> AsyncIterator[Search]:
    """Open what answers a question.

    Args:
        question: The question.
        cache: Directory of uv's cache.
        index: Where packages come from; by default what pip and uv are configured to use.
        parallel: How many processes of uv at once.

    Raises:
        StacksError: A part of it makes no sense, or uv is not there.
    """
    project, target, choice = question.project, question.target, question.sieves
    rules = parse_rules({"rules": list(choice.rules)}, "the question")
    known = _vulnerabilities(choice.vulnerabilities)
    async with (
        Oracle(project, target, cache, index=index, parallel=parallel) as oracle,
        Releases(oracle.index) as releases,
    ):
        sieves: list[Sieve] = [PlatformSieve(target, releases)]
        if not choice.yanked:
            sieves.append(YankedSieve(releases))
        if known:
            sieves.append(VulnerableSieve(known, frozenset(choice.accept)))
        if rules:
            sieves.append(RulesSieve(rules, target, choice.base))
        if choice.allow_licences or choice.deny_licences or choice.known_licences:
            allow, deny = frozenset(choice.allow_licences), frozenset(choice.deny_licences)
            sieves.append(LicenceSieve(target, releases, allow, deny, unknown=not choice.known_licences))
        yield Search(question, oracle, releases, sieves)


async def ground_of(search: Search) -> Ground:
    """What a question is about, as the index has it now.

    Raises:
        StacksError: No stack satisfies the requirements, the sieves leave none, or an index does not answer.
    """
    question = search.question
    if question.plan is PlanName.bisect:
        good, bad = question.good or {}, question.bad or {}
        return Ground(between=await between(search.releases, search.sieves, good, bad))
    found = await survey(
        search.oracle, search.releases, search.sieves, vary=question.vary, newest=question.newest
    )
    return Ground(found)


def plan_of(
    question: Question, ground: Ground, *, ahead: int = 1, searching: Searching | None = None
) -> Plan:
    """The plan of a question. It is pure: of the same ground it is the same.

    Args:
        question: The question.
        ground: What it is about.
        ahead: How many stacks are tried at the same time.
        searching: Makes what the plan `adaptive` searches with.

    Raises:
        PlanError: It has nothing to do.
    """
    if question.plan is PlanName.bisect:
        return Bisect(question.good or {}, question.bad or {}, ground.between, question.vary)
    assert ground.survey is not None
    space, seed = ground.survey.space, question.seed
    first, slower = ground.survey.first, question.slower
    slow = None if slower is None else Slowness(question.metric, slower)
    plans: dict[PlanName, Callable[[], Plan]] = {
        PlanName.all: lambda: All(space),
        PlanName.random: lambda: Random(space, seed),
        PlanName.pairwise: lambda: Pairwise(space, seed),
        PlanName.floor: lambda: Floor(space),
        PlanName.newest: lambda: Newest(space, first),
        PlanName.around: lambda: Around(space, question.pins),
        PlanName.breakers: lambda: Breakers(space, seed, find=question.find, ahead=ahead, slower=slow),
    }
    if question.plan in plans:
        return plans[question.plan]()
    if searching is None:
        raise PlanError("the plan adaptive needs a strategy, which a campaign has")
    searcher, loss = searching(question, space)
    return Adaptive(space, searcher, loss)


def _vulnerabilities(documents: object) -> dict[str, tuple[Vulnerability, ...]]:
    try:
        return {
            name: tuple(map(Vulnerability.load, each))
            for name, each in documents.items()  # type: ignore[attr-defined] # checked just here
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RequirementsError(f"the question's vulnerabilities cannot be read: {error!r}") from None
