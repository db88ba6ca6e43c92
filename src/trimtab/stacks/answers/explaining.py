"""From stacks that failed alike to their causes: one, if one explains them all; else as few as possible."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log

from trimtab.stacks.answers.hypotheses import Hypothesis, consistent, weighed
from trimtab.stacks.answers.matrix import Literal, Matrix

__all__ = ["Explanation", "explain"]

_FLIP = 0.02
"""How often a stack may pass though it has the cause: some failures come and go."""
_NOISY = 2
_SEEDS = 20


@dataclass(frozen=True)
class Explanation:
    """What explains some failures.

    Attributes:
        failed: Set of the stacks that it explains.
        hypotheses: What may be the cause, likeliest first; several: the evidence does not tell them apart.
    """

    failed: int
    hypotheses: tuple[Hypothesis, ...]


def explain(matrix: Matrix, failed: int, passed: int) -> tuple[list[Explanation], int]:
    """Explain failures.

    Args:
        matrix: All stacks.
        failed: Set of those that failed alike.
        passed: Set of those that did not.

    Returns:
        Explanations, and the set of what they leave unexplained.
    """
    if hypotheses := consistent(matrix, failed, passed):
        return [Explanation(failed, hypotheses)], 0
    several, left = _cover(matrix, failed, passed)
    noisy = _with_exceptions(matrix, failed, passed)
    if noisy and (
        left or _score(noisy, matrix, passed) > sum(_score(each, matrix, passed) for each in several)
    ):
        return [noisy], 0
    return several, left


def _score(explanation: Explanation, matrix: Matrix, passed: int) -> float:
    """Its logarithmic likelihood with its prior; per package about that of one range of one package."""
    first = explanation.hypotheses[0]
    flips = (matrix.holding(first.literals) & passed).bit_count()
    columns = [matrix.columns[each.name] for each in first.literals]
    prior = sum(log(1 / (len(matrix.columns) * each.intervals)) for each in columns)
    return prior + flips * log(_FLIP)


def _cover(matrix: Matrix, failed: int, passed: int) -> tuple[list[Explanation], int]:
    """Several causes: each time the one that explains most of what is left."""
    found, left, hopeless = [], failed, 0
    while left & ~hopeless:
        explained = _largest(matrix, left & ~hopeless, passed)
        if explained is None:
            hopeless |= left & -left
            continue
        hypotheses = consistent(matrix, explained, passed)
        if not hypotheses:  # pragma: no cover - what was grown is consistent
            break
        found.append(Explanation(explained, hypotheses))
        left &= ~explained
        hopeless &= left
    return found, left


def _largest(matrix: Matrix, failed: int, passed: int) -> int | None:
    """The largest set of failures, grown from one of them, that a single cause explains."""
    best: int | None = None
    for row in list(matrix.rows(failed))[:_SEEDS]:
        for hypothesis in consistent(matrix, 1 << row, passed)[:_SEEDS]:
            grown = _grown(matrix, hypothesis.literals, failed, passed)
            if best is None or grown.bit_count() > best.bit_count():
                best = grown
    return best


def _grown(matrix: Matrix, literals: Sequence[Literal], failed: int, passed: int) -> int:
    """The failures within ranges that are widened as long as nothing that passed comes in."""
    wide = list(literals)
    for at, each in enumerate(wide):
        column = matrix.columns[each.name]
        for step in (-1, 1):
            for candidate in _steps(each, step, len(column.versions)):
                trial = [*wide[:at], candidate, *wide[at + 1 :]]
                if matrix.holding(trial) & passed:
                    break
                wide[at] = candidate
    return matrix.holding(wide) & failed


def _steps(literal: Literal, step: int, count: int) -> Iterator[Literal]:
    low, high = literal.low, literal.high
    while (low > 0) if step < 0 else (high + 1 < count):
        low, high = (low - 1, high) if step < 0 else (low, high + 1)
        yield Literal(literal.name, low, high)


def _with_exceptions(matrix: Matrix, failed: int, passed: int) -> Explanation | None:
    """One cause of at most two packages that has the fewest stacks that passed nevertheless."""
    if failed.bit_count() < _NOISY:
        return None
    tight = [each for column in matrix.columns.values() if (each := column.around(failed))]
    holding = {each: matrix.holding([each]) & passed for each in tight}
    groups = [(each,) for each in tight]
    best = min(groups, key=lambda group: holding[group[0]].bit_count(), default=None)
    if best is None:
        return None
    exceptions = holding[best[0]]
    pair = min(
        combinations(tight, 2), key=lambda two: (holding[two[0]] & holding[two[1]]).bit_count(), default=None
    )
    literals: tuple[Literal, ...] = best
    if pair and (both := holding[pair[0]] & holding[pair[1]]).bit_count() + 1 < exceptions.bit_count():
        literals, exceptions = tuple(sorted(pair)), both
    if exceptions.bit_count() >= failed.bit_count() or exceptions == passed:
        return None
    likelihood = _FLIP ** exceptions.bit_count()
    return Explanation(failed, weighed(matrix, [literals], failed, passed & ~exceptions, likelihood))
