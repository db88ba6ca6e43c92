"""The oldest that the requirements allow."""

from typing import Literal

from trimtab.stacks.plans.plain import Plain
from trimtab.stacks.proposal import Proposal
from trimtab.stacks.space import Space

__all__ = ["Floor"]

_STEPS: tuple[tuple[Literal["lowest", "lowest-direct"], str], ...] = (
    ("lowest-direct", "the oldest direct dependencies, all else the newest"),
    ("lowest", "the oldest of everything"),
)


class Floor(Plain):
    """Two stacks: the oldest direct dependencies with the newest of all else, and the oldest of everything.

    Args:
        space: What the sieves exclude is not taken, and no version beyond the ones it has.
    """

    window = len(_STEPS)

    def __init__(self, space: Space) -> None:
        self._space = space
        self._steps = iter(_STEPS)

    def propose(self) -> Proposal | None:
        """The next of the two."""
        step = next(self._steps, None)
        if step is None:
            return None
        bounds = {each.name: f">={each.versions[-1]}" for each in self._space}
        return Proposal(step[1], {**self._space.excluded, **bounds}, resolution=step[0])
