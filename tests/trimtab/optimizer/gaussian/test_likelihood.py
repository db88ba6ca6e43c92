"""How plausible hyperparameters are."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.optimizer.gaussian.likelihood import Readings, implausibility, most_plausible, starts


def differences(function, at, step=1e-5):
    moves = step * np.eye(len(at))
    return np.array([(function(at + move) - function(at - move)) / (2 * step) for move in moves])


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), repeated=st.booleans())
def test_the_gradient_is_that_of_the_value(mixed, read, seed, repeated):
    random = np.random.default_rng(seed)
    readings = read(mixed, random, 9)
    n = len(readings.values)
    if repeated:
        readings = Readings(
            mixed,
            readings.points,
            readings.values,
            counts=random.integers(1, 5, n).astype(float),
            noise=random.uniform(0.2, 5, n),
            squares=float(random.uniform(0.01, 2)),
            freedom=int(random.integers(1, 9)),
        )
    typical, surprise = random.normal(-1, 1, 7), random.uniform(0.5, 2, 7)
    at = np.concatenate([random.uniform(-1.5, 1.5, 3), random.uniform(-2, 1, 4)])
    value, gradient = implausibility(at, readings, typical, surprise)
    found = differences(lambda x: implausibility(x, readings, typical, surprise)[0], at)
    assert math.isfinite(value)
    assert gradient == pytest.approx(found, rel=1e-4, abs=1e-4 * (1 + np.abs(found).max()))


def test_the_value_is_the_density_of_a_normal_variable(square, read, believing):
    """Up to a constant and what is known beforehand: checked against SciPy."""
    from scipy.stats import multivariate_normal

    readings = read(square, np.random.default_rng(1), 12)
    unsurprised = np.zeros(6), np.full(6, 1e9)
    values, densities = [], []
    for noise, scale in ((0.1, 0.3), (0.5, 2.0), (1.0, 0.1)):
        found = believing([scale, 2 * scale], 1.3, 0.4, 0.05, noise)
        kernel = found.kernel(square)
        covariance = kernel.between(readings.points, readings.points)
        covariance += (kernel.ruggedness + found.noise) * np.eye(len(covariance))
        densities.append(multivariate_normal(cov=covariance).logpdf(readings.values))
        values.append(implausibility(found.logarithms, readings, *unsurprised)[0])
    assert -np.diff(values) == pytest.approx(np.diff(densities), rel=1e-5)


def test_what_cannot_be_factorised_is_implausible_and_no_error(line):
    same = np.array([[0.5], [0.5]])
    readings = Readings(line, same, np.array([-1.0, 1.0]), np.ones(2), np.full(2, -1.0))
    value, gradient = implausibility(np.array([0.0, 0, 0, 0, 1.0]), readings, np.zeros(5), np.ones(5))
    assert value >= 1e6
    assert np.isfinite(gradient).all()


def test_the_most_plausible_is_no_less_so_than_where_the_search_began(square, read):
    readings = read(square, np.random.default_rng(2), 15)
    begin = starts(readings)
    at_once = [most_plausible(readings, [start], 0)[1] for start in begin]
    _, density = most_plausible(readings, begin, 30)
    assert density >= max(at_once) - 1e-9


def test_a_setting_that_does_nothing_gets_the_longer_scale(square):
    points = square.draw(np.random.default_rng(3), 30)
    values = np.sin(9 * points[:, 0])
    values = (values - values.mean()) / values.std()
    readings = Readings(square, points, values, np.ones(30), np.ones(30))
    found, _ = most_plausible(readings, starts(readings), 60)
    scales = found.kernel(square).scales
    assert scales[1] > 3 * scales[0]
