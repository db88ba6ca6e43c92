"""How alike points are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.optimizer.gaussian.kernel import Kernel

SEEDS = st.integers(0, 2**32 - 1)


def drawn(columns, random, frame=None):
    return Kernel(columns, random.uniform(0.1, 3, columns.count), *random.uniform(0.1, 3, 2), 0.01, frame)


@settings(max_examples=30)
@given(SEEDS)
def test_covariances_are_symmetric_and_of_something(mixed, turned, seed):
    """No combination of points has a negative variance."""
    random = np.random.default_rng(seed)
    kernel, points = drawn(mixed, random, turned(mixed, random)), mixed.draw(random, 15)
    covariance = kernel.between(points, points)
    assert covariance == pytest.approx(covariance.T)
    assert np.linalg.eigvalsh(covariance).min() > -1e-9 * covariance.max()
    assert np.diag(covariance) == pytest.approx(kernel.variance(points))


@settings(max_examples=30)
@given(SEEDS)
def test_slopes_are_those_of_the_values(mixed, turned, seed):
    random = np.random.default_rng(seed)
    kernel, others = drawn(mixed, random, turned(mixed, random)), mixed.draw(random, 6)
    point = mixed.draw(random, 1)[0]
    values, slopes = kernel.slopes(point, others)
    prior, prior_slope = kernel.variance_slope(point)
    assert values == pytest.approx(kernel.between(point[None], others)[0])
    assert prior == pytest.approx(kernel.variance(point[None])[0])
    for column in np.flatnonzero(mixed.numeric):
        up, down = point.copy(), point.copy()
        up[column], down[column] = point[column] + 1e-6, point[column] - 1e-6
        found = (kernel.between(up[None], others) - kernel.between(down[None], others))[0] / 2e-6
        assert slopes[:, column] == pytest.approx(found, rel=1e-3, abs=1e-4)
        rise = (kernel.variance(up[None]) - kernel.variance(down[None]))[0] / 2e-6
        assert prior_slope[column] == pytest.approx(rise, rel=1e-3, abs=1e-4)
    assert not slopes[:, mixed.categorical].any()


def test_nearer_points_are_more_alike_and_categories_are_all_equally_far(mixed):
    kernel = Kernel(mixed, np.array([0.5, 0.5, 0.5]), 1.0, 0.0, 0.0)
    x = np.array([[0.2, 0.0, 1 / 6]])
    others = np.array([[0.2, 0.0, 1 / 6], [0.3, 0.0, 1 / 6], [0.9, 0.0, 1 / 6]])
    alike = kernel.between(x, others)[0]
    assert alike[0] > alike[1] > alike[2]
    second, third = kernel.between(x, np.array([[0.2, 0.0, 3 / 6], [0.2, 0.0, 5 / 6]]))[0]
    assert second == pytest.approx(third)
    assert second < alike[0]
