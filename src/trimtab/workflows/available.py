"""With which engines a worker makes inspections."""

from collections.abc import Sequence
from pathlib import Path

from trimtab.engines import CHOICES, Capabilities, Engine, EngineUnavailableError, choose

__all__ = ["KEPT", "engines_here"]

KEPT = 86400.0  # seconds that an engine keeps what a killed process left


async def engines_here(
    name: str, state: Path, allowed: Sequence[str]
) -> tuple[dict[str, tuple[Engine, Capabilities]], EngineUnavailableError]:
    """Find the engines that can be used here, and end what killed processes left of them.

    Args:
        name: One of `CHOICES`.
        state: Directory for what engines keep.
        allowed: The engines that may be used.

    Returns:
        The engines by each name that may be asked for, the one that is used first at the beginning; and why others cannot
        be used.
    """
    found: dict[str, tuple[Engine, Capabilities]] = {}
    problems = []
    for each in CHOICES.get(name, (name,)):
        try:
            engine, capabilities = await choose(each, state, allowed=allowed)
            await engine.expire(KEPT)
            found[each] = engine, capabilities
        except EngineUnavailableError as error:
            problems.append(str(error))
    for choice, names in CHOICES.items():
        known = next((each for each in names if each in found), None)
        if known is not None:
            found.setdefault(choice, found[known])
    return found, EngineUnavailableError("; ".join(problems))
