"""Two inspections, one against the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.inspection.comparison.conditions import unlike
from trimtab.inspection.comparison.drift import explains, later
from trimtab.inspection.comparison.measure import MeasureComparison, Verdict, adjusted, said
from trimtab.inspection.comparison.shift import shift
from trimtab.inspection.statistics.batch import by_hardware, primary_of, values_of
from trimtab.inspection.statistics.hardware import Hardware
from trimtab.inspection.statistics.runs import Reading, Results, Standing, readings, standings
from trimtab.inspection.statistics.stability import stability

__all__ = ["CONFIDENCE", "Comparison", "compare"]

CONFIDENCE = 0.99
"""One comparison in a hundred of a thing with itself may be a false alarm, and no more."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of the second inspection against the first.

    Args:
        verdict: By the primary measure.
        confidence: Of the verdict and the intervals.
        primary: The measure that the verdict rests on, with its figures; None if nothing can be compared.
        others: All other measures that both have and that differ between any two runs, by name.
        hardware: The kinds of machine that were compared, of the first and the second; None if there is no common one.
        counts: Runs of the first and the second by standing.
        notes: Why the verdict is as it is, and what to beware of, in sentences.
    """

    verdict: Verdict
    confidence: float
    primary: MeasureComparison | None
    others: Mapping[str, MeasureComparison]
    hardware: tuple[Hardware, Hardware] | None
    counts: tuple[Mapping[Standing, int], Mapping[Standing, int]]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "verdict": self.verdict,
            "confidence": self.confidence,
            "primary": self.primary.to_dict() if self.primary else None,
            "others": {name: each.to_dict() for name, each in self.others.items()},
            "hardware": [each.to_dict() for each in self.hardware] if self.hardware else None,
            "counts": [dict(each) for each in self.counts],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class _Pair:
    """Runs of both on one kind of machine."""

    hardware: tuple[Hardware, Hardware]
    first: list[Reading]
    second: list[Reading]


def compare(
    first: Results,
    second: Results,
    *,
    primary: str | None = None,
    confidence: float = CONFIDENCE,
    engines: tuple[str | None, str | None] = (None, None),
) -> Comparison:
    """Compare two inspections.

    They are compared on the kind of machine on which both have most runs; machines are of one kind if the catalog's digest
    of them is the same, and where no digest is, if processor and number of processors are.

    Args:
        first: Result documents of what there was; None for a run that was lost.
        second: Of what is new.
        primary: The measure that the verdict rests on; by default the first of `PRIMARY` that all runs have. Choose it
            before you see the figures.
        confidence: Of the verdict and the intervals.
        engines: Names of the engines that made each, as their reports have it; where they differ, a note says so, as of
            limits and other conditions that the documents tell.

    Raises:
        TypeError: A result is no document.
        ValueError: The confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}: it must be between 0 and 1, such as 0.99")
    both = readings(first), readings(second)
    counts = standings(both[0]), standings(both[1])
    counted = [[each for each in runs if each.standing == "counted"] for runs in both]
    if not all(counted):
        return Comparison(
            "too few runs", confidence, None, {}, None, counts, ("no run of one of them is counted",)
        )
    pair, notes = _paired(*counted)
    if pair is None:
        return Comparison("not comparable", confidence, None, {}, None, counts, tuple(notes))
    notes.extend(unlike(pair.first, pair.second, engines))
    name = primary or primary_of([*pair.first, *pair.second])
    return _compared(pair, name, confidence, counts, notes)


def _compared(
    pair: _Pair,
    name: str | None,
    confidence: float,
    counts: tuple[Mapping[Standing, int], Mapping[Standing, int]],
    notes: list[str],
) -> Comparison:
    main = _measured(pair, name, confidence) if name else None
    if main is None:
        notes.append(f"{name or 'no measure'} was not measured in both")
    else:
        main = _without_drift(pair, main, notes)
        notes.extend(_notes(pair, main))
    return Comparison(
        verdict=main.verdict if main else "not measured",
        confidence=confidence,
        primary=main,
        others=_others(pair, name, confidence),
        hardware=pair.hardware,
        counts=counts,
        notes=tuple(notes),
    )


def _paired(first: Sequence[Reading], second: Sequence[Reading]) -> tuple[_Pair | None, list[str]]:
    """The runs to compare, and what is to be said of the choice."""
    kinds = by_hardware(first), by_hardware(second)
    common = [_Pair((a, b), x, y) for a, x in kinds[0] for b, y in kinds[1] if a.matches(b)]
    if not common:
        told = " and ".join(", ".join(str(kind) for kind, _ in each) for each in kinds)
        return None, [f"different hardware: {told}"]
    chosen = max(common, key=lambda each: (min(len(each.first), len(each.second)), len(each.first)))
    notes = []
    left = len(first) + len(second) - len(chosen.first) - len(chosen.second)
    if left:
        notes.append(f"{left} runs on other machines than {chosen.hardware[0]} are left out")
    if not chosen.hardware[0].is_known:
        notes.append("the hardware of the runs is not known: it is taken for the same")
    elif chosen.hardware[0] != chosen.hardware[1]:
        notes.append(
            "one has no hardware document: that the machines are of one kind goes by their processors"
        )
    return chosen, notes


def _measured(pair: _Pair, name: str, confidence: float) -> MeasureComparison | None:
    values = values_of(name, pair.first), values_of(name, pair.second)
    if not all(values):
        return None
    found = shift(*values, confidence)
    return MeasureComparison(name, said(name, found, found.p_value), found, found.p_value)


def _without_drift(pair: _Pair, main: MeasureComparison, notes: list[str]) -> MeasureComparison:
    if main.verdict in ("no difference shown", "too few runs"):
        return main
    values = values_of(main.name, pair.first), values_of(main.name, pair.second)
    if not explains(*values, main.shift.shift, later(pair.first, pair.second)):
        return main
    notes.append(
        f"{main.name} drifts over the runs, and that alone may make the difference: run both anew, after a warm-up or by turns"
    )
    return MeasureComparison(main.name, "no difference shown", main.shift, main.p_adjusted)


def _notes(pair: _Pair, main: MeasureComparison) -> list[str]:
    if main.verdict == "too few runs":
        return ["with so few runs chance would make any difference too often: 5 runs of each are enough"]
    sides = ("the first", pair.first), ("the second", pair.second)
    return [
        f"{side}: {each}"
        for side, runs in sides
        for each in stability(values_of(main.name, runs)).warnings(main.name)
    ]


def _others(pair: _Pair, primary: str | None, confidence: float) -> dict[str, MeasureComparison]:
    """Measures that are the same in all runs of both would only make the test of the others harder."""
    names = {name for each in pair.first for name in each.measures} - {primary}
    found = {name: each for name in sorted(names) if (each := _measured(pair, name, confidence))}
    varied = {name: each for name, each in found.items() if _varies(pair, name)}
    holm = adjusted({name: each.shift.p_value for name, each in varied.items()})
    return {
        name: MeasureComparison(name, said(name, each.shift, holm[name]), each.shift, holm[name])
        for name, each in varied.items()
    }


def _varies(pair: _Pair, name: str) -> bool:
    return len({*values_of(name, pair.first), *values_of(name, pair.second)}) > 1
