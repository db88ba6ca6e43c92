"""What may be to blame for a symptom: sets of versions that every stack without the symptom lacks.

A fault is taken for one version or for two that do not go together; for three or four only where no smaller set explains it. A stack
without the symptom clears all sets that it has. What is left of a stack with it are its suspects; one of them is to blame.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import combinations

__all__ = ["Breaker", "Cause", "Pin", "Suspicion"]

Pin = tuple[str, str]
Cause = frozenset[Pin]
MOST = 4
"""Versions of a cause, at most."""
LIMIT = 20_000
"""Sets of three or four versions that are looked at."""
TWICE = 2


@dataclass(frozen=True)
class Breaker:
    """Versions that are to blame for a symptom.

    Attributes:
        symptom: What they bring about.
        pins: The smallest set that explains it, sorted.
        stacks: How many stacks with all of them were tried; all had the symptom.
        beside: What else all these stacks had: nothing could be tried that separates it.
    """

    symptom: str
    pins: tuple[Pin, ...]
    stacks: int
    beside: tuple[Pin, ...] = ()

    def __str__(self) -> str:
        return " with ".join(f"{name} {version}" for name, version in self.pins)


class Suspicion:
    """The suspects of one symptom.

    Args:
        symptom: In a word.
    """

    def __init__(self, symptom: str) -> None:
        self.symptom = symptom
        self.cleared: set[Cause] = set()
        """Sets of one version or two that are not to blame."""
        self.found: list[Breaker] = []
        self.target: Cause | None = None
        """The stack that is to be explained."""
        self.suspects: tuple[Cause, ...] = ()
        """What may explain it."""
        self._clean: list[Cause] = []
        self._struck: list[Cause] = []
        self._given_up: set[Cause] = set()

    def learn(self, pins: Cause, *, struck: bool) -> None:
        """Take note of a stack that was tried.

        Args:
            pins: Its versions that could have been others.
            struck: Whether it has the symptom.
        """
        if struck:
            self._struck.append(pins)
        else:
            self._clean.append(pins)
            self.cleared.update(_subsets(pins, TWICE))
        self.found = [each for each in map(self._still, self.found) if each is not None]
        self._look()

    def conclude(self) -> None:
        """Nothing more separates the suspects: take the smallest for the cause; what is in all of its stacks is told beside it."""
        self._find(min(self.suspects, key=lambda each: (len(each), sorted(each))))
        self._look()

    def is_open(self, cause: Cause) -> bool:
        """Whether nobody knows yet if it is to blame."""
        return cause not in self.cleared and not self.explains(cause)

    def explains(self, pins: Cause) -> bool:
        """Whether these versions hold a cause that is known."""
        return any(cause <= pins for cause in map(_pins, self.found))

    @property
    def common(self) -> Cause:
        """The versions that all stacks with the symptom have that hold the last suspect, beside that."""
        (cause,) = self.suspects
        stacks = [each for each in self._struck if cause <= each]
        return frozenset.intersection(*stacks) - cause

    @property
    def unexplained(self) -> int:
        """How many stacks have the symptom, and nothing that is known explains it."""
        return sum(not self.explains(each) for each in self._struck)

    def _look(self) -> None:
        """Find what is to be explained next, and what may explain it."""
        while True:
            waiting = [
                each for each in self._struck if not self.explains(each) and each not in self._given_up
            ]
            self.target = next(iter(waiting), None)
            self.suspects = self._suspects(waiting)
            if self.target is None:
                return
            if not self.suspects:  # nothing of at most four versions, or the verdicts contradict each other
                self._given_up.add(self.target)
            elif len(self.suspects) == 1 and not self.common:
                self._find(self.suspects[0])
            else:
                return

    def _suspects(self, waiting: list[Cause]) -> tuple[Cause, ...]:
        if self.target is None:
            return ()
        suspects = [each for each in _subsets(self.target, TWICE) if each not in self.cleared]
        for count in range(TWICE + 1, MOST + 1):
            if suspects or math.comb(len(self.target), count) > LIMIT:
                break
            suspects = [
                each
                for each in _exactly(self.target, count)
                if not any(each <= clean for clean in self._clean)
            ]
        # One cause for several stacks is likelier than one for each; where it is wrong, the next stack will clear it.
        for stack in waiting:
            suspects = [each for each in suspects if each <= stack] or suspects
        return tuple(suspects)

    def _find(self, cause: Cause) -> None:
        self.found.append(self._breaker(cause))

    def _still(self, breaker: Breaker) -> Breaker | None:
        """It again, with all that was tried since; None: a stack with it has no symptom."""
        cause = _pins(breaker)
        return None if any(cause <= each for each in self._clean) else self._breaker(cause)

    def _breaker(self, cause: Cause) -> Breaker:
        stacks = [each for each in self._struck if cause <= each]
        beside = frozenset.intersection(*stacks) - cause
        return Breaker(self.symptom, tuple(sorted(cause)), len(stacks), tuple(sorted(beside)))


def _pins(breaker: Breaker) -> Cause:
    return frozenset(breaker.pins)


def _subsets(pins: Collection[Pin], most: int) -> Iterator[Cause]:
    for count in range(1, most + 1):
        yield from _exactly(pins, count)


def _exactly(pins: Collection[Pin], count: int) -> Iterator[Cause]:
    return map(frozenset, combinations(sorted(pins), count))
