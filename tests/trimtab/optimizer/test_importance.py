"""How much each setting matters."""

import math

import numpy as np
import pytest

from trimtab.optimizer import Observation, Parameter, Space
from trimtab.optimizer.gaussian.landscape import Landscape
from trimtab.optimizer.importance import shares

SPACE = Space(
    (
        Parameter("a.x", "range", 0, 1),
        Parameter("a.n", "range", 1, 8, 1, integer=True),
        Parameter("a.c", "enum", values=("p", "q", "r")),
        Parameter("a.pinned", "range", fixed=3),
    )
)
LEVELS = {"p": 0.0, "q": 1.0, "r": 0.3}


def after(loss, *, count=40, noise=0.0, seed=0):
    """The shares after readings at random points."""
    random = np.random.default_rng(seed)
    landscape = Landscape(SPACE)
    for _ in range(count):
        point = SPACE.from_unit(random.random(3))
        landscape.observe(Observation(point, loss(point) + noise * random.standard_normal()))
    return shares(landscape.surface(), landscape.columns)


@pytest.mark.parametrize("noise", [0.0, 0.03])
@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("a.x", lambda point: 5 + (point["a.x"] - 0.3) ** 2 * 4),
        ("a.n", lambda point: 5 + abs(point["a.n"] - 6) / 5),
        ("a.c", lambda point: 5 + LEVELS[point["a.c"]]),
    ],
)
def test_what_alone_matters_gets_nearly_all_and_the_others_nearly_nothing(name, loss, noise):
    found = after(loss, noise=noise)
    assert found[name] > 0.8
    assert all(share < 0.1 for other, share in found.items() if other != name)


def test_shares_sum_to_one_and_fixed_settings_have_none():
    found = after(lambda point: point["a.x"] + point["a.n"] / 8 + LEVELS[point["a.c"]])
    assert set(found) == {"a.x", "a.n", "a.c"}
    assert math.fsum(found.values()) == pytest.approx(1)
    assert all(0.05 < share < 0.7 for share in found.values())


def test_what_matters_only_together_matters_both_ways():
    found = after(lambda point: 5 + (point["a.x"] - 0.5) * (point["a.n"] - 4.5), count=50)
    assert found["a.x"] > 0.35
    assert found["a.n"] > 0.35
    assert found["a.c"] < 0.1


def test_the_size_of_a_tail_does_not_hide_the_rest():
    """One setting saturates the service at one of its ends; the other matters everywhere else."""
    found = after(lambda point: 10 * (point["a.x"] - 0.5) ** 2 + 1 / (1.001 - point["a.n"] / 8), count=60)
    # Of the variance in the objective's own unit it has 5 parts in a million.
    assert found["a.x"] > 0.005


def test_flat_ground_and_no_readings_leave_all_alike():
    assert after(lambda _: 7.0) == pytest.approx(dict.fromkeys(["a.x", "a.n", "a.c"], 1 / 3))
    empty = Landscape(SPACE)
    assert shares(empty.surface(), empty.columns) == pytest.approx(
        dict.fromkeys(["a.x", "a.n", "a.c"], 1 / 3)
    )


def test_the_same_readings_give_the_same_shares():
    assert after(lambda point: point["a.x"] ** 2) == after(lambda point: point["a.x"] ** 2)
