"""Statistics over the batch of an inspection: each measure's figures, whether they are stable, how many more runs it takes."""

from trimtab.inspection.statistics.batch import (
    PRIMARY,
    BatchStatistics,
    HardwareGroup,
    MeasureStatistics,
    describe,
)
from trimtab.inspection.statistics.hardware import Hardware
from trimtab.inspection.statistics.measures import measures
from trimtab.inspection.statistics.median import Interval, interval, more_runs
from trimtab.inspection.statistics.runs import Reading, Results, readings
from trimtab.inspection.statistics.stability import Stability, stability
from trimtab.inspection.statistics.summary import Summary, summarise

__all__ = [
    "PRIMARY",
    "BatchStatistics",
    "Hardware",
    "HardwareGroup",
    "Interval",
    "MeasureStatistics",
    "Reading",
    "Results",
    "Stability",
    "Summary",
    "describe",
    "interval",
    "measures",
    "more_runs",
    "readings",
    "stability",
    "summarise",
]
