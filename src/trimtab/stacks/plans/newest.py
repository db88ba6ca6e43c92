"""The newest stack that passes."""

from collections.abc import Iterator
from itertools import combinations

from packaging.version import Version

from trimtab.stacks.evidence import Evidence
from trimtab.stacks.plans.plain import Plain
from trimtab.stacks.proposal import Proposal, Verdict
from trimtab.stacks.space import Space
from trimtab.stacks.stack import Stack

__all__ = ["Newest"]


class Newest(Plain):
    """Goes back from the newest stack until one passes.

    First the stack that the resolver takes by itself; then those in which one package is held back, by one version, by
    two, and so on, in turn; then those in which two are, and so on. So what is found holds back as few packages as possible,
    and among these holds them back as little as possible.

    Args:
        space: The choices.
        first: The stack that the resolver takes by itself.
    """

    window = 8

    def __init__(self, space: Space, first: Stack) -> None:
        self._space = space
        self._older = {
            each.name: _below(each.versions, first.pins.get(each.name)) for each in space.variables
        }
        self._steps = self._walk()
        self.found: Stack | None = None
        """The stack that passed."""

    @property
    def over(self) -> bool:  # type: ignore[override] # here it changes
        """Whether one passed."""
        return self.found is not None

    def propose(self) -> Proposal | None:
        """The next one; None as soon as one passed."""
        return None if self.found else next(self._steps, None)

    def tell(self, evidence: Evidence) -> None:
        """End with the first that passes."""
        if evidence.verdict is Verdict.PASS and self.found is None:
            self.found = evidence.stack

    def _walk(self) -> Iterator[Proposal]:
        yield Proposal("the newest", self._space.excluded, self._space.held)
        names = [name for name, older in self._older.items() if older]
        for count in range(1, len(names) + 1):
            for steps in range(count, sum(len(self._older[name]) for name in names) + 1):
                for chosen in combinations(names, count):
                    yield from self._held_back(chosen, steps)

    def _held_back(self, names: tuple[str, ...], steps: int) -> Iterator[Proposal]:
        """All ways to hold just these packages back, by so many versions together."""
        for split in _splits(steps, [len(self._older[name]) for name in names]):
            versions = {name: self._older[name][by - 1] for name, by in zip(names, split, strict=True)}
            yield Proposal(
                f"{', '.join(versions)} held back by {'+'.join(map(str, split))}",
                self._space.constraints(versions),
                self._space.held,
            )


def _below(versions: tuple[str, ...], newest: str | None) -> tuple[str, ...]:
    return versions if newest is None else tuple(each for each in versions if Version(each) < Version(newest))


def _splits(total: int, limits: list[int]) -> Iterator[tuple[int, ...]]:
    """Ways to write a number as a sum of positive numbers, each within its limit."""
    if not limits:
        if total == 0:
            yield ()
        return
    rest = limits[1:]
    for first in range(max(1, total - sum(rest)), min(limits[0], total - len(rest)) + 1):
        for others in _splits(total - first, rest):
            yield (first, *others)
