"""What else than the stack may have made a difference: limits, machine or engine that are not the same in both."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from trimtab.inspection.statistics.conditions import CONDITIONS
from trimtab.inspection.statistics.runs import Reading

__all__ = ["unlike"]

Engines = tuple[str | None, str | None]


def unlike(first: Sequence[Reading], second: Sequence[Reading], engines: Engines = (None, None)) -> list[str]:
    """A sentence for each condition in which they differ.

    A condition that one of them does not tell is not known to differ.

    Args:
        first: Runs of the first inspection.
        second: Of the second.
        engines: What made each; None: that is not known.
    """
    found = [_said("engine", {engines[0]}, {engines[1]})] if all(engines) else []
    for name in CONDITIONS:
        told = [
            {each.conditions[name] for each in runs if name in each.conditions} for runs in (first, second)
        ]
        found.append(_said(name, *told) if all(told) else None)
    return [each for each in found if each]


def _said(name: str, first: AbstractSet[str | None], second: AbstractSet[str | None]) -> str | None:
    if first == second:
        return None
    sides = " and ".join("/".join(sorted(map(str, side))) for side in (first, second))
    return f"the {name} of both is not the same ({sides}): that alone may make a difference"
