"""Which version broke it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.version import Version

from trimtab.stacks.errors import PlanError
from trimtab.stacks.evidence import Evidence
from trimtab.stacks.proposal import Proposal, Verdict
from trimtab.stacks.stack import Stack

__all__ = ["Bisect", "Culprit"]


@dataclass(frozen=True)
class Culprit:
    """What a bisection found.

    Attributes:
        versions: The steps among which the break is, as (name, version); one, unless stacks between could not be had.
        alone: Whether the good lock with only these versions fails; None: it was not tried, or could not be.
    """

    versions: tuple[tuple[str, str], ...]
    alone: bool | None = None


class Bisect:
    """Halves the way from a good lock to a bad one until one step is left, then tries that step alone.

    The way goes package by package, each through the versions between. Of n steps, ⌈log₂ n⌉ verdicts find the one at which
    passing turns into failing, and one more says whether it fails without the others. Both ends are taken as told.

    Args:
        good: Version by name of the lock that passes.
        bad: The same of the one that fails.
        between: Known versions by name; those between the two are steps of the way.
        names: The packages to look at; by default all in which the locks differ.

    Raises:
        PlanError: The locks do not differ in any package that both have.
    """

    window = 1

    def __init__(
        self,
        good: Mapping[str, str],
        bad: Mapping[str, str],
        between: Mapping[str, tuple[str, ...]] | None = None,
        names: tuple[str, ...] | None = None,
    ) -> None:
        self._good = good
        self._bad = bad
        self._steps = tuple(_way(good, bad, between or {}, names))
        if not self._steps:
            raise PlanError("the two locks have the same versions, so nothing is between them; give others")
        self._low, self._high = 0, len(self._steps)
        self._skipped: set[int] = set()
        self._open: int | None = None
        self._stack: Stack | None = None
        self._suspects: tuple[tuple[str, str], ...] = ()
        self.culprit: Culprit | None = None
        """What was found; None while it is searched."""

    @property
    def steps(self) -> int:
        """How many steps the way has."""
        return len(self._steps)

    @property
    def over(self) -> bool:
        """Whether the culprit is found."""
        return self.culprit is not None

    def propose(self) -> Proposal | None:
        """The stack in the middle; None while a verdict is awaited, and at the end."""
        if self._open is not None or self.over:
            return None
        middle = self._middle()
        if middle is None:
            return self._confirm()
        self._open = middle
        return self._proposal(middle)

    def resolved(self, proposal: Proposal, stack: Stack | None) -> None:
        """A stack that cannot be had is passed over, as `git bisect skip` does."""
        del proposal
        self._stack = stack
        if stack is None:
            self._judge(Verdict.UNKNOWN)

    def tell(self, evidence: Evidence) -> None:
        """Go on in the half that has the break."""
        if self._open is not None and self._stack is not None and evidence.stack.digest == self._stack.digest:
            self._judge(evidence.verdict)

    def _judge(self, verdict: Verdict) -> None:
        assert self._open is not None
        position, self._open = self._open, None
        if self._suspects:
            alone = None if verdict is Verdict.UNKNOWN else verdict is Verdict.FAIL
            self.culprit = Culprit(self._suspects, alone)
        elif verdict is Verdict.UNKNOWN:
            self._skipped.add(position)
        elif verdict is Verdict.PASS:
            self._low = position
        else:
            self._high = position

    def _middle(self) -> int | None:
        """The position nearest to the middle that was not passed over; None: nothing is left to try."""
        middle = (self._low + self._high) // 2
        left = (each for each in range(self._low + 1, self._high) if each not in self._skipped)
        return min(left, key=lambda each: abs(each - middle), default=None)

    def _confirm(self) -> Proposal | None:
        """The good lock with only what is suspected, unless that is what was tried, or what is told to be bad."""
        self._suspects = self._steps[self._low : self._high]
        if self._high == 1 or len({name for name, _ in self._steps}) == 1:
            self.culprit = Culprit(self._suspects, alone=True)
            return None
        self._open = self._high
        pins = {name: f"=={version}" for name, version in self._suspects}
        return Proposal("the good lock with only what is suspected", pins, _without(self._good, pins))

    def _proposal(self, position: int) -> Proposal:
        """The stack after some steps: exactly, else with the packages before the steps free to move with them."""
        reached = dict(self._steps[:position])
        ahead = {name for name, _ in self._steps[position:]} - reached.keys()
        moved = {name: f"=={version}" for name, version in reached.items()}
        exact = {**moved, **{name: f"=={self._good[name]}" for name in ahead}}
        name, version = self._steps[position - 1]
        reason = f"{position} of {self.steps} steps to the bad lock: {name} {version}"
        prefer = {**self._good, **reached}
        last = Proposal(reason, {name: f"=={version}"}, _without(prefer, {name: ""}))
        loose = Proposal(reason, moved, _without(prefer, moved), otherwise=last)
        return Proposal(reason, exact, _without(prefer, exact), otherwise=loose)


def _without(pins: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {name: version for name, version in pins.items() if name not in names}


def _way(
    good: Mapping[str, str],
    bad: Mapping[str, str],
    between: Mapping[str, tuple[str, ...]],
    names: tuple[str, ...] | None,
) -> Iterator[tuple[str, str]]:
    for name in sorted(good.keys() & bad.keys()):
        if good[name] == bad[name] or (names is not None and name not in names):
            continue
        start, end = Version(good[name]), Version(bad[name])
        low, high = min(start, end), max(start, end)
        inside = sorted({Version(each) for each in between.get(name, ())}, reverse=end < start)
        yield from ((name, str(each)) for each in inside if low < each < high)
        yield name, bad[name]
