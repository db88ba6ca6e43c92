"""Every pair of versions at least once."""

import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import combinations

from trimtab.stacks.errors import PlanError
from trimtab.stacks.plans.plain import Plain
from trimtab.stacks.proposal import Proposal
from trimtab.stacks.space import Space
from trimtab.stacks.stack import Stack

__all__ = ["Pairwise"]

PAIRS_LIMIT = 200_000
Pin = tuple[str, str]
Pair = tuple[Pin, Pin]


class Pairwise(Plain):
    """Few stacks in which each two versions of two packages meet at least once, if they can.

    Most faults need one version or two; so a fault that two versions make is among these stacks, which are far fewer than all
    combinations. Each is built around a pair that no stack had yet, the other packages at versions that bring most new pairs
    (greedily, as AETG: Cohen, Dalal, Fredman, Patton 1997). Where the resolver refuses, it is asked for the pair alone; if it
    refuses that, too, the pair cannot be.

    Args:
        space: The choices.
        seed: Of the order of pairs, and of choices between equals.

    Raises:
        PlanError: There are fewer than two packages with a choice, or more than 200 000 pairs.
    """

    window = 8

    def __init__(self, space: Space, seed: int) -> None:
        space.several(2, "pairwise")
        self._space = space
        self._random = random.Random(seed)  # noqa: S311 - it has to be repeatable
        counts = [len(each.versions) for each in space]
        total = sum(a * b for a, b in combinations(counts, 2))
        if total > PAIRS_LIMIT:
            raise PlanError(
                f"there are {total} pairs of versions, more than {PAIRS_LIMIT}; take only the newest versions of each "
                "package, vary fewer packages, or draw at random"
            )
        pairs = list(_all_pairs(space))
        self._random.shuffle(pairs)
        # A dictionary keeps an order, by which the next pair is taken, and is fast to take from.
        self._open: dict[Pair, None] = dict.fromkeys(pairs)
        self._rank = {name: number for number, name in enumerate(space.names)}
        self._awaited: deque[tuple[Pair, list[Pair]]] = deque()
        self.total = total
        """How many pairs there are."""
        self.covered: set[Pair] = set()
        """Pairs that a stack has."""
        self.impossible: set[Pair] = set()
        """Pairs that no stack has: the resolver refuses them, or the sieves leave none."""

    def propose(self) -> Proposal | None:
        """A stack around the next pair that none had."""
        pair = next(iter(self._open), None)
        if pair is None:
            return None
        combination = self._filled(pair)
        brought = [each for each in _pairs(combination, self._rank) if each in self._open]
        for each in brought:
            del self._open[each]
        self._awaited.append((pair, brought))
        return self._proposal(pair, combination)

    def resolved(self, proposal: Proposal, stack: Stack | None) -> None:
        """Strike the pairs that the stack has; those that were hoped for and did not come wait on."""
        del proposal  # they come back in their order
        pair, brought = self._awaited.popleft()
        had = self._had(stack)
        self.covered |= had
        for each in had:
            self._open.pop(each, None)
        self.impossible -= had
        if pair not in had:
            self.impossible.add(pair)
        for each in brought:
            if each not in self.covered and each not in self.impossible:
                self._open[each] = None

    def _had(self, stack: Stack | None) -> set[Pair]:
        if stack is None:
            return set()
        known = {each.name: each.versions for each in self._space}
        pins = {name: stack.pins.get(name, "") for name in self._space.names}
        inside = {name: version for name, version in pins.items() if version in known[name]}
        return set(_pairs(inside, self._rank))

    def _filled(self, pair: Pair) -> dict[str, str]:
        """The pair, and of each other package the version that brings most new pairs with what is chosen."""
        chosen = dict(pair)
        rest = [each for each in self._space if each.name not in chosen]
        self._random.shuffle(rest)
        for variable in rest:
            offset = self._random.randrange(len(variable.versions))
            turned = variable.versions[offset:] + variable.versions[:offset]
            chosen[variable.name] = max(turned, key=partial(self._new_pairs, chosen, variable.name))
        return chosen

    def _new_pairs(self, chosen: Mapping[str, str], name: str, version: str) -> int:
        return sum(_pair((name, version), pin, self._rank) in self._open for pin in chosen.items())

    def _proposal(self, pair: Pair, combination: Mapping[str, str]) -> Proposal:
        names = " with ".join(f"{name} {version}" for name, version in pair)
        alone = Proposal(f"{names} alone", self._space.constraints(dict(pair)), self._space.held)
        bounds = {name: f"<={version}" for name, version in combination.items()}
        bounded = Proposal(
            names,
            {**self._space.excluded, **bounds, **{name: f"=={version}" for name, version in pair}},
            self._space.held,
            otherwise=alone,
        )
        return Proposal(names, self._space.constraints(combination), self._space.held, otherwise=bounded)


def _all_pairs(space: Space) -> Iterator[Pair]:
    for one, other in combinations(space, 2):
        for version in one.versions:
            yield from (((one.name, version), (other.name, with_it)) for with_it in other.versions)


def _pairs(pins: Mapping[str, str], rank: Mapping[str, int]) -> Iterable[Pair]:
    return (_pair(one, other, rank) for one, other in combinations(pins.items(), 2))


def _pair(one: Pin, other: Pin, rank: Mapping[str, int]) -> Pair:
    return (one, other) if rank[one[0]] < rank[other[0]] else (other, one)
