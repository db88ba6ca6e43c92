"""A lock to use, with a reason for each version that is not the newest; nothing is run."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.version import Version

from trimtab.stacks.advice.lessons import Lessons, TriedSieve, lessons
from trimtab.stacks.advice.memory import Memory
from trimtab.stacks.answers.effects import importance
from trimtab.stacks.candidates import Candidates
from trimtab.stacks.errors import UnsatisfiableError
from trimtab.stacks.exclusion import Exclusion
from trimtab.stacks.oracle import Oracle
from trimtab.stacks.plans import Newest
from trimtab.stacks.proposal import Proposal, Verdict
from trimtab.stacks.release import Release
from trimtab.stacks.releases import Releases
from trimtab.stacks.sieves.rules import RulesSieve
from trimtab.stacks.sieves.sieve import Sieve
from trimtab.stacks.stack import Refusal, Stack
from trimtab.stacks.surveying import Survey, survey
from trimtab.stacks.together import together

__all__ = ["Advice", "Advised", "advise"]

_EXPLANATION = 400
_SHOWN = 8
_LEAST_CHANGE = 0.02


@dataclass(frozen=True)
class Advised:
    """A package of the lock.

    Attributes:
        name: Canonical.
        version: The one to use.
        newest: The newest that there is for the target.
        reasons: Why it is not the newest; none if it is.
        passed: Inspections of a stack with this version that went well.
        failed: Inspections with it that failed, whatever the cause.
        built: Builds in which this version went well.
        broke: Builds that it broke.
    """

    name: str
    version: str
    newest: str
    reasons: tuple[str, ...]
    passed: int
    failed: int
    built: int
    broke: int


@dataclass(frozen=True)
class Advice:
    """What to use, and what is known of it.

    Attributes:
        stack: The lock.
        packages: By name.
        known: What is known of this stack and its versions: a sentence each.
        unknown: What is not.
    """

    stack: Stack
    packages: tuple[Advised, ...]
    known: tuple[str, ...]
    unknown: tuple[str, ...]


async def advise(oracle: Oracle, releases: Releases, memory: Memory, sieves: Sequence[Sieve] = ()) -> Advice:
    """Find the newest stack that nothing which is remembered speaks against.

    As few packages as possible are held back, and those as little as possible.

    Args:
        oracle: Resolves.
        releases: Tells what there is.
        memory: What is remembered.
        sieves: What else is to be avoided.

    Raises:
        UnsatisfiableError: There is no such stack.
        PlanError: A package has no version left.
        IndexUnavailableError: An index does not answer.
    """
    learned = lessons(memory)
    used = [*sieves, RulesSieve(learned.rules, oracle.target, memory.base), TriedSieve(memory.evidence)]
    found = await _surveyed(oracle, releases, used, learned)
    candidates = Candidates(oracle, Newest(found.space, found.first), used)
    candidate = await candidates.ask()
    exclusions = [*found.space.exclusions, *candidates.tally.exclusions.values()]
    if candidate is None:
        lines = "\n".join(f"  {each}" for each in exclusions[:_SHOWN])
        raise UnsatisfiableError(
            f"{candidates.tally.explanation or 'No stack is left.'}\nWhat speaks against others:\n{lines}"
        )
    packages = await _packages(oracle, releases, memory, candidate.stack, used, exclusions)
    return Advice(
        candidate.stack,
        packages,
        tuple(_known(memory, candidate.stack, learned)),
        tuple(_unknown(memory, candidate.stack, packages, learned)),
    )


async def _surveyed(oracle: Oracle, releases: Releases, sieves: Sequence[Sieve], learned: Lessons) -> Survey:
    """The space: what is required, and what rules name together with others, which only other versions avoid."""
    direct = oracle.project.direct(oracle.target)
    together_ = {name for rule in learned.rules if len(rule.packages) > 1 for name in rule.packages}
    if not together_ - {*direct}:
        return await survey(oracle, releases, sieves)
    first = await oracle.first()
    more = sorted((together_ & first.pins.keys()) - {*direct})
    return await survey(oracle, releases, sieves, vary=(*direct, *more))


async def _packages(
    oracle: Oracle,
    releases: Releases,
    memory: Memory,
    stack: Stack,
    sieves: Sequence[Sieve],
    exclusions: Sequence[Exclusion],
) -> tuple[Advised, ...]:
    known = await together(releases.of(name) for name in stack.pins)
    by_name = dict(zip(stack.pins, known, strict=True))
    asked = [
        _reasons(oracle, name, version, _newer(oracle, by_name[name], version), sieves, exclusions)
        for name, version in stack.pins.items()
    ]
    reasons = await together(asked)
    tried = _tried(memory)
    found = []
    for (name, version), why in zip(stack.pins.items(), reasons, strict=True):
        newer = _newer(oracle, by_name[name], version)
        built, broke = memory.builds.get((name, version), (0, 0))
        passed, failed = tried.get((name, version), (0, 0))
        newest = str(newer[0].version) if newer else version
        found.append(Advised(name, version, newest, why, passed, failed, built, broke))
    return tuple(found)


def _newer(oracle: Oracle, releases: Sequence[Release], version: str) -> list[Release]:
    """Newer releases that could be installed, newest first; pre-releases as pip sees them."""
    here = Version(version)
    return [
        each
        for each in releases
        if each.version > here
        and (here.is_prerelease or not each.version.is_prerelease)
        and each.wheels(oracle.target)
    ]


async def _reasons(
    oracle: Oracle,
    name: str,
    version: str,
    newer: Sequence[Release],
    sieves: Sequence[Sieve],
    exclusions: Sequence[Exclusion],
) -> tuple[str, ...]:
    """Why not the newer ones: what keeps them out by themselves, then what does together with others."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    left: list[Release] = []
    bounds = oracle.project.specifier(name, oracle.target)
    for each in newer:
        reason = next((why for sieve in sieves if (why := sieve.release(each))), None)
        if reason is None and not bounds.contains(each.version, prereleases=True):
            reason = f"{oracle.project.origin} asks for {name}{bounds}"
        if reason is None:
            left.append(each)
        else:
            by_reason[reason].append(str(each.version))
    found = [f"{_versions(versions)}: {reason}" for reason, versions in by_reason.items()]
    if left:
        found.append(await _held(oracle, name, version, left, exclusions))
    return tuple(found)


async def _held(
    oracle: Oracle, name: str, version: str, newer: Sequence[Release], exclusions: Sequence[Exclusion]
) -> str:
    """Why a version is held back though nothing speaks against the newer ones alone."""
    versions = [str(each.version) for each in newer]
    for each in exclusions:
        if len(each.packages) > 1 and each.packages.get(name) in versions:
            return f"{each.packages[name]}: {each.reason}"
    answer = await oracle.ask(Proposal("why not", constraints={name: f"=={versions[0]}"}))
    if isinstance(answer, Refusal):
        return f"{versions[0]}: {' '.join(answer.explanation.split())[:_EXPLANATION]}"
    return f"{versions[0]}: it goes only with other versions of the rest than these; {version} is what the resolver takes with them"


def _versions(versions: Sequence[str]) -> str:
    if len(versions) <= 3:  # noqa: PLR2004 - more is no list to read
        return ", ".join(versions)
    return f"{versions[0]} to {versions[-1]}"


def _tried(memory: Memory) -> Mapping[tuple[str, str], tuple[int, int]]:
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for each in memory.evidence:
        if each.verdict is not Verdict.UNKNOWN:
            for pin in each.stack.pins.items():
                found[pin][each.verdict is Verdict.FAIL] += 1
    return {pin: (passed, failed) for pin, (passed, failed) in found.items()}


def _known(memory: Memory, stack: Stack, learned: Lessons) -> "list[str]":
    found = []
    same = [each for each in memory.evidence if each.stack.digest == stack.digest]
    passed = [each.inspection for each in same if each.verdict is Verdict.PASS and each.inspection]
    if passed:
        found.append(f"Just this stack passed {len(passed)} inspections: {', '.join(passed[:3])}.")
    if learned.rules:
        found.append(f"{len(learned.rules)} rules were learned from builds and inspections.")
    for context in memory.contexts:
        effects = importance(context.evidence, "duration")
        for each in effects.effects if effects else ():
            here = stack.pins.get(each.package) in each.versions.versions
            if here and each.ratio and min(abs(each.low), abs(each.high)) > _LEAST_CHANGE:
                where = f" of {context.identifier}" if context.identifier else ""
                found.append(
                    f"In {effects.stacks if effects else 0} stacks{where}, {each.package}{each.versions.specifier} changed the "
                    f"duration by {each.change:+.0%} ({each.low:+.0%} to {each.high:+.0%})."
                )
    return found


def _unknown(memory: Memory, stack: Stack, packages: Sequence[Advised], learned: Lessons) -> "list[str]":
    found = []
    where = f" on {memory.base}" if memory.base else ""
    if not any(
        each.stack.digest == stack.digest and each.verdict is Verdict.PASS for each in memory.evidence
    ):
        found.append(f"Whether this stack works: no inspection of just these versions passed{where}.")
    unseen = [f"{each.name} {each.version}" for each in packages if not each.passed + each.built]
    if unseen:
        more = f" and {len(unseen) - _SHOWN} more" if len(unseen) > _SHOWN else ""
        found.append(
            f"Whether {len(unseen)} of {len(packages)} versions work at all: none was seen to{where}: "
            f"{', '.join(unseen[:_SHOWN])}{more}."
        )
    found += [
        f"What broke some stacks: {each.text}."
        for each in learned.suspicions
        if each.packages & stack.pins.keys()
    ]
    return found
