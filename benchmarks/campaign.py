"""How many inspections it takes to name a planted pair of versions that breaks: the plan `breakers`, against others.

Verdicts are simulated, for a thousand campaigns: a stack fails if it has the pair. Stacks are all valid. Each way is judged by the same
inference: the pair is named when it alone explains all failures, two stacks or more with nothing else in common have it, and
no stack that passes does. The ways: `breakers` as it is; stacks drawn at random; stacks of the plan `pairwise`; the newest
stack with one package changed at a time, which meets a pair only if the newest stack has half of it. What is not named after
400 inspections counts as 400. Real inspections of such a pair are in `tests/integration/campaigns`.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trimtab.stacks import Space
    from trimtab.stacks.suspicion import Cause

SPACES = ((3, 9), (5, 6), (2, 14), (10, 5))
AIM_SPACE, AIM, LIMIT = (3, 9), 40, 400


def run() -> dict[str, Any]:
    """Measure, and return rows of `stacks`, `way`, `named`, `median`, `p95`, `worst`, and processor seconds of one campaign."""
    seeds = 5 if os.environ.get("TRIMTAB_BENCH_QUICK") else 100
    rows = [_row(shape, way, seeds) for shape in SPACES for way in WAYS]
    (ours,) = (each for each in rows if each["shape"] == list(AIM_SPACE) and each["way"] == "breakers")
    aims = {
        f"named within {AIM} inspections among {ours['stacks']} stacks, {seeds} seeds": {
            "measured": f"worst {ours['worst']}, median {ours['median']:g}",
            "reached": ours["worst"] <= AIM,
        }
    }
    return {"name": "campaign", "rows": rows, "aims": aims}


def _row(shape: tuple[int, int], way: str, seeds: int) -> dict[str, Any]:
    began, found = time.process_time(), []
    for seed in range(seeds):
        space, cause = _planted(shape, seed)
        found.append(WAYS[way](space, cause, seed))
    counts = sorted(LIMIT if each is None else each for each in found)
    return {
        "stacks": shape[0] ** shape[1],
        "shape": list(shape),
        "way": way,
        "named": f"{sum(each is not None for each in found)} of {seeds}",
        "median": statistics.median(counts),
        "p95": counts[max(0, -(-len(counts) * 95 // 100) - 1)],
        "worst": counts[-1],
        "cpu_seconds": (time.process_time() - began) / seeds,
    }


def _planted(shape: tuple[int, int], seed: int) -> tuple[Space, Cause]:
    from trimtab.stacks import Space, Variable

    versions, packages = shape
    draw = random.Random(seed)
    names = [f"p{number}" for number in range(packages)]
    space = Space(
        tuple(Variable(name, tuple(f"1.{each}" for each in reversed(range(versions)))) for name in names),
        {},
        {},
    )
    pair = draw.sample(names, 2)
    return space, frozenset((name, f"1.{draw.randrange(versions)}") for name in pair)


def _breakers(space: Space, cause: Cause, seed: int) -> int | None:
    from trimtab.stacks import Breakers, Evidence, Stack, Verdict

    plan = Breakers(space, seed, find=1)
    for number in range(1, LIMIT + 1):
        proposal = plan.propose()
        if proposal is None:
            return None
        pins = {name: proposal.constraints[name][2:] for name in space.names}
        stack = Stack("".join(f"{name}=={version}\n" for name, version in pins.items()))
        plan.resolved(proposal, stack)
        plan.tell(Evidence(stack, Verdict.FAIL if cause <= pins.items() else Verdict.PASS))
        if {frozenset(each.pins) for each in plan.found} == {cause}:
            return number
    return None


def _by(stacks: Callable[[Space, int], Iterator[Cause]]) -> Callable[[Space, Cause, int], int | None]:
    def inferred(space: Space, cause: Cause, seed: int) -> int | None:
        from trimtab.stacks.suspicion import Suspicion

        suspicion = Suspicion("fails")
        for number, pins in zip(range(1, LIMIT + 1), stacks(space, seed), strict=False):
            suspicion.learn(pins, struck=cause <= pins)
            if {frozenset(each.pins) for each in suspicion.found} == {cause}:
                return number
        return None

    return inferred


def _random(space: Space, seed: int) -> Iterator[Cause]:
    draw, seen = random.Random(seed), set()
    while len(seen) < space.size:
        pins = frozenset((each.name, draw.choice(each.versions)) for each in space)
        if pins not in seen:
            seen.add(pins)
            yield pins


def _pairwise(space: Space, seed: int) -> Iterator[Cause]:
    from trimtab.stacks import Pairwise, Stack

    plan = Pairwise(space, seed)
    while (proposal := plan.propose()) is not None:
        pins = {name: proposal.constraints[name][2:] for name in space.names}
        plan.resolved(proposal, Stack("".join(f"{name}=={version}\n" for name, version in pins.items())))
        yield frozenset(pins.items())


def _one_at_a_time(space: Space, _seed: int) -> Iterator[Cause]:
    newest = {each.name: each.versions[0] for each in space}
    yield frozenset(newest.items())
    for each in space:
        for version in each.versions[1:]:
            yield frozenset({**newest, each.name: version}.items())


WAYS: dict[str, Callable[[Space, Cause, int], int | None]] = {
    "breakers": _breakers,
    "random": _by(_random),
    "pairwise": _by(_pairwise),
    "one at a time": _by(_one_at_a_time),
}
