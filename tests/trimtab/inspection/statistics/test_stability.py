"""Warnings of unstable runs: they come when there is a reason, and seldom without one."""

import numpy as np
import pytest
from scipy.special import stdtrit

from trimtab.inspection.statistics import stability
from trimtab.inspection.statistics.stability import OUTLIER_LEVEL

NOISES = {
    "normal": lambda random, n: random.normal(100, 3, n),
    "log-normal": lambda random, n: random.lognormal(0, 0.5, n),
    "uniform": lambda random, n: random.uniform(90, 110, n),
    "exponential": lambda random, n: random.exponential(1, n),
}


def rates(noise, n, count=300):
    random = np.random.default_rng(n)
    found = [stability(NOISES[noise](random, n)) for _ in range(count)]
    return {
        "drift": np.mean([each.drift is not None for each in found]),
        "clusters": np.mean([each.clusters is not None for each in found]),
        "outliers": np.mean([bool(each.outliers) for each in found]),
    }


@pytest.mark.parametrize("n", [5, 10, 50])
@pytest.mark.parametrize("noise", NOISES)
def test_ordinary_noise_is_seldom_called_drifting_or_bimodal(noise, n):
    """At most 2 % and 1 %, with what chance adds in 300 batches."""
    found = rates(noise, n)
    assert found["drift"] <= 0.045
    assert found["clusters"] <= 0.03
    if noise in {"normal", "uniform"}:  # the others have far values by their nature
        assert found["outliers"] <= 0.03


def test_runs_that_get_slower_all_the_way_drift():
    assert stability([1.0, 1.1, 1.2, 1.3, 1.4]).drift == 1
    falling = stability([9.0, 8.0, 7.5, 7.0, 6.0, 6.5, 5.0, 4.0])
    assert falling.drift < -0.8
    assert "falls over the order" in next(falling.warnings("duration"))


@pytest.mark.parametrize("n", [8, 20, 50])
def test_two_clusters_far_apart_are_told_with_their_medians(n):
    random = np.random.default_rng(n)
    values = random.normal(100, 1, n) + 30 * (np.arange(n) % 2)
    found = stability(values)
    assert found.clusters == pytest.approx((100, 130), abs=2)
    assert not found.outliers
    assert "two clusters" in "".join(found.warnings("duration"))


def test_a_coarse_clock_makes_no_clusters():
    assert stability([0.01, 0.01, 0.02, 0.02, 0.01, 0.02, 0.01]).clusters is None


def test_a_value_far_from_all_others_is_an_outlier_at_its_place():
    values = [10.0, 10.1, 9.9, 10.05, 30.0, 9.95, 10.02, 9.97]
    assert stability(values).outliers == (4,)


def test_too_few_runs_are_not_tested():
    found = stability([1.0, 2.0, 3.0, 4.0])
    assert not found.tested
    assert found.is_stable


def test_the_largest_numbers_and_equal_ones_are_tested():
    assert stability([1e150, -1e150, 1e150, 0.0, 1.0]).tested
    assert stability([7.0] * 9).is_stable


def _rosner(values):
    """The test as its paper has it: the farthest from the mean is taken, again and again."""
    places, found, told = np.arange(len(values)), [], 0
    for _ in range(max(1, len(values) // 5)):
        left = values[places]
        far = np.abs(left - left.mean())
        worst = int(far.argmax())
        if not float(np.ptp(left)):
            break
        n, found = len(left), [*found, int(places[worst])]
        t = float(stdtrit(n - 2, OUTLIER_LEVEL / (2 * n)))
        if float(far[worst]) > (n - 1) / np.sqrt(n) * np.sqrt(t * t / (n - 2 + t * t)) * float(
            left.std(ddof=1)
        ):
            told = len(found)
        places = np.delete(places, worst)
    return tuple(sorted(found[:told]))


@pytest.mark.parametrize("kind", ["normal", "coarse", "skewed", "heavy tails", "one far off"])
def test_outliers_are_those_of_the_test_as_it_is_defined(kind):
    rng = np.random.default_rng(7)
    for _ in range(60):
        n = int(rng.integers(5, 150))
        values = {
            "normal": rng.normal(size=n),
            "coarse": np.round(rng.normal(size=n), 1),
            "skewed": rng.lognormal(0, 1, n),
            "heavy tails": rng.standard_cauchy(n),
            "one far off": 1 + 1e-9 * rng.normal(size=n),
        }[kind]
        if kind == "one far off":
            values[int(rng.integers(n))] = rng.choice([-1e3, 1e3, 50.0])
        found = stability(values.tolist())
        assert found.outliers == (() if found.clusters else _rosner(values))
