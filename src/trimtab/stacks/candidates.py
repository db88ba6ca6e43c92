"""Candidates: valid stacks, one after the other, as a plan asks for them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from trimtab.stacks.evidence import Evidence
from trimtab.stacks.exclusion import Exclusion
from trimtab.stacks.oracle import Oracle
from trimtab.stacks.proposal import Plan, Proposal
from trimtab.stacks.settling import Settled, settle
from trimtab.stacks.sieves.sieve import Sieve
from trimtab.stacks.stack import Stack

__all__ = ["Candidate", "Candidates", "Memory", "Tally"]

_EXCLUSIONS = 1000


@dataclass(frozen=True)
class Candidate:
    """A stack to be tried.

    Attributes:
        number: From 1, in the order of the plan.
        stack: The stack.
        reason: What it is for.
    """

    number: int
    stack: Stack
    reason: str


@dataclass
class Tally:
    """What became of proposals: `proposed` is the sum of the four that follow.

    Attributes:
        proposed: How many there were.
        found: Candidates.
        unsatisfiable: Nothing satisfies them.
        excluded: The sieves left none.
        duplicates: They gave a stack that was there already.
        exclusions: What the sieves kept out, the first thousand.
        explanation: Of the last that nothing satisfies, uv's.
    """

    proposed: int = 0
    found: int = 0
    unsatisfiable: int = 0
    excluded: int = 0
    duplicates: int = 0
    exclusions: dict[tuple[str, tuple[tuple[str, str], ...]], Exclusion] = field(default_factory=dict)
    explanation: str | None = None

    def note(self, exclusions: Sequence[Exclusion]) -> None:
        """Keep exclusions, each once."""
        for each in exclusions:
            if len(self.exclusions) < _EXCLUSIONS:
                self.exclusions.setdefault((each.sieve, tuple(each.packages.items())), each)


class Memory(Protocol):
    """Keeps what came of proposals, so that a search which was broken off goes the same way again, whatever the index says by then."""

    def settled(self, number: int) -> Settled | None:
        """What came of a proposal, by its number from 1; None: it is not known."""
        ...

    async def note(self, number: int, settled: Settled) -> None:
        """Keep what came of a proposal, unless it is kept."""
        ...


class Candidates:
    """Asks for what a plan proposes, and hands on what is new, valid and left by the sieves.

    The order is that of the plan, whatever uv answers first: the same plan, seed and index give the same candidates.

    Args:
        oracle: Resolves.
        plan: What to ask for.
        sieves: What is not tried.
        patience: Proposals in a row that bring no candidate, after which it ends.
        memory: What came of proposals in an earlier life of the same search, which are not asked for again.
    """

    def __init__(
        self,
        oracle: Oracle,
        plan: Plan,
        sieves: Sequence[Sieve] = (),
        *,
        patience: int = 1000,
        memory: "Memory | None" = None,
    ) -> None:
        self.tally = Tally()
        self.plan = plan
        self._oracle = oracle
        self._sieves = sieves
        self._patience = patience
        self._memory = memory
        self._proposed = 0
        self._open: deque[tuple[Proposal, asyncio.Task[Settled]]] = deque()
        self._seen: dict[str, Evidence | None] = {}
        self._barren = 0

    async def ask(self) -> Candidate | None:
        """The next candidate; None: there is no more, or none before a verdict is told.

        Raises:
            IndexUnavailableError: An index does not answer.
            ResolverError: uv did not come to an end.
        """
        while not self.plan.over:
            self._propose()
            if not self._open or self.impatient:
                return None
            proposal, task = self._open[0]
            settled = await asyncio.shield(task)  # whoever gives up waiting may ask again
            if self._memory is not None:
                await self._memory.note(self.tally.proposed + 1, settled)
            self._open.popleft()
            if candidate := self._take(proposal, settled):
                return candidate
        return None

    def tell(self, evidence: Evidence) -> None:
        """Say what trying a candidate showed."""
        self._seen[evidence.stack.digest] = evidence
        self.plan.tell(evidence)

    @property
    def impatient(self) -> bool:
        """Whether it ended because too many proposals in a row brought nothing new."""
        return self._barren >= self._patience

    async def __aiter__(self) -> AsyncIterator[Candidate]:
        """All candidates that need no verdict."""
        while (candidate := await self.ask()) is not None:
            yield candidate

    def _propose(self) -> None:
        """Keep as many proposals open as the plan allows: which these are does not depend on how fast any is resolved."""
        while len(self._open) < self.plan.window and (proposal := self.plan.propose()) is not None:
            self._proposed += 1
            self._open.append((proposal, self._oracle.start(self._settled(self._proposed, proposal))))

    async def _settled(self, number: int, proposal: Proposal) -> Settled:
        known = None if self._memory is None else self._memory.settled(number)
        return known or await settle(self._oracle, self._sieves, proposal)

    def _take(self, proposal: Proposal, settled: Settled) -> Candidate | None:
        self.tally.proposed += 1
        self.tally.note(settled.exclusions)
        self._barren += 1
        self.plan.resolved(proposal, settled.stack)
        if settled.stack is None:
            self._refused(settled)
        elif settled.stack.digest in self._seen:
            self._again(settled.stack)
        else:
            self._barren = 0
            self.tally.found += 1
            self._seen[settled.stack.digest] = None
            return Candidate(self.tally.found, settled.stack, settled.reason)
        return None

    def _refused(self, settled: Settled) -> None:
        if settled.refusal is None:
            self.tally.excluded += 1
        else:
            self.tally.unsatisfiable += 1
            self.tally.explanation = settled.refusal.explanation

    def _again(self, stack: Stack) -> None:
        self.tally.duplicates += 1
        if evidence := self._seen[stack.digest]:
            self.plan.tell(evidence)
