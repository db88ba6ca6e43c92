"""Which ranges of versions explain that some stacks failed and others did not.

A hypothesis is a conjunction: all its packages within their ranges, and the stack fails. Those that the evidence leaves are
found as hitting sets: each stack that passed has to be outside of at least one range, and a range is the least one that has
all stacks that failed.

How likely one is, is Bayes' rule over hypotheses of up to three packages, and over the one that versions do not matter (then the
chance to fail is the same for all, whatever it is). A hypothesis that contradicts no stack has the likelihood 1; its weight is its
prior: packages are as likely one as another, and so are the ranges of a package. Fewer packages are likelier than more (`_PRIOR`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, prod

from trimtab.stacks.answers.matrix import Literal, Matrix

__all__ = ["MOST", "Hypothesis", "consistent", "weighed"]

MOST = 3
"""Packages of a hypothesis."""
_PRIOR = {1: 0.6, 2: 0.3, 3: 0.05}
_CHANCE = 0.05
_LIMIT = 2000
"""Hypotheses of a size that are looked at."""
_PAIRS, _TRIPLES = 400, 30
"""Packages of which all pairs, all threes are looked at; of more, only those that add one to a hypothesis that is left."""


@dataclass(frozen=True)
class Hypothesis:
    """What may be the cause.

    Attributes:
        literals: Ranges of packages, which have to meet.
        probability: That just these packages are the cause.
    """

    literals: tuple[Literal, ...]
    probability: float = 0.0

    @property
    def names(self) -> frozenset[str]:
        """Of its packages."""
        return frozenset(each.name for each in self.literals)


def consistent(matrix: Matrix, failed: int, passed: int) -> tuple[Hypothesis, ...]:
    """The hypotheses of as few packages as possible that hold for all stacks that failed, and for none that passed.

    Args:
        matrix: All stacks.
        failed: Set of those that failed; not empty.
        passed: Set of those that passed.

    Returns:
        None if there are none of `MOST` packages; the likeliest first.
    """
    tight = _tight(matrix, failed)
    outside = [passed & ~matrix.holding([each]) for each in tight]
    for size in range(1, MOST + 1):
        found = [tuple(tight[at] for at in each) for each in _hitting(outside, passed, size)]
        if found:
            return weighed(matrix, found, failed, passed)
    return ()


def weighed(
    matrix: Matrix, found: Sequence[tuple[Literal, ...]], failed: int, passed: int, likelihood: float = 1.0
) -> tuple[Hypothesis, ...]:
    """Hypotheses of one size with their probabilities, the likeliest first.

    Args:
        matrix: All stacks.
        found: What is left of a size.
        failed: Set of those that failed.
        passed: Set of those that passed.
        likelihood: Of what contradicts them.
    """
    tight = _tight(matrix, failed)
    larger = _larger(matrix, tight, found, passed)
    weights = [_weight(matrix, each, passed) for each in found]
    chance = _CHANCE / ((_count(failed | passed) + 1) * comb(_count(failed | passed), _count(failed)))
    total = sum(weights) + sum(_weight(matrix, each, passed) for each in larger) + chance / likelihood
    hypotheses = [Hypothesis(each, weight / total) for each, weight in zip(found, weights, strict=True)]
    return tuple(sorted(hypotheses, key=lambda each: (-each.probability, each.literals)))


def _count(stacks: int) -> int:
    return stacks.bit_count()


def _tight(matrix: Matrix, failed: int) -> list[Literal]:
    """For each package the least range that has all that failed."""
    found = (column.around(failed) for column in matrix.columns.values())
    return [each for each in found if each]


def _hitting(outside: Sequence[int], passed: int, size: int) -> Iterator[tuple[int, ...]]:
    """Sets of places so that each stack that passed is outside at one of them; at most `_LIMIT`."""
    useful = [at for at, each in enumerate(outside) if each] or list(range(len(outside)))
    seen: set[tuple[int, ...]] = set()
    for each in _branches(outside, passed, size, useful):
        if each not in seen:
            seen.add(each)
            yield each
        if len(seen) >= _LIMIT:
            return


def _branches(
    outside: Sequence[int], left: int, size: int, useful: Sequence[int]
) -> Iterator[tuple[int, ...]]:
    """Whatever explains the stack with the fewest explanations, is in one of the sets: that keeps the branches few."""
    if size == 1:
        yield from ((at,) for at in useful if not left & ~outside[at])
        return
    if not left:
        return
    hardest = _hardest(outside, left, useful)
    for at in useful:
        if outside[at] & hardest:
            for rest in _branches(outside, left & ~outside[at], size - 1, useful):
                if at not in rest:
                    yield tuple(sorted((at, *rest)))


def _hardest(outside: Sequence[int], left: int, useful: Sequence[int]) -> int:
    best, fewest = 0, len(useful) + 1
    while left and fewest > 1:
        lowest = left & -left
        left ^= lowest
        count = sum(1 for at in useful if outside[at] & lowest)
        if count < fewest:
            best, fewest = lowest, count
    return best


def _larger(
    matrix: Matrix, tight: Sequence[Literal], found: Sequence[tuple[Literal, ...]], passed: int
) -> list[tuple[Literal, ...]]:
    """Hypotheses of one package more that are left, too."""
    size = len(found[0]) + 1
    if size > MOST:
        return []
    if len(tight) > (_PAIRS if size < MOST else _TRIPLES):
        groups = [(*each, more) for each in found for more in tight if more not in each]
    else:
        groups = list(combinations(tight, size))
    holding = {each: matrix.holding([each]) & passed for each in tight}
    every = (1 << len(matrix.pins)) - 1
    left: dict[tuple[Literal, ...], None] = {}
    for group in groups:
        inside = every
        for each in group:
            inside &= holding[each]
        if not inside:
            left[tuple(sorted(group))] = None
    return list(left)


def _weight(matrix: Matrix, literals: tuple[Literal, ...], passed: int) -> float:
    """Its prior: of the size, of these packages among all, of the ranges that say the same of the evidence among all."""
    packages = max(len(matrix.columns), len(literals))
    shares = (_share(matrix, each, literals, passed) for each in literals)
    return _PRIOR[len(literals)] / comb(packages, len(literals)) * prod(shares)


def _share(matrix: Matrix, literal: Literal, literals: tuple[Literal, ...], passed: int) -> float:
    """The share of the ranges of a package that have this one in them and, the others as they are, nothing that passed.

    The range that all stacks are in is none: with it, the package would not be one of the hypothesis.
    """
    rest = matrix.holding(each for each in literals if each != literal) & passed
    column = matrix.columns[literal.name]
    low, high, last = literal.low, literal.high, len(column.versions) - 1
    while low > 0 and not column.having[low - 1] & rest:
        low -= 1
    while high < last and not column.having[high + 1] & rest:
        high += 1
    everywhere = column.within(0, last) == (1 << len(matrix.pins)) - 1
    count = (literal.low - low + 1) * (high - literal.high + 1)
    return (count - (everywhere and (low, high) == (0, last))) / (column.intervals - everywhere)
