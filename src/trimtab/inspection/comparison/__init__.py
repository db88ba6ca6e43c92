"""Comparison of two inspections: by how much, whether it is shown, and "no difference shown" as an answer."""

from trimtab.inspection.comparison.inspections import CONFIDENCE, Comparison, compare
from trimtab.inspection.comparison.measure import MeasureComparison, Verdict
from trimtab.inspection.comparison.shift import Shift, shift

__all__ = ["CONFIDENCE", "Comparison", "MeasureComparison", "Shift", "Verdict", "compare", "shift"]
