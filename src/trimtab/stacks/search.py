"""A search for stacks, opened as a question asks for it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from trimtab.engines.index import Index
from trimtab.stacks.errors import RequirementsError
from trimtab.stacks.evidence import Evidence
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
from trimtab.stacks.surveying import Survey, between, survey

__all__ = ["Search", "open_search", "plan_of", "survey_of"]

Loss = Callable[[Evidence], float | None]


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
    async with Oracle(project, target, cache, index=index, parallel=parallel) as oracle, Releases(oracle.index) as releases:
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


async def survey_of(search: Search) -> Survey:
    """The space that a question is about.

    Raises:
        StacksError: No stack satisfies the requirements, or an index does not answer.
    """
    question = search.question
    return await survey(
        search.oracle, search.releases, search.sieves, vary=question.vary, newest=question.newest
    )


async def plan_of(
    search: Search, found: Survey, *, ahead: int, searcher: Callable[[Space], tuple[Searcher, Loss]] | None = None
) -> Plan:
    """The plan of a question.

    Args:
        search: With the question.
        found: Its space.
        ahead: How many stacks are tried at the same time.
        searcher: Of a space makes what the plan `adaptive` searches with, and what it minimises.

    Raises:
        PlanError: It has nothing to do.
        IndexUnavailableError: An index does not answer.
    """
    question, space = search.question, found.space
    match question.plan:
        case PlanName.all:
            return All(space)
        case PlanName.random:
            return Random(space, question.seed)
        case PlanName.pairwise:
            return Pairwise(space, question.seed)
        case PlanName.floor:
            return Floor(space)
        case PlanName.newest:
            return Newest(space, found.first)
        case PlanName.around:
            return Around(space, question.pins)
        case PlanName.bisect:
            good, bad = question.good or {}, question.bad or {}
            versions = await between(search.releases, search.sieves, good, bad)
            return Bisect(good, bad, versions, question.vary)
        case PlanName.breakers:
            slower = None if question.slower is None else Slowness(question.metric, question.slower)
            return Breakers(space, question.seed, find=question.find, ahead=ahead, slower=slower)
        case PlanName.adaptive:
            assert searcher is not None, "the plan adaptive is given what it searches with"
            return Adaptive(space, *searcher(space))


def _vulnerabilities(documents: object) -> dict[str, tuple[Vulnerability, ...]]:
    try:
        return {
            name: tuple(map(Vulnerability.load, each))
            for name, each in documents.items()  # type: ignore[attr-defined] # checked just here
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RequirementsError(f"the question's vulnerabilities cannot be read: {error!r}") from None
