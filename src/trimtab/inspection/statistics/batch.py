"""The statistics of an inspection: of each measure, for each kind of machine that its runs were on."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.inspection.statistics.hardware import Hardware
from trimtab.inspection.statistics.median import more_runs
from trimtab.inspection.statistics.runs import Reading, Results, Standing, readings, standings
from trimtab.inspection.statistics.stability import Stability, stability
from trimtab.inspection.statistics.summary import Summary, summarise

__all__ = [
    "PRIMARY",
    "BatchStatistics",
    "HardwareGroup",
    "MeasureStatistics",
    "describe",
    "describe_readings",
    "primary_of",
]

PRIMARY = ("stdout__@result__elapsed", "duration", "usage__ru_utime")
"""Of which measure there are warnings, and which a comparison rests on: the first of these that there is."""


@dataclass(frozen=True, slots=True)
class MeasureStatistics:
    """One measure on one kind of machine.

    Args:
        summary: Its figures.
        stability: Whether the runs are alike.
        more_runs: How many more would bring the median's interval to the wanted half-width; None if that cannot be told.
    """

    summary: Summary
    stability: Stability
    more_runs: int | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            **self.summary.to_dict(),
            "stability": self.stability.to_dict(),
            "more_runs": self.more_runs,
        }


@dataclass(frozen=True, slots=True)
class HardwareGroup:
    """The counted runs on one kind of machine.

    Args:
        hardware: The kind.
        items: Numbers of the runs, in their order.
        measures: By flat name.
        warnings: About the primary measure, in sentences.
    """

    hardware: Hardware
    items: tuple[int, ...]
    measures: Mapping[str, MeasureStatistics]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "hardware": self.hardware.to_dict(),
            "items": list(self.items),
            "measures": {name: each.to_dict() for name, each in self.measures.items()},
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class BatchStatistics:
    """An inspection's runs in figures.

    Args:
        counts: Runs that are counted, failed, were lost, or were to warm up.
        groups: One for each kind of machine, that with most runs first.
        primary: The measure that warnings are about; None if nothing was measured.
        half_width: What `more_runs` aims at, relative to the median.
        confidence: Of the intervals.
        warnings: In sentences, with the machine where there are several.
    """

    counts: Mapping[Standing, int]
    groups: tuple[HardwareGroup, ...]
    primary: str | None
    half_width: float
    confidence: float
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "counts": dict(self.counts),
            "groups": [each.to_dict() for each in self.groups],
            "primary": self.primary,
            "half_width": self.half_width,
            "confidence": self.confidence,
            "warnings": list(self.warnings),
        }


def describe(
    results: Results, *, primary: str | None = None, half_width: float = 0.02, confidence: float = 0.95
) -> BatchStatistics:
    """The statistics of one inspection.

    Args:
        results: Its result documents, ours or the original's; None for a run that was lost.
        primary: The measure to warn about; by default the first of `PRIMARY` that there is.
        half_width: Of the median's interval, relative to the median, at which a measure is settled.
        confidence: Of the intervals.

    Raises:
        TypeError: A result is no document.
        ValueError: The half-width is not more than 0, or the confidence not between 0 and 1.
    """
    return describe_readings(readings(results), primary=primary, half_width=half_width, confidence=confidence)


def describe_readings(
    found: Sequence[Reading],
    *,
    primary: str | None = None,
    half_width: float = 0.02,
    confidence: float = 0.95,
) -> BatchStatistics:
    """The same of what was read of the results before."""
    _check(half_width, confidence)
    counted = [each for each in found if each.standing == "counted"]
    chosen = primary or primary_of(counted)
    groups = tuple(_group(kind, runs, chosen, half_width, confidence) for kind, runs in by_hardware(counted))
    warnings = tuple(_warnings(groups))
    return BatchStatistics(standings(found), groups, chosen, half_width, confidence, warnings)


def by_hardware(counted: Sequence[Reading]) -> list[tuple[Hardware, list[Reading]]]:
    """Runs of each kind of machine, in their order; the kind with most of them first."""
    kinds: defaultdict[Hardware, list[Reading]] = defaultdict(list)
    for each in counted:
        kinds[each.hardware].append(each)
    return sorted(kinds.items(), key=lambda each: -len(each[1]))


def primary_of(counted: Sequence[Reading]) -> str | None:
    """The first of `PRIMARY` that every run has; if there is none, the first measure by name."""
    for name in PRIMARY:
        if counted and all(name in each.measures for each in counted):
            return name
    return min((name for each in counted for name in each.measures), default=None)


def values_of(name: str, runs: Sequence[Reading]) -> list[float]:
    """A measure's values, in the order of the runs; runs without it have none."""
    return [each.measures[name] for each in runs if name in each.measures]


def _check(half_width: float, confidence: float) -> None:
    if not half_width > 0:
        raise ValueError(f"half_width is {half_width}: it must be more than 0, such as 0.02 for two percent")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}: it must be between 0 and 1, such as 0.95")


def _group(
    kind: Hardware, runs: Sequence[Reading], primary: str | None, half_width: float, confidence: float
) -> HardwareGroup:
    names = dict.fromkeys(name for each in runs for name in each.measures)
    found = {name: _measure(values_of(name, runs), half_width, confidence) for name in names}
    warnings = found[primary].stability.warnings(primary) if primary in found and primary else ()
    return HardwareGroup(kind, tuple(each.item for each in runs), found, tuple(warnings))


def _measure(values: Sequence[float], half_width: float, confidence: float) -> MeasureStatistics:
    return MeasureStatistics(
        summarise(values, confidence), stability(values), more_runs(values, half_width, confidence)
    )


def _warnings(groups: Sequence[HardwareGroup]) -> Iterator[str]:
    if len(groups) > 1:
        yield f"the runs were on {len(groups)} kinds of machines: figures are for each of them, and not for all runs"
    for group in groups:
        place = f"on {group.hardware}: " if len(groups) > 1 else ""
        yield from (f"{place}{each}" for each in group.warnings)
