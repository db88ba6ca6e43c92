"""Readings on the scale on which they are modelled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.optimizer.gaussian.warping import OFFSETS, Warp

READINGS = st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), min_size=2, max_size=20).map(np.array)
offsets = pytest.mark.parametrize("offset", OFFSETS)


def span(readings):
    return float(np.ptp(readings)) or 1.0


@offsets
@given(readings=READINGS)
def test_order_is_kept_everywhere(offset, readings):
    warp = Warp.fitted(readings, offset)
    low, high = readings.min() - span(readings), readings.max() + span(readings)
    mapped = warp.apply(np.linspace(low, high, 50))
    assert np.isfinite(mapped).all()
    assert (np.diff(mapped) > 0).all()


@offsets
@given(readings=READINGS)
def test_what_is_mapped_comes_back(offset, readings):
    """Also below the least reading and above the greatest."""
    warp = Warp.fitted(readings, offset)
    around = np.concatenate(
        [readings, readings.min() - span(readings) * np.array([0.1, 1]), [readings.max() + span(readings)]]
    )
    rounding = 1e-8 * (span(readings) + np.abs(readings).max())
    assert warp.invert(warp.apply(around)) == pytest.approx(around, rel=1e-7, abs=rounding)


@offsets
@given(seed=st.integers(0, 10_000))
def test_the_slope_is_that_of_the_map(offset, seed):
    readings = np.random.default_rng(seed).lognormal(0, 1.5, 12)
    warp = Warp.fitted(readings, offset)
    step = 1e-6 * span(readings)
    inside = readings[readings > readings.min() + 10 * step]
    found = (warp.apply(inside + step) - warp.apply(inside - step)) / (2 * step)
    assert warp.slope(inside) == pytest.approx(found, rel=1e-2)
    assert (warp.slope(readings) > 0).all()


@offsets
def test_readings_are_standardised(offset):
    mapped = Warp.fitted(readings := np.random.default_rng(0).lognormal(0, 2, 50), offset).apply(readings)
    assert mapped.mean() == pytest.approx(0, abs=1e-9)
    assert mapped.std() == pytest.approx(1)


@offsets
@pytest.mark.parametrize("value", [0.0, 5.0, -3e9, 1e-300])
def test_readings_that_are_all_alike_are_mapped_to_numbers(offset, value):
    warp = Warp.fitted(np.full(4, value), offset)
    mapped = warp.apply(np.array([value, value + 1.0]))
    assert np.isfinite(mapped).all()
    assert np.isfinite(warp.slope(np.array([value]))).all()


def test_a_tail_is_drawn_in():
    """A saturated service's latency must not make the differences among the others vanish."""
    readings = np.array([1.0, 1.2, 1.5, 2.0, 3.0, 1000.0])

    def share(offset):
        mapped = Warp.fitted(readings, offset).apply(readings)
        return (mapped[4] - mapped[0]) / np.ptp(mapped)

    assert share(0.1) > 20 * share(np.inf)
