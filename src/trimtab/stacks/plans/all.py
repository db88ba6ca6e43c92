"""Every combination."""

from trimtab.stacks.plans.plain import Plain
from trimtab.stacks.proposal import Proposal
from trimtab.stacks.space import Space

__all__ = ["All"]


class All(Plain):
    """Every combination of a space, from the newest on, the last package varying fastest.

    Args:
        space: The choices.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._next = 0

    def propose(self) -> Proposal | None:
        """The next combination."""
        if self._next >= self._space.size:
            return None
        combination = self._space.at(self._next)
        self._next += 1
        return Proposal(
            f"combination {self._next} of {self._space.size}",
            self._space.constraints(combination),
            self._space.held,
        )
