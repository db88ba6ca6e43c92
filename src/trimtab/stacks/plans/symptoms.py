"""What may be wrong with a stack: that it fails, and that it is slow."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trimtab.stacks.evidence import Evidence
from trimtab.stacks.proposal import Verdict
from trimtab.stacks.stack import Stack
from trimtab.stacks.suspicion import Cause, Suspicion

__all__ = ["FAILS", "SLOW", "Slowness", "Symptoms"]

FAILS, SLOW = "fails", "slow"
ENOUGH = 4
"""Stacks that pass, before any is called slow."""


@dataclass(frozen=True)
class Slowness:
    """What counts as slow.

    Attributes:
        metric: Of the figures.
        factor: How many times as much as the lower quartile of the stacks that pass; each by its median.
    """

    metric: str = "duration"
    factor: float = 2.0


class Symptoms:
    """The suspicions of all symptoms, fed with evidence.

    Args:
        pins: The versions of a stack that could have been others.
        slower: What counts as slow; None: nothing.
    """

    def __init__(self, pins: Callable[[Stack], Cause], slower: Slowness | None) -> None:
        self._pins = pins
        self._slower = slower
        self._fails = Suspicion(FAILS)
        self._slow = Suspicion(SLOW)
        self._values: dict[Cause, float] = {}
        self._judged: dict[Cause, bool] = {}
        self.told: set[str] = set()
        """Digests of the stacks that something is known of."""

    def __iter__(self) -> Iterator[Suspicion]:
        yield self._fails
        if self._slower is not None:
            yield self._slow

    def tell(self, evidence: Evidence) -> None:
        """Take note of a stack that passed or failed."""
        pins = self._pins(evidence.stack)
        self.told.add(evidence.stack.digest)
        self._fails.learn(pins, struck=evidence.verdict is Verdict.FAIL)
        if self._slower is None or evidence.verdict is not Verdict.PASS:
            return
        if values := evidence.figures.get(self._slower.metric):
            self._values[pins] = statistics.median(values)
            self._judge(self._slower.factor)

    def _judge(self, factor: float) -> None:
        """Tell the slow ones from the others; what is known by now may change what was thought of earlier ones."""
        if len(self._values) < ENOUGH:
            return
        reference = sorted(self._values.values())[len(self._values) // 4]
        judged = {pins: value > factor * reference for pins, value in self._values.items()}
        if any(self._judged[pins] != struck for pins, struck in judged.items() if pins in self._judged):
            self._slow, self._judged = Suspicion(SLOW), {}
        for pins, struck in judged.items():
            if pins not in self._judged:
                self._slow.learn(pins, struck=struck)
        self._judged = judged
