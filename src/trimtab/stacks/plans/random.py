"""Combinations drawn at random."""

import random

from trimtab.stacks.plans.plain import Plain
from trimtab.stacks.proposal import Proposal
from trimtab.stacks.space import Combination, Space

__all__ = ["Random"]


class Random(Plain):
    """Combinations drawn uniformly, none twice.

    One that has no stack is relaxed: of half of its packages, chosen at random, the version becomes an upper bound, then of
    half of the rest, and so on. So most draws give a stack even where few combinations are valid; the stacks are then no
    longer a uniform sample, for which `repair=False` is there.

    Args:
        space: The choices.
        seed: Of what is drawn.
        repair: Whether combinations without a stack are relaxed.
    """

    def __init__(self, space: Space, seed: int, *, repair: bool = True) -> None:
        self._space = space
        self._random = random.Random(seed)  # noqa: S311 - it has to be repeatable
        self._drawn: set[int] = set()
        self._repair = repair

    def propose(self) -> Proposal | None:
        """The next combination that was not drawn."""
        if len(self._drawn) >= self._space.size:
            return None
        index = self._fresh()
        self._drawn.add(index)
        combination = self._space.at(index)
        order = self._random.sample(self._space.names, len(self._space.names))
        relaxed = self._relaxed(combination, order) if self._repair else None
        return Proposal("drawn", self._space.constraints(combination), self._space.held, otherwise=relaxed)

    def _fresh(self) -> int:
        size = self._space.size
        index = self._random.randrange(size)
        # Where most were drawn, walking on finds one at once; that it is no longer quite uniform does not matter then.
        while index in self._drawn:
            index = (index + 1) % size if len(self._drawn) * 2 > size else self._random.randrange(size)
        return index

    def _relaxed(self, combination: Combination, order: list[str]) -> Proposal | None:
        """The chain of relaxations, in which ever fewer packages are pinned."""
        halves = []
        pinned = len(order)
        while pinned:
            pinned //= 2
            halves.append(pinned)
        found = None
        for pinned in reversed(halves):
            bounds = {
                name: f"{'==' if name in order[:pinned] else '<='}{version}"
                for name, version in combination.items()
            }
            reason = f"drawn, with {pinned} of {len(order)} packages pinned"
            found = Proposal(reason, {**self._space.excluded, **bounds}, self._space.held, otherwise=found)
        return found
