"""Which versions break stacks: the smallest sets that explain the failures."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trimtab.stacks.answers.explaining import Explanation, explain
from trimtab.stacks.answers.hypotheses import Hypothesis
from trimtab.stacks.answers.matrix import Literal, Matrix
from trimtab.stacks.answers.signature import Signature, signature
from trimtab.stacks.answers.telling import telling
from trimtab.stacks.evidence import Evidence, Failure
from trimtab.stacks.proposal import Proposal, Verdict

__all__ = ["SURE", "Breaker", "Breakers", "Cause", "Range", "breakers", "causes_of"]

SURE = 0.95
"""Probability from which on a cause is named."""
SHOWN = 20
_UNKNOWN = Failure("unknown", "run", "it failed, and nobody noted why")


@dataclass(frozen=True)
class Range:
    """Versions of a package, from one to another.

    Attributes:
        versions: Those of them that were tried, oldest first.
    """

    versions: tuple[str, ...]

    @property
    def specifier(self) -> str:
        """As PEP 440 has it. Versions between that nobody tried are within."""
        first, last = self.versions[0], self.versions[-1]
        return f"=={first}" if first == last else f">={first},<={last}"


@dataclass(frozen=True)
class Cause:
    """What may be the cause of failures: all of these packages within their ranges.

    Attributes:
        versions: Range by name.
        failed: What it explains.
        exceptions: Stacks that have the cause, and passed: such a failure comes and goes.
        confidence: Probability that just these packages are the cause, given the evidence.
    """

    versions: Mapping[str, Range]
    failed: tuple[Evidence, ...]
    exceptions: tuple[Evidence, ...]
    confidence: float

    def __str__(self) -> str:
        return " with ".join(f"{name}{each.specifier}" for name, each in self.versions.items())


@dataclass(frozen=True)
class Breaker:
    """Why stacks fail alike.

    Attributes:
        failure: Of one of them, with the line of the log.
        causes: What may be the cause, likeliest first, at most twenty; several: the evidence does not tell them apart.
        left: How many causes of that size are left.
        next: The stack that would tell more; None where the cause is sure.
    """

    failure: Failure
    causes: tuple[Cause, ...]
    left: int
    next: Proposal | None

    @property
    def sure(self) -> bool:
        """Whether the first cause is likely enough to be named."""
        return self.causes[0].confidence >= SURE


@dataclass(frozen=True)
class Breakers:
    """Why stacks fail.

    Attributes:
        found: What explains failures, that of the most failures first.
        unexplained: Stacks that failed, and no set of up to three versions tells them from those that passed.
        intermittent: Stacks that failed and passed.
        passed: How many stacks passed.
        failed: How many failed.
        unknown: How many could not be tried.
    """

    found: tuple[Breaker, ...]
    unexplained: tuple[Evidence, ...]
    intermittent: tuple[Evidence, ...]
    passed: int
    failed: int
    unknown: int


def breakers(evidence: Sequence[Evidence]) -> Breakers:
    """Find the smallest sets of versions that explain the failures, for each kind of failure by itself.

    Failures are of one kind if phase, reason and message are alike. For each, stacks that failed in another way say nothing.

    Args:
        evidence: What was tried; of several of one stack, all count.
    """
    tried = _merged(evidence)
    groups: dict[Signature, list[Evidence]] = defaultdict(list)
    for each in tried.failed:
        groups[signature(each.failure or _UNKNOWN)].append(each)
    found: list[Breaker] = []
    unexplained: list[Evidence] = []
    for alike in groups.values():
        more, left = causes_of(alike, tried.passed)
        found += more
        unexplained += left
    found.sort(key=lambda each: -len(each.causes[0].failed))
    return Breakers(
        tuple(found),
        tuple(unexplained),
        tuple(tried.both),
        len(tried.passed),
        len(tried.failed),
        tried.unknown,
    )


def causes_of(failed: Sequence[Evidence], passed: Sequence[Evidence]) -> tuple[list[Breaker], list[Evidence]]:
    """Explain what sets some stacks apart from others.

    Args:
        failed: Those to explain.
        passed: The others.

    Returns:
        What explains them, and what nothing explains; where all are to be explained, nothing does.
    """
    if not passed:
        return [], list(failed)
    every = [*failed, *passed]
    matrix = Matrix([each.stack.pins for each in every])
    bad = (1 << len(failed)) - 1
    good = ((1 << len(every)) - 1) ^ bad
    explanations, left = explain(matrix, bad, good)
    found = [_breaker(each, matrix, every, good) for each in explanations]
    return found, [every[row] for row in matrix.rows(left)]


def _breaker(explanation: Explanation, matrix: Matrix, every: Sequence[Evidence], good: int) -> Breaker:
    first = every[next(matrix.rows(explanation.failed))]
    hypotheses = explanation.hypotheses
    causes = tuple(_cause(each, explanation, matrix, every, good) for each in hypotheses[:SHOWN])
    sure = causes[0].confidence >= SURE
    asked = None if sure else telling(matrix, hypotheses, explanation.failed, good)
    return Breaker(first.failure or _UNKNOWN, causes, len(hypotheses), asked)


def _cause(
    hypothesis: Hypothesis, explanation: Explanation, matrix: Matrix, every: Sequence[Evidence], good: int
) -> Cause:
    inside = matrix.holding(hypothesis.literals)
    return Cause(
        {each.name: _range(each, matrix) for each in hypothesis.literals},
        tuple(every[row] for row in matrix.rows(explanation.failed)),
        tuple(every[row] for row in matrix.rows(inside & good)),
        hypothesis.probability,
    )


def _range(literal: Literal, matrix: Matrix) -> Range:
    return Range(matrix.columns[literal.name].versions[literal.low : literal.high + 1])


@dataclass(frozen=True)
class _Tried:
    failed: list[Evidence]
    passed: list[Evidence]
    both: list[Evidence]
    unknown: int


def _merged(evidence: Sequence[Evidence]) -> _Tried:
    """One for each stack: what failed once has failed, whatever else it did."""
    by_stack: dict[str, dict[Verdict, Evidence]] = defaultdict(dict)
    for each in evidence:
        by_stack[each.stack.digest].setdefault(each.verdict, each)
    failed = [each[Verdict.FAIL] for each in by_stack.values() if Verdict.FAIL in each]
    return _Tried(
        failed,
        [
            each[Verdict.PASS]
            for each in by_stack.values()
            if Verdict.PASS in each and Verdict.FAIL not in each
        ],
        [each[Verdict.FAIL] for each in by_stack.values() if {Verdict.FAIL, Verdict.PASS} <= each.keys()],
        sum(each.keys() == {Verdict.UNKNOWN} for each in by_stack.values()),
    )
