"""The figures of one measure."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from trimtab.inspection.statistics import summarise
from trimtab.inspection.statistics.measures import LARGEST

FIGURES = ("median", "q1", "q3", "iqr", "mean", "std", "std_error", "cov", "covm", "min", "max", "skew")


def test_the_figures_are_those_of_scipy():
    values = np.random.default_rng(0).lognormal(1, 0.4, 17)
    found = summarise(values)
    q1, q3 = np.percentile(values, [25, 75])
    assert (found.n, found.q1, found.q3, found.iqr) == (17, *map(pytest.approx, (q1, q3, q3 - q1)))
    assert found.std_error == pytest.approx(stats.sem(values))
    assert found.cov == pytest.approx(stats.variation(values, ddof=1))
    assert found.covm == pytest.approx((q3 - q1) / np.median(values))
    assert found.skew == pytest.approx(stats.skew(values, bias=False))


def test_what_few_values_leave_undefined_is_none():
    found = summarise([2.0])
    assert (found.median, found.std, found.std_error, found.cov, found.skew, found.interval) == (
        2.0,
        *[None] * 5,
    )
    assert summarise([1.0, -1.0]).cov is None
    with pytest.raises(ValueError, match="no run"):
        summarise([])


def test_equal_values_have_no_spread():
    found = summarise([0.1] * 7)
    assert (found.std, found.iqr, found.skew) == (0, pytest.approx(0, abs=1e-15), 0)


@given(st.lists(st.floats(-LARGEST, LARGEST), min_size=1, max_size=20))
def test_figures_of_any_finite_values_are_json(values):
    found = summarise(values).to_dict()
    json.dumps(found, allow_nan=False)
    assert set(FIGURES) <= set(found)
    assert found["min"] <= found["max"]
