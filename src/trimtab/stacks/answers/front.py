"""Stacks of which no other is better in all respects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from trimtab.stacks.answers.objective import Measured, by_hardware
from trimtab.stacks.evidence import Evidence

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[np.float64]

__all__ = ["METRICS", "Front", "Point", "pareto"]

METRICS = ("size", "duration", "memory")
_DRAWS = 200
_MOST = 1000


@dataclass(frozen=True)
class Point:
    """A stack with its medians.

    Attributes:
        evidence: The stack.
        figures: Median by metric.
        optimal: Whether no other is as good in all and better in one.
        probability: How often it is so when its readings are drawn again (bootstrap).
    """

    evidence: Evidence
    figures: dict[str, float]
    optimal: bool
    probability: float


@dataclass(frozen=True)
class Front:
    """The stacks of one kind of hardware.

    Attributes:
        hardware: The kind.
        metrics: What they are compared by; of each, less is better.
        points: All stacks that have every metric, those of the front first.
    """

    hardware: str | None
    metrics: tuple[str, ...]
    points: tuple[Point, ...]

    @property
    def optimal(self) -> tuple[Point, ...]:
        """The front."""
        return tuple(each for each in self.points if each.optimal)


def pareto(
    evidence: Sequence[Evidence], metrics: Sequence[str] = METRICS, *, seed: int = 0
) -> tuple[Front, ...]:
    """Find the stacks that nothing beats, for each kind of hardware.

    Args:
        evidence: What was tried.
        metrics: Of which less is better; those that nobody measured there are left out.
        seed: Of what is drawn.

    Returns:
        One for each kind of hardware; none if nothing was measured. Of more than a thousand stacks, the first thousand.
    """
    groups = {metric: by_hardware(evidence, metric) for metric in metrics}
    hardware = sorted({kind for each in groups.values() for kind in each}, key=lambda each: each or "")
    return tuple(
        _front(kind, {name: each[kind] for name, each in groups.items() if kind in each}, seed)
        for kind in hardware
    )


def _front(hardware: str | None, measured: dict[str, Sequence[Measured]], seed: int) -> Front:
    import numpy as np

    random = np.random.default_rng(seed)
    by_stack = {
        name: {each.evidence.stack.digest: each for each in stacks} for name, stacks in measured.items()
    }
    shared = set.intersection(*(set(each) for each in by_stack.values()))
    first = next(iter(by_stack.values()))
    digests = [digest for digest in first if digest in shared][:_MOST]
    rows = [[np.asarray(by_stack[name][digest].values) for name in by_stack] for digest in digests]
    medians = np.array([[float(np.median(values)) for values in row] for row in rows]).reshape(len(rows), -1)
    optimal = _undominated(medians)
    often = np.zeros(len(rows))
    for _ in range(_DRAWS):
        often += _undominated(_again(rows, random))
    points = [
        Point(first[digest].evidence, dict(zip(by_stack, map(float, medians[at]), strict=True)), bool(optimal[at]), float(often[at] / _DRAWS))
        for at, digest in enumerate(digests)
    ]  # fmt: skip
    points.sort(key=lambda each: (not each.optimal, -each.probability, tuple(each.figures.values())))
    return Front(hardware, tuple(by_stack), tuple(points))


def _again(rows: "Sequence[Sequence[Array]]", random: "np.random.Generator") -> "Array":
    import numpy as np

    return np.array(
        [
            [
                float(np.median(random.choice(values, len(values)))) if len(values) > 1 else float(values[0])
                for values in row
            ]
            for row in rows
        ]
    )


def _undominated(figures: "Array") -> "npt.NDArray[np.bool_]":
    import numpy as np

    found = np.ones(len(figures), dtype=bool)
    for at, each in enumerate(figures):
        found[at] = not bool(((figures <= each).all(axis=1) & (figures < each).any(axis=1)).any())
    return found
