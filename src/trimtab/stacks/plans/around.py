"""The neighbours of a lock."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from packaging.version import Version

from trimtab.stacks.errors import PlanError
from trimtab.stacks.plans.plain import Plain
from trimtab.stacks.proposal import Proposal
from trimtab.stacks.space import Space

__all__ = ["Around"]


class Around(Plain):
    """Stacks that differ from a lock in one package, the nearest versions first, newer and older in turn.

    The others stay as they are, unless the changed version demands otherwise.

    Args:
        space: The choices.
        pins: Version by name of the lock.

    Raises:
        PlanError: The lock has none of the packages that vary.
    """

    window = 8

    def __init__(self, space: Space, pins: Mapping[str, str]) -> None:
        self._pins = pins
        self._space = space
        shared = [each for each in space.variables if each.name in pins]
        if not shared:
            raise PlanError(f"the lock has none of {', '.join(space.names)}; give the lock of this project")
        walks = [
            [(each.name, version) for version in _outward(each.versions, pins[each.name])] for each in shared
        ]
        self._steps = (step for steps in zip_longest(*walks) for step in steps if step)

    def propose(self) -> Proposal | None:
        """The next neighbour."""
        step = next(self._steps, None)
        if step is None:
            return None
        name, version = step
        return Proposal(
            f"{name} {self._pins[name]} → {version}",
            self._space.constraints({name: version}),
            {other: pinned for other, pinned in self._pins.items() if other != name},
        )


def _outward(versions: Sequence[str], here: str) -> Iterator[str]:
    """Versions by their distance from one of them."""
    middle = Version(here)
    newer = [each for each in reversed(versions) if Version(each) > middle]
    older = [each for each in versions if Version(each) < middle]
    for pair in zip_longest(newer, older):
        yield from filter(None, pair)
