"""Which packages' versions matter for a figure, and how much.

The figure of a stack is split by a range of versions of one package, the one that explains most of its variance; then what is left
is split again, as long as a split explains more than such a search finds in the same figures dealt out anew (a permutation test with
the maximum over all packages and ranges, Westfall and Young 1993). So of many packages that do nothing, none is named in 95 of 100
campaigns. Effects of versions that need each other are found by `outliers`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, TypeAlias

from trimtab.stacks.answers.breakage import Range
from trimtab.stacks.answers.matrix import Column, Literal, Matrix
from trimtab.stacks.answers.objective import Measured, by_hardware
from trimtab.stacks.evidence import Evidence

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[np.float64]

__all__ = ["Effect", "Importance", "importance"]

_LEVEL = 0.05
_DEALS = 399
_SPLITS = 10
_FEWEST = 8
_ALIKE = 0.98
_MANY = 24
_CELLS = 3_000_000  # of stacks by ranges


@dataclass(frozen=True)
class Effect:
    """What a range of versions does.

    Attributes:
        package: Its name.
        versions: The range.
        stacks: How many have it.
        share: Of the variance between stacks, from 0 to 1.
        change: The figure with it by that without it, less 1 (of figures that are not all above zero: the difference).
        low: Lower end of its interval at 95 %.
        high: Upper end.
        ratio: Whether the change is a ratio.
        p: How often dealt figures show as much.
        alike: Other packages whose versions go with this range so closely that it may be they.
    """

    package: str
    versions: Range
    stacks: int
    share: float
    change: float
    low: float
    high: float
    ratio: bool
    p: float
    alike: tuple[str, ...]


@dataclass(frozen=True)
class Importance:
    """How much each package's version matters.

    Attributes:
        shares: Share of the variance by package, of all that vary; 0: no effect shown.
        effects: Those shown, the greatest first.
        floor: Share that the best split of dealt figures reaches in one of twenty deals: what is below is noise.
        stacks: How many were measured.
    """

    shares: Mapping[str, float]
    effects: tuple[Effect, ...]
    floor: float
    stacks: int


def importance(evidence: Sequence[Evidence], metric: str, *, seed: int = 0) -> Importance | None:
    """Find which versions matter. Kinds of hardware are compared within themselves.

    Args:
        evidence: What was tried.
        metric: The figure.
        seed: Of the deals.

    Returns:
        None if fewer than eight stacks have the figure, or none of their packages varies.
    """
    import numpy as np

    groups = [each for each in by_hardware(evidence, metric).values() if len(each) > 1]
    stacks = [each for group in groups for each in group]
    matrix = Matrix([each.evidence.stack.pins for each in stacks])
    literals, inside = _ranges(matrix)
    if len(stacks) < _FEWEST or not literals:
        return None
    figures, ratio = _figures(groups)
    random = np.random.default_rng(seed)
    splits = _Splits(inside, figures, random)
    effects: list[Effect] = []
    floor = splits.floor
    while len(effects) < _SPLITS and (found := splits.next()):
        at, share, p = found
        change, low, high = splits.take(at)
        change, low, high = (exp(each) - 1 if ratio else each for each in (change, low, high))
        literal = literals[at]
        effects.append(
            Effect(
                literal.name, _range(literal, matrix), int(inside[at].sum()), share, change, low, high, ratio, p,
                _alike(at, literals, inside),
            )
        )  # fmt: skip
    shares = dict.fromkeys(matrix.columns, 0.0)
    for each in effects:
        shares[each.package] += each.share
    ordered = dict(sorted(shares.items(), key=lambda each: (-each[1], each[0])))
    return Importance(ordered, tuple(effects), floor, len(stacks))


class _Splits:
    """Splits of figures, one after the other."""

    def __init__(
        self, inside: "npt.NDArray[np.bool_]", figures: "Array", random: "np.random.Generator"
    ) -> None:
        self._inside = inside
        centred = inside - inside.mean(axis=1, keepdims=True)
        self._unit = centred / (centred**2).sum(axis=1, keepdims=True) ** 0.5
        self._left = figures - figures.mean()
        self._total = float((self._left**2).sum())
        self._random = random
        self.floor = self._dealt()[1] if self._total > 0 else 0.0

    def next(self) -> tuple[int, float, float] | None:
        """The best split, its share, and how often chance does as much; None if it is noise."""
        if float((self._left**2).sum()) <= 1e-12 * max(self._total, 1e-300):
            return None
        scores = (self._unit @ self._left) ** 2
        at = int(scores.argmax())
        maxima, _ = self._dealt()
        p = float((1 + (maxima >= scores[at]).sum()) / (len(maxima) + 1))
        return (at, float(scores[at]) / self._total, p) if p <= _LEVEL else None

    def take(self, at: int) -> tuple[float, float, float]:
        """Take a split's effect away; its size with its interval (Welch)."""
        import numpy as np
        from scipy.special import stdtrit

        mask = self._inside[at]
        one, other = self._left[mask], self._left[~mask]
        change = float(one.mean() - other.mean())
        parts = [float(each.var(ddof=1)) / len(each) for each in (one, other)]
        error = sum(parts) ** 0.5
        below = sum(part**2 / (len(each) - 1) for part, each in zip(parts, (one, other), strict=True))
        freedom = sum(parts) ** 2 / below if below else 1e6
        half = float(stdtrit(freedom, 0.975)) * error
        self._left = self._left - np.where(mask, one.mean(), other.mean())
        return change, change - half, change + half

    def _dealt(self) -> "tuple[Array, float]":
        """The best scores in dealt figures, and the share that one of twenty exceeds."""
        import numpy as np

        dealt = self._random.permuted(np.tile(self._left, (_DEALS, 1)), axis=1).T
        maxima = np.zeros(_DEALS)
        for start in range(0, len(self._unit), 2000):
            maxima = np.maximum(maxima, ((self._unit[start : start + 2000] @ dealt) ** 2).max(axis=0))
        return maxima, float(np.quantile(maxima, 1 - _LEVEL)) / self._total


def _figures(groups: Sequence[Sequence[Measured]]) -> "tuple[Array, bool]":
    """The median of each stack, against those of its kind of hardware."""
    import numpy as np

    ratio = all(value > 0 for group in groups for each in group for value in each.values)
    found = []
    for group in groups:
        medians = np.array([float(np.median(each.values)) for each in group])
        scaled = np.log(medians) if ratio else medians
        found.append(scaled - scaled.mean())
    return np.concatenate(found), ratio


def _ranges(matrix: Matrix) -> "tuple[list[Literal], npt.NDArray[np.bool_]]":
    """Ranges that split the stacks so that at least two are on either side, and who is within.

    Those from one end of a package's versions come first, then single versions: of ranges that split alike they are the simplest,
    and of too many ranges they are the ones that are looked at.
    """
    import numpy as np

    count = len(matrix.pins)
    most = _CELLS // max(count, 1)
    literals: list[Literal] = []
    seen: set[tuple[str, int]] = set()
    for kind in (_ends, _single, _inner):
        for name, column in matrix.columns.items():
            for low, high in kind(len(column.versions) - 1):
                stacks = column.within(low, high)
                splits = 2 <= stacks.bit_count() <= count - 2  # noqa: PLR2004 - one has no spread
                if splits and (name, stacks) not in seen and len(literals) < most:
                    seen.add((name, stacks))
                    literals.append(Literal(name, low, high))
    places = {name: _places(column, count) for name, column in matrix.columns.items()}
    inside = np.empty((len(literals), count), dtype=bool)
    for at, each in enumerate(literals):
        inside[at] = (places[each.name] >= each.low) & (places[each.name] <= each.high)
    return literals, inside


def _places(column: Column, count: int) -> "npt.NDArray[np.int64]":
    """The number of each stack's version; -1: it is without the package."""
    import numpy as np

    found = np.full(count, -1)
    for place, stacks in enumerate(column.having):
        bits = np.frombuffer(stacks.to_bytes((count + 7) // 8, "little"), dtype=np.uint8)
        found[np.unpackbits(bits, count=count, bitorder="little").astype(bool)] = place
    return found


def _ends(last: int) -> list[tuple[int, int]]:
    return [(at, last) for at in range(1, last + 1)] or [(0, 0)]


def _single(last: int) -> list[tuple[int, int]]:
    return [(at, at) for at in range(last + 1)]


def _inner(last: int) -> list[tuple[int, int]]:
    if last >= _MANY:
        return []
    return [(low, high) for low in range(1, last) for high in range(low + 1, last)]


def _alike(at: int, literals: Sequence[Literal], inside: "npt.NDArray[np.bool_]") -> tuple[str, ...]:
    """Packages with a range that splits the stacks nearly as this one does."""
    same = (inside == inside[at]).mean(axis=1)
    names = {
        literals[other].name
        for other in range(len(literals))
        if max(float(same[other]), 1 - float(same[other])) >= _ALIKE
    }
    return tuple(sorted(names - {literals[at].name}))


def _range(literal: Literal, matrix: Matrix) -> Range:
    return Range(matrix.columns[literal.name].versions[literal.low : literal.high + 1])
