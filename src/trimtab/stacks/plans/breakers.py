"""Which versions break, or slow down, what goes well with others."""

import math
import random
from collections.abc import Iterable, Mapping
from itertools import combinations

from trimtab.stacks.errors import PlanError
from trimtab.stacks.evidence import Evidence
from trimtab.stacks.plans.pairwise import PAIRS_LIMIT
from trimtab.stacks.plans.symptoms import Slowness, Symptoms
from trimtab.stacks.proposal import Proposal, Verdict
from trimtab.stacks.space import Space, Variable
from trimtab.stacks.stack import Stack
from trimtab.stacks.suspicion import Breaker, Cause, Pin, Suspicion

__all__ = ["Breakers"]

POOL = 60
"""Stacks that are weighed before one is proposed."""
WORK = 400_000
"""Pairs that are looked at for one proposal, about."""
STUCK = 5
"""Proposals in a row that bring nothing new, after which what is left of the suspects is told."""
SEEDED = 3
"""How often a pair is a proposal's reason."""


class Breakers:
    """Finds the smallest sets of versions that explain a symptom, with few stacks.

    While nothing is wrong, each stack is made to hold as many pairs of versions as possible that none without a symptom had
    (greedily, as AETG: Cohen, Dalal, Fredman, Patton 1997). Where one has a symptom, its suspects are halved: the next stack
    has about half of them, and all else from what is cleared (adaptive group testing). The last suspect is tried once more in
    a stack that shares nothing else with those before. Then it goes on, without the versions that are known to break.

    It ends when as many are found as are wanted, or when every two versions were seen together without a symptom, as far as there
    are stacks with both.

    Args:
        space: The choices.
        seed: Of the order of pairs, and of choices between equals.
        find: How many breakers are wanted; None: all.
        ahead: How many stacks may be tried at the same time while nothing is wrong.
        slower: What counts as slow, if that is a symptom, too.

    Raises:
        PlanError: There are fewer than two packages with a choice, or more than 200 000 pairs.
    """

    window = 1

    def __init__(
        self,
        space: Space,
        seed: int,
        *,
        find: int | None = None,
        ahead: int = 1,
        slower: Slowness | None = None,
    ) -> None:
        self._variables = space.several(2, "breakers")
        self._space = space
        self._random = random.Random(seed)  # noqa: S311 - it has to be repeatable
        self._find, self._ahead = find, ahead
        counts = [len(each.versions) for each in self._variables]
        if (total := sum(a * b for a, b in combinations(counts, 2))) > PAIRS_LIMIT:
            raise PlanError(
                f"there are {total} pairs of versions, more than {PAIRS_LIMIT}; take only the newest versions of each "
                "package, or vary fewer packages"
            )
        pairs = [frozenset(each) for each in _pairs(self._variables)]
        self._random.shuffle(pairs)
        self._open = dict.fromkeys(pairs, 0)  # how often each was a proposal's reason
        self._pool = max(1, min(POOL, WORK // (len(counts) * sum(counts))))
        self._symptoms = Symptoms(self._known, slower)
        self._awaited: dict[str, Cause] = {}
        self._tried: set[Cause] = set()
        self._proposed: Cause | None = None
        self._stuck = 0
        self.total = total
        """How many pairs of versions there are."""

    @property
    def found(self) -> tuple[Breaker, ...]:
        """What was found."""
        return tuple(each for suspicion in self._symptoms for each in suspicion.found)

    @property
    def unexplained(self) -> int:
        """How many stacks have a symptom that nothing explains yet."""
        return sum(each.unexplained for each in self._symptoms)

    @property
    def left(self) -> int:
        """How many pairs of versions were in no stack that tells of them."""
        return len(self._open)

    @property
    def over(self) -> bool:
        """Whether all that was wanted is found."""
        return self._find is not None and len(self.found) >= self._find

    def propose(self) -> Proposal | None:
        """What halves the suspects; with none, what has most new pairs. None while a verdict is awaited that decides it."""
        if self.over:
            return None
        while suspicion := next((each for each in self._symptoms if each.suspects), None):
            if self._awaited:
                return None
            if self._stuck < STUCK and (proposal := self._narrowing(suspicion)):
                return proposal
            suspicion.conclude()
            self._stuck = 0
            self._strike()
        if self.over or len(self._awaited) >= self._ahead:
            return None
        return self._covering()

    def resolved(self, proposal: Proposal, stack: Stack | None) -> None:
        """Wait for what trying it shows."""
        del proposal  # there is one at a time
        if self._proposed is not None:
            self._tried.add(self._proposed)
        self._stuck += 1
        if stack is not None:
            self._tried.add(self._known(stack))
            if stack.digest not in self._symptoms.told:
                self._awaited[stack.digest] = self._known(stack)

    def tell(self, evidence: Evidence) -> None:
        """Clear what it had, or suspect it."""
        self._awaited.pop(evidence.stack.digest, None)
        if evidence.stack.digest in self._symptoms.told or evidence.verdict is Verdict.UNKNOWN:
            return
        self._stuck = 0
        self._symptoms.tell(evidence)
        self._strike()

    def _known(self, stack: Stack) -> Cause:
        """The versions of a stack that could have been others."""
        pins = stack.pins
        return frozenset((each.name, pins[each.name]) for each in self._variables if each.name in pins)

    def _strike(self) -> None:
        """Pairs of which nothing more can be learned are open no more."""
        for pair in [pair for pair in self._open if not any(each.is_open(pair) for each in self._symptoms)]:
            del self._open[pair]

    def _covering(self) -> Proposal | None:
        hoped = {frozenset(each) for pins in self._awaited.values() for each in combinations(sorted(pins), 2)}
        while seed := next((pair for pair in self._open if pair not in hoped), None):
            times = self._open.pop(seed)
            if times < SEEDED:
                self._open[seed] = times + 1  # at the end: others come first
                made = [self._filled(dict(sorted(seed)), hoped) for _ in range(self._pool)]
                best = max(made, key=lambda pins: self._news(pins, hoped), default=None)
                if best is not None and frozenset(best.items()) not in self._tried:
                    return self._proposal(" with ".join(map(" ".join, sorted(seed))), best, dict(seed))
        return None

    def _filled(self, chosen: dict[str, str], hoped: set[Cause]) -> dict[str, str]:
        """All other packages at the versions that bring most new pairs, without any that is known to break."""
        rest = [each for each in self._variables if each.name not in chosen]
        self._random.shuffle(rest)
        for variable in rest:
            best, most = variable.versions[0], (-math.inf, 0.0)
            for version in variable.versions:
                pin = (variable.name, version)
                pairs = [frozenset((pin, each)) for each in chosen.items()]
                new = sum(pair in self._open and pair not in hoped for pair in pairs)
                broken = any(each.explains(frozenset((pin, *chosen.items()))) for each in self._symptoms)
                if (score := (-1.0 if broken else float(new), self._random.random())) > most:
                    best, most = version, score
            chosen[variable.name] = best
        return chosen

    def _news(self, pins: Mapping[str, str], hoped: set[Cause]) -> int:
        if any(each.explains(frozenset(pins.items())) for each in self._symptoms):
            return -1
        pairs = map(frozenset, combinations(pins.items(), 2))
        return sum(pair in self._open and pair not in hoped for pair in pairs)

    def _narrowing(self, suspicion: Suspicion) -> Proposal | None:
        """The stack that tells most of the suspects; None: there is none that was not tried."""
        target = dict(suspicion.target or ())
        best: dict[str, str] | None = None
        most, keeping = 0.0, dict[str, str]()
        for _ in range(self._pool):
            kept = self._half(suspicion, target)
            pins = self._surrounded(suspicion, kept, target)
            worth = _worth(suspicion, pins)
            if worth > most and frozenset(pins.items()) not in self._tried:
                best, most, keeping = pins, worth, kept
        if best is None:
            return None
        count = len(suspicion.suspects)
        last = " with ".join(map(" ".join, sorted(suspicion.suspects[0])))
        what = f"{count} suspects are halved" if count > 1 else f"{last} once more, among others"
        return self._proposal(f"{suspicion.symptom}: {what}", best, keeping)

    def _half(self, suspicion: Suspicion, target: Mapping[str, str]) -> dict[str, str]:
        """What is kept of the target: about half of its suspects."""
        suspects = list(suspicion.suspects)
        self._random.shuffle(suspects)
        kept: set[Pin] = set()
        for each in suspects:
            wider = kept | each
            if kept and sum(one <= wider for one in suspects) * 2 > len(suspects) + 1:
                continue
            kept = wider
        return {name: version for name, version in target.items() if (name, version) in kept}

    def _surrounded(
        self, suspicion: Suspicion, kept: Mapping[str, str], target: Mapping[str, str]
    ) -> dict[str, str]:
        """What is kept, and for the others versions that differ from the target's and are above suspicion, as far as there are such."""
        pins = dict(kept)
        rest = [each for each in self._variables if each.name not in kept]
        self._random.shuffle(rest)
        for variable in rest:
            best, least = variable.versions[0], (math.inf, 0.0)
            for version in variable.versions:
                pin = (variable.name, version)
                # Once more with what it was would separate nothing.
                same = len(target) * (target.get(variable.name) == version)
                risk = same + sum(suspicion.is_open(frozenset((pin, each))) for each in pins.items())
                risk += len(target) ** 2 * self._breaks(pin, pins)
                if (score := (risk, self._random.random())) < least:
                    best, least = version, score
            pins[variable.name] = best
        return pins

    def _breaks(self, pin: Pin, pins: Mapping[str, str]) -> bool:
        return any(each.explains(frozenset((pin, *pins.items()))) for each in self._symptoms)

    def _proposal(self, reason: str, pins: Mapping[str, str], kept: Mapping[str, str]) -> Proposal:
        """These versions; where there is no stack with all of them, with what matters and as much of the rest as possible."""
        self._proposed = frozenset(pins.items())
        loose = Proposal(
            reason,
            self._space.constraints(kept),
            {**self._space.held, **{name: each for name, each in pins.items() if name not in kept}},
        )
        return Proposal(reason, self._space.constraints(pins), self._space.held, otherwise=loose)


def _pairs(variables: Iterable[Variable]) -> Iterable[tuple[Pin, Pin]]:
    for one, other in combinations(variables, 2):
        for version in one.versions:
            yield from (((one.name, version), (other.name, each)) for each in other.versions)


def _worth(suspicion: Suspicion, pins: Mapping[str, str]) -> float:
    """How much a verdict tells of the suspects, in bits; less where something else might break the stack.

    Once there is one suspect, what counts is how much of what all its stacks share this one has not.
    """
    whole = frozenset(pins.items())
    inside = [each for each in suspicion.suspects if each <= whole]
    others = sum(suspicion.is_open(frozenset(each)) for each in combinations(pins.items(), 2)) - len(inside)
    doubt = 0.98 ** max(0, others)
    if len(suspicion.suspects) == 1:
        return len(inside) * doubt * (len(suspicion.common - whole) + 1e-6)
    share = len(inside) / len(suspicion.suspects)
    if share in {0.0, 1.0}:
        return 0.0
    return doubt * -(share * math.log2(share) + (1 - share) * math.log2(1 - share))
