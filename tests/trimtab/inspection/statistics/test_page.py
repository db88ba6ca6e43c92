"""Every figure, field, verdict and limit has its place in the page of the statistics."""

from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from trimtab.inspection.comparison import CONFIDENCE, Shift, Verdict
from trimtab.inspection.statistics import PRIMARY, Interval, MeasureStatistics, Stability, Summary
from trimtab.inspection.statistics.measures import MAX_DEPTH, MAX_MEASURES, MAX_NAME
from trimtab.inspection.statistics.stability import DRIFT_LEVEL, MIN_RUNS

PAGE = " ".join((Path(__file__).parents[4] / "docs/inspection-statistics.md").read_text().split())


@pytest.mark.parametrize("kind", [Summary, Interval, Stability, MeasureStatistics, Shift])
def test_every_figure_is_in_the_page(kind):
    unsaid = {"summary", "medians", "confidence"}  # a part, and what names itself
    names = {each.name for each in fields(kind)} - unsaid
    assert sorted(name for name in names if f"`{name}`" not in PAGE) == []


def test_every_verdict_and_primary_measure_is_in_the_page():
    assert [name for name in (*get_args(Verdict), *PRIMARY) if f"`{name}`" not in PAGE] == []


def test_the_numbers_are_those_of_the_code():
    assert (MAX_MEASURES, MAX_DEPTH, MAX_NAME) == (1000, 16, 256)
    assert (CONFIDENCE, DRIFT_LEVEL, MIN_RUNS) == (0.99, 0.02, 5)
    assert f"At most {MAX_MEASURES} of a run are looked at, {MAX_DEPTH} objects deep" in PAGE
