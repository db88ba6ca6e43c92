"""What is believed of points after readings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.optimizer.gaussian.likelihood import Hyperparameters, Readings
from trimtab.optimizer.gaussian.posterior import Posterior

SEEDS = st.integers(0, 2**32 - 1)


def drawn(columns, random):
    count = columns.count
    return Hyperparameters(np.concatenate([random.uniform(-2, 1.5, count), random.uniform(-3, 1, 4)]))


@settings(max_examples=20)
@given(SEEDS)
def test_without_noise_it_goes_through_the_readings(mixed, read, believing, seed):
    readings = read(mixed, np.random.default_rng(seed), 8)
    posterior = Posterior(readings, believing([0.3, 0.3, 0.3]))
    mean, variance = posterior.predict(readings.points)
    assert mean == pytest.approx(readings.values, abs=1e-3)
    assert posterior.measured_mean == pytest.approx(readings.values, abs=1e-3)
    assert variance.max() < 1e-3


def test_far_from_readings_it_returns_to_their_mean_and_to_ignorance(line, believing):
    points = np.array([[0.0], [0.15], [0.3], [0.45]])
    values = np.array([-1.5, 0.5, 1.0, 0.0])
    readings = Readings(line, points, values, np.ones(4), np.ones(4))
    posterior = Posterior(readings, believing([0.02], matern=1.0))
    mean, variance = posterior.predict(np.array([[0.7], [1.0]]))
    assert mean == pytest.approx(0, abs=0.01)
    assert variance.min() > 1.0


@settings(max_examples=40)
@given(SEEDS)
def test_readings_never_make_less_sure_and_variances_are_not_negative(mixed, read, seed):
    random = np.random.default_rng(seed)
    posterior = Posterior(read(mixed, random, 12), drawn(mixed, random))
    points = np.vstack([mixed.draw(random, 30), posterior.readings.points])
    mean, variance = posterior.predict(points)
    assert np.isfinite(mean).all()
    assert (variance > 0).all()
    assert (variance <= posterior.kernel.variance(points) * (1 + 1e-9)).all()
    assert (posterior.measured_variance > 0).all()
    assert (posterior.measured_variance <= posterior.noise * (1 + 1e-9)).all()


@settings(max_examples=30)
@given(SEEDS)
def test_slopes_are_those_of_the_predictions(mixed, read, seed):
    random = np.random.default_rng(seed)
    posterior = Posterior(read(mixed, random, 7), drawn(mixed, random))
    point = mixed.draw(random, 1)[0]
    mean, variance, mean_slope, variance_slope = posterior.slope(point)
    (predicted,), (spread,) = posterior.predict(point[None])
    assert mean == pytest.approx(predicted, rel=1e-6, abs=1e-8)
    assert variance == pytest.approx(spread, rel=1e-5, abs=1e-7)
    for column in np.flatnonzero(mixed.numeric):
        move = 1e-5 * np.eye(3)[column]
        up, down = (posterior.predict((point + sign * move)[None]) for sign in (1, -1))
        assert mean_slope[column] == pytest.approx((up[0] - down[0])[0] / 2e-5, rel=1e-3, abs=1e-3)
        assert variance_slope[column] == pytest.approx((up[1] - down[1])[0] / 2e-5, rel=1e-3, abs=1e-3)


@settings(max_examples=20)
@given(SEEDS)
def test_left_out_residuals_are_those_of_models_without_the_reading(square, read, seed):
    """Dubrule's shortcut against leaving out for real."""
    random = np.random.default_rng(seed)
    readings, found = read(square, random, 8), drawn(square, random)
    whole = Posterior(readings, found)
    for i in range(len(readings.values)):
        kept = np.arange(len(readings.values)) != i
        rest = Readings(square, readings.points[kept], readings.values[kept], np.ones(7), np.ones(7))
        mean, variance = Posterior(rest, found).predict(readings.points[[i]])
        sd = np.sqrt(variance + whole.kernel.ruggedness + whole.noise[i])
        assert whole.left_out[i] == pytest.approx(((readings.values[i] - mean) / sd)[0], rel=1e-4, abs=1e-5)


def test_a_reading_said_to_be_noisier_counts_for_less(line, believing):
    points, values = np.array([[0.4], [0.6]]), np.array([-1.0, 1.0])
    sides = np.array([[0.5]])

    def middle(noise):
        readings = Readings(line, points, values, np.ones(2), np.array(noise))
        return Posterior(readings, believing([0.5], noise=0.5)).predict(sides)[0][0]

    assert middle([1.0, 10.0]) < middle([1.0, 1.0]) < middle([10.0, 1.0])


def test_a_point_read_often_counts_for_more(line, believing):
    points, values = np.array([[0.4], [0.6]]), np.array([-1.0, 1.0])

    def residuals(counts):
        readings = Readings(line, points, values, np.array(counts), np.ones(2))
        posterior = Posterior(readings, believing([0.5], noise=0.5))
        return np.abs(posterior.measured_mean - values), posterior.measured_variance

    once, often = residuals([1.0, 1.0]), residuals([9.0, 1.0])
    assert often[0][0] < once[0][0]
    assert often[1][0] < once[1][0]
