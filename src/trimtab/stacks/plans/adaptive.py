"""Versions searched for what is best."""

from collections.abc import Callable, Mapping
from typing import Protocol

from trimtab.stacks.evidence import Evidence
from trimtab.stacks.proposal import Proposal, Verdict
from trimtab.stacks.space import Combination, Space
from trimtab.stacks.stack import Stack

__all__ = ["Adaptive", "Searcher"]

TRIES = 20
"""Suggestions in a row that were tried before, after which there is no new one."""


class Searcher(Protocol):
    """A way to search, made by whoever has one: a strategy of the optimizer over the versions of a space."""

    def suggest(self, number: int) -> Combination:
        """What to try next.

        Args:
            number: Of the suggestion, from 0; it seeds what is random.
        """
        ...

    def observe(self, combination: Combination, loss: float | None) -> None:
        """Take note of what came of it.

        Args:
            combination: What was tried.
            loss: To be minimised; None: it broke, or there is no such stack.
        """
        ...


class Adaptive:
    """Tries first the newest stack, then what a searcher suggests, one after the other.

    Where there is no stack with all versions that are suggested, they become upper bounds. The searcher is told of the
    versions that were really tried.

    Args:
        space: The choices.
        searcher: What suggests.
        loss: What is to be minimised, of a stack that passed; None: it was not measured.
    """

    window = 1
    over = False

    def __init__(self, space: Space, searcher: Searcher, loss: Callable[[Evidence], float | None]) -> None:
        space.several(1, "adaptive")
        self._space, self._searcher, self._loss = space, searcher, loss
        self._versions = {each.name: frozenset(each.versions) for each in space}
        self._tried: set[frozenset[tuple[str, str]]] = set()
        self._told: set[str] = set()
        self._number = 0
        self._open: Combination | None = None
        self._awaited: str | None = None

    def propose(self) -> Proposal | None:
        """The newest, then what is suggested; None while a verdict is awaited, or when all that is suggested was tried."""
        if self._awaited is not None:
            return None
        if self._number == 0:
            self._number = 1
            return Proposal("the newest", self._space.excluded, self._space.held)
        for _ in range(TRIES):
            combination = self._searcher.suggest(self._number - 1)
            self._number += 1
            if frozenset(combination.items()) not in self._tried:
                self._open = combination
                return self._proposal(combination)
        return None

    def resolved(self, proposal: Proposal, stack: Stack | None) -> None:
        """A combination without a stack is told as broken."""
        del proposal  # there is one at a time
        combination, self._open = self._open, None
        if combination is not None:
            self._tried.add(frozenset(combination.items()))
        if stack is None and combination is not None:
            self._searcher.observe(combination, None)
        elif stack is not None and stack.digest not in self._told:
            self._awaited = stack.digest

    def tell(self, evidence: Evidence) -> None:
        """Tell the searcher, unless nothing is known."""
        if evidence.stack.digest == self._awaited:
            self._awaited = None
        if evidence.stack.digest in self._told:
            return
        self._told.add(evidence.stack.digest)
        found = self._combination(evidence.stack.pins)
        if found is not None:
            self._tried.add(frozenset(found.items()))
        if found is None or evidence.verdict is Verdict.UNKNOWN:
            return
        loss = self._loss(evidence) if evidence.verdict is Verdict.PASS else None
        self._searcher.observe(found, loss)

    def _combination(self, pins: Mapping[str, str]) -> Combination | None:
        found = {name: pins.get(name, "") for name in self._space.names}
        return found if all(version in self._versions[name] for name, version in found.items()) else None

    def _proposal(self, combination: Combination) -> Proposal:
        bounds = self._space.constraints(combination, "<=")
        loose = Proposal("suggested, as upper bounds", bounds, self._space.held)
        return Proposal("suggested", self._space.constraints(combination), self._space.held, otherwise=loose)
