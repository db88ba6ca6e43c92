"""What to avoid, by what is remembered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet

from trimtab.stacks.advice.memory import Context, Memory
from trimtab.stacks.answers.breakage import Breaker, Cause, breakers
from trimtab.stacks.evidence import Evidence
from trimtab.stacks.exclusion import Exclusion
from trimtab.stacks.proposal import Verdict
from trimtab.stacks.release import Release
from trimtab.stacks.sieves.rules import Rule
from trimtab.stacks.stack import Stack

__all__ = ["Lessons", "Suspicion", "TriedSieve", "lessons"]

_NAMED = 3
_LIKELY = 0.5


@dataclass(frozen=True)
class Suspicion:
    """What may break stacks.

    Attributes:
        packages: That it may be.
        text: Why, in a sentence.
    """

    packages: frozenset[str]
    text: str


@dataclass(frozen=True)
class Lessons:
    """What is to be avoided, and what may be.

    Attributes:
        rules: By builds, and by inspections whose cause is known or likely.
        suspicions: Failures whose cause is not known well enough to avoid anything.
    """

    rules: tuple[Rule, ...]
    suspicions: tuple[Suspicion, ...]


def lessons(memory: Memory) -> Lessons:
    """Learn from what is remembered."""
    rules = list(memory.rules)
    suspicions = []
    for context in memory.contexts:
        for breaker in breakers(context.evidence).found:
            first = breaker.causes[0]
            if first.confidence >= _LIKELY:
                rules.append(_rule(breaker, first, context))
            else:
                suspicions.append(_suspicion(breaker))
    return Lessons(tuple(rules), tuple(suspicions))


class TriedSieve:
    """Keeps out stacks that were tried, and failed.

    Args:
        evidence: What was tried.
    """

    name = "tried"

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        passed = {each.stack.digest for each in evidence if each.verdict is Verdict.PASS}
        self._failed: Mapping[str, Evidence] = {
            each.stack.digest: each
            for each in evidence
            if each.verdict is Verdict.FAIL and each.stack.digest not in passed
        }

    def release(self, release: Release) -> str | None:
        """Nothing by itself."""
        del release
        return None

    async def stack(self, stack: Stack) -> Exclusion | None:
        """The inspection that it failed in."""
        found = self._failed.get(stack.digest)
        if found is None:
            return None
        why = found.failure.message if found.failure else "it failed"
        return Exclusion(self.name, dict(stack.pins), f"just this stack failed in {found.inspection}: {why}")


def _rule(breaker: Breaker, cause: Cause, context: Context) -> Rule:
    ids = [each.inspection for each in cause.failed if each.inspection]
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    sure = "" if breaker.sure else f", likely ({cause.confidence:.0%}) the cause"
    where = f" of {context.identifier}" if context.identifier else ""
    reason = (
        f"{cause} failed in {len(cause.failed)} inspections{where}{sure}: {breaker.failure.message} "
        f"({', '.join(ids[:_NAMED])}{more})"
    )
    name = "inspections " + ",".join(cause.versions)
    return Rule(name, {each: SpecifierSet(span.specifier) for each, span in cause.versions.items()}, reason)


def _suspicion(breaker: Breaker) -> Suspicion:
    named = "; ".join(_causes(breaker))
    count = len(breaker.causes[0].failed)
    return Suspicion(
        frozenset(name for each in breaker.causes for name in each.versions),
        f"{count} inspections failed ({breaker.failure.message}), and it may be {named}",
    )


def _causes(breaker: Breaker) -> Iterator[str]:
    for each in breaker.causes[:_NAMED]:
        yield f"{each} ({each.confidence:.0%})"
    if breaker.left > _NAMED:
        yield f"or {breaker.left - _NAMED} others"
