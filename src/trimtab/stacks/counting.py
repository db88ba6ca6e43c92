"""How many stacks there are, and how sure that is."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from trimtab.stacks.errors import PlanError
from trimtab.stacks.oracle import Oracle
from trimtab.stacks.plans import All, Random
from trimtab.stacks.proposal import Proposal
from trimtab.stacks.settling import settle
from trimtab.stacks.sieves.sieve import Sieve
from trimtab.stacks.space import Space

__all__ = ["CONFIDENCE", "Count", "count"]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Count:
    """How many combinations of versions are valid.

    Attributes:
        combinations: How many there are.
        tried: How many of them were resolved.
        valid: How many of these have a stack.
        low: At least so many are valid.
        high: At most so many.
    """

    combinations: int
    tried: int
    valid: int
    low: int
    high: int

    @property
    def exact(self) -> bool:
        """Whether all were resolved; else the bounds hold with 95 % confidence."""
        return self.tried == self.combinations

    @property
    def estimate(self) -> int:
        """The best guess."""
        return self.combinations * self.valid // self.tried


async def count(
    oracle: Oracle,
    space: Space,
    sieves: Sequence[Sieve] = (),
    *,
    samples: int = 200,
    seed: int = 0,
    tried: Callable[[int, int], None] | None = None,
) -> Count:
    """Count the valid combinations: exactly if there are no more of them than samples, else from a uniform sample.

    The bounds of an estimate are those of Clopper and Pearson (1934) for a binomial share: they hold with at least 95 %
    confidence. They say nothing of stacks that differ only in packages that do not vary: each valid combination is one.

    Args:
        oracle: Resolves.
        space: What is counted.
        sieves: What does not count.
        samples: How many combinations are resolved.
        seed: Of the sample.
        tried: Is told how many were resolved, and of how many.

    Raises:
        PlanError: No sample is to be drawn.
        IndexUnavailableError: An index does not answer.
    """
    if samples < 1:
        raise PlanError("an estimate needs a sample of at least 1")
    total = min(samples, space.size)
    plan = All(space) if space.size <= samples else Random(space, seed, repair=False)
    done = valid = 0
    async for found in _resolved(oracle, sieves, plan, total):
        done, valid = done + 1, valid + found
        if tried:
            tried(done, total)
    if total == space.size:
        return Count(space.size, total, valid, valid, valid)
    low, high = _bounds(valid, total)
    return Count(
        space.size,
        total,
        valid,
        max(valid, int(Fraction(low) * space.size)),
        _ceiling(high, space.size, total - valid),
    )


async def _resolved(
    oracle: Oracle, sieves: Sequence[Sieve], plan: All | Random, total: int
) -> AsyncIterator[bool]:
    async def one(proposal: Proposal | None) -> bool:
        assert proposal is not None, "no more are asked for than there are"
        return (await settle(oracle, sieves, proposal)).stack is not None

    tasks = [oracle.start(one(plan.propose())) for _ in range(total)]
    for task in asyncio.as_completed(tasks):
        yield await task


def _bounds(valid: int, total: int) -> tuple[float, float]:
    from scipy.stats import beta

    tail = (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, valid, total - valid + 1)) if valid else 0.0
    high = float(beta.ppf(1 - tail, valid + 1, total - valid)) if valid < total else 1.0
    return low, high


def _ceiling(share: float, size: int, refused: int) -> int:
    """At most the share, and never what is known to be invalid; in integers, for a space may be beyond a float's."""
    return min(size - refused, int(Fraction(share) * size) + 1)
