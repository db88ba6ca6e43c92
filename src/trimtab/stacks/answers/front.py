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
    for each in _again(rows, np.random.default_rng(seed)):
        often += _undominated(each)
    points = [
        Point(first[digest].evidence, dict(zip(by_stack, map(float, medians[at]), strict=True)), bool(optimal[at]), float(often[at] / _DRAWS))
        for at, digest in enumerate(digests)
    ]  # fmt: skip
    points.sort(key=lambda each: (not each.optimal, -each.probability, tuple(each.figures.values())))
    return Front(hardware, tuple(by_stack), tuple(points))


def _again(rows: "Sequence[Sequence[Array]]", random: "np.random.Generator") -> "Array":
    """Medians of readings drawn again: draws by stacks by metrics. Stacks with as many readings are drawn at once."""
    import numpy as np

    found = np.empty((_DRAWS, len(rows), len(rows[0]) if rows else 0))
    groups: dict[int, list[tuple[int, int]]] = {}
    for at, row in enumerate(rows):
        for metric, values in enumerate(row):
            groups.setdefault(len(values), []).append((at, metric))
    for count, places in groups.items():
        stacks, metrics = (np.array(each) for each in zip(*places, strict=True))
        values = np.array([rows[at][metric] for at, metric in places])
        for draw in range(_DRAWS):
            chosen = random.integers(count, size=values.shape)
            found[draw, stacks, metrics] = np.median(np.take_along_axis(values, chosen, axis=1), axis=1)
    return found


def _undominated(figures: "Array") -> "npt.NDArray[np.bool_]":
    """Which rows no other row equals in all columns and beats in one."""
    import numpy as np

    reached = np.ones((len(figures), len(figures)), dtype=bool)
    beaten = np.zeros_like(reached)
    for column in figures.T:  # by columns: of a thousand stacks, all at once is three times the memory
        reached &= column[None, :] <= column[:, None]
        beaten |= column[None, :] < column[:, None]
    return np.asarray(~(reached & beaten).any(axis=1))
