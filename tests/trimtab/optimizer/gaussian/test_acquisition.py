"""What points are worth measuring for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from trimtab.optimizer.gaussian.acquisition import (
    knowledge_gradient,
    log_expected_improvement,
    log_improvement_slope,
)
from trimtab.optimizer.gaussian.likelihood import Readings
from trimtab.optimizer.gaussian.posterior import Posterior

SDS = st.floats(1e-3, 100)


def worth(mean, sd, best=0.0):
    return float(log_expected_improvement(np.array([mean]), np.array([sd]), best)[0])


@given(mean=st.floats(-4, 4), best=st.floats(-4, 4), sd=st.floats(0.5, 5))
def test_it_is_the_expected_improvement(mean, best, sd):
    """Against the closed form, where that does not cancel."""
    z = (best - mean) / sd
    expected = sd * (norm.pdf(z) + z * norm.cdf(z))
    assert np.exp(worth(mean, sd, best)) == pytest.approx(expected, rel=1e-3, abs=1e-9)


@given(mean=st.floats(-1e6, 1e6), sd=st.floats(1e-3, 1e3), best=st.floats(-1e6, 1e6))
def test_it_is_finite_however_hopeless(mean, sd, best):
    assert np.isfinite(worth(mean, sd, best))


@given(mean=st.floats(-3, 100), sd=SDS, by=st.floats(0.01, 10))
def test_better_places_and_less_known_ones_are_worth_more(mean, sd, by):
    assert worth(mean, sd) > worth(mean + by * sd, sd)
    # Where a point is sure to be better, doubt adds nothing.
    assert worth(mean, sd * (1 + by)) >= worth(mean, sd)
    assert worth(abs(mean), sd * (1 + by)) > worth(abs(mean), sd)


@given(mean=st.floats(-5, 30), variance=st.floats(0.1, 9), seed=st.integers(0, 999))
def test_the_slope_is_that_of_the_worth(mean, variance, seed):
    slopes = np.random.default_rng(seed).normal(size=(2, 3))
    value, slope = log_improvement_slope(mean, variance, (slopes[0], slopes[1]), 0.0)
    assert value == pytest.approx(worth(mean, np.sqrt(variance)), rel=1e-9, abs=1e-9)
    step = 1e-5

    def at(t, column):
        return worth(mean + t * slopes[0, column], np.sqrt(variance + t * slopes[1, column]))

    found = [(at(step, column) - at(-step, column)) / (2 * step) for column in range(3)]
    # Five standard deviations off, the asymptotic series is good to some percent.
    assert slope == pytest.approx(found, rel=0.05, abs=0.05)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), noise=st.floats(0.01, 3))
def test_knowledge_is_finite_and_never_worth_less_than_nothing(square, read, believing, seed, noise):
    random = np.random.default_rng(seed)
    posterior = Posterior(read(square, random, 10), believing([0.3, 0.6], noise=noise, rugged=0.05))
    new, again = knowledge_gradient(posterior, square.draw(random, 40), noise, np.arange(5))
    assert new.shape == (40,)
    assert again.shape == (5,)
    for gain in (new, again):
        assert np.isfinite(gain).all()
        # The nodes are symmetric, so that the mean of minima cannot be above the minimum of means but by rounding.
        assert (gain > -1e-6).all()


def test_more_is_learned_of_the_best_than_of_the_worst_by_measuring_again(line, believing):
    points = np.array([[0.1], [0.5], [0.9]])
    readings = Readings(line, points, np.array([1.2, -1.0, -0.9]), np.ones(3), np.ones(3))
    posterior = Posterior(readings, believing([0.1], noise=0.5))
    _, again = knowledge_gradient(posterior, np.array([[0.3]]), 0.5, np.arange(3))
    assert min(again[1], again[2]) > again[0]


def test_less_is_learned_from_noisier_readings(line, read, believing):
    posterior = Posterior(read(line, np.random.default_rng(4), 5), believing([0.3], noise=0.3))
    points = np.linspace(0.05, 0.95, 7)[:, None]
    sharp = knowledge_gradient(posterior, points, 0.1, np.arange(2))[0]
    blurred = knowledge_gradient(posterior, points, 3.0, np.arange(2))[0]
    assert sharp.sum() > blurred.sum()
