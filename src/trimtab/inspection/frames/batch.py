"""The row of an inspection: what its runs have in common, the medians of what was measured, and their statistics."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from trimtab.frames.cell import Cell, Row
from trimtab.inspection.frames.flat import SEPARATOR
from trimtab.inspection.statistics.summary import summarise

__all__ = ["FIGURES", "PARAMETERS", "BatchRun", "inspection_row"]

PARAMETERS = (
    "duration",
    "stdout__@result__elapsed",
    "stdout__@result__rate",
    "usage__ru_utime",
    "usage__ru_stime",
    "usage__ru_nvcsw",
    "usage__ru_nivcsw",
)
"""Measures that have columns of statistics, `<measure>__<figure>`: those of the original, and the duration."""
FIGURES = ("std", "std_error", "mean", "q1", "q3", "iqr", "max", "min", "cov", "covm", "skew")
# They tell one run from another, and not one inspection.
_OF_RUNS = frozenset({"run", "run_state", "hostname", "lost"})


class BatchRun(Protocol):
    """A run as a row."""

    @property
    def row(self) -> Row:
        """Its cells."""

    @property
    def measured(self) -> Mapping[str, float]:
        """What of them was measured."""

    @property
    def state(self) -> str:
        """How it ended."""


def inspection_row(common: Row, runs: Sequence[BatchRun]) -> Row:
    """One row of all runs.

    Of what was measured it has the median over the runs that succeeded; of all else what every run that left a result has in common.

    Args:
        common: What is known of the inspection without its runs.
        runs: All of them.
    """
    done = [each for each in runs if each.state != "lost"]
    good = [each.measured for each in runs if each.state == "succeeded"]
    row = common | _constant([each.row for each in done], {name for each in done for name in each.measured})
    row |= dict(_medians(good))
    row |= _span([each.row for each in done])
    counts: Row = {"inspection_batch": len(done), "runs_succeeded": len(good)}
    return row | counts | {"runs_lost": len(runs) - len(done)}


def _constant(rows: Sequence[Row], measured: set[str]) -> Row:
    if not rows:
        return {}
    first, *others = rows
    return {
        name: cell
        for name, cell in first.items()
        if name not in measured and name not in _OF_RUNS and all(each.get(name) == cell for each in others)
    }


def _medians(good: Sequence[Mapping[str, float]]) -> Iterator[tuple[str, Cell]]:
    for name in dict.fromkeys(name for each in good for name in each):
        found = summarise([each[name] for each in good if name in each])
        yield name, found.median
        for figure in FIGURES if name in PARAMETERS else ():
            yield f"{name}{SEPARATOR}{figure}", getattr(found, figure)


def _span(rows: Sequence[Row]) -> Row:
    starts, ends = (_times(rows, *names) for names in (("start_datetime",), ("end_datetime", "datetime")))
    found: Row = {}
    if starts:
        found["inspection_start"] = min(starts)
    if ends:
        found["inspection_end"] = max(ends)
    if starts and ends:
        found["inspection_duration"] = (max(ends) - min(starts)).total_seconds()
    return found


def _times(rows: Sequence[Row], *names: str) -> list[datetime]:
    return [cell for row in rows for name in names if isinstance(cell := row.get(name), datetime)]
