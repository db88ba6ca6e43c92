"""Axes that are not the settings: found where settings act together, and only there."""

import numpy as np
import pytest

from trimtab.optimizer.gaussian.frame import directions
from trimtab.optimizer.gaussian.model import Model
from trimtab.optimizer.gaussian.posterior import Posterior

DIAGONAL = np.array([1.0, 1.0]) / np.sqrt(2)


def across(points):
    """Waves that run across the settings: nothing varies along x - y."""
    return 10 + 5 * np.sin(9 * points @ DIAGONAL)


def believed(columns, value, noise=0.0, count=40, **options):
    random = np.random.default_rng(3)
    model = Model(columns, **options)
    for point in columns.draw(random, count):
        model.observe(point, float(value(point[None])[0]) + noise * random.standard_normal())
    return model.belief().posterior


def test_waves_across_the_settings_are_seen_along_their_own_axes(square):
    frame = believed(square, across).readings.frame
    assert frame is not None
    assert np.abs(DIAGONAL @ frame).max() > 0.99
    assert frame @ frame.T == pytest.approx(np.eye(2), abs=1e-12)


def test_turned_axes_predict_it_better(square, monkeypatch):
    new = square.draw(np.random.default_rng(9), 200)

    def error():
        model = Model(square)
        for point in square.draw(np.random.default_rng(3), 30):
            model.observe(point, float(across(point[None])[0]))
        belief = model.belief()
        return float(np.abs(belief.warp.invert(belief.posterior.predict(new)[0]) - across(new)).mean())

    turned = error()
    monkeypatch.setattr("trimtab.optimizer.gaussian.model._CLEARLY", np.inf)
    assert turned < error() / 3


def test_settings_that_act_alone_keep_their_axes(square):
    assert (
        believed(square, lambda points: 500 * (points[:, 0] - 0.3) ** 2 + points[:, 1]).readings.frame is None
    )


def test_where_noise_hides_the_slopes_nothing_is_turned(square):
    assert believed(square, across, noise=50.0).readings.frame is None


def test_what_says_yes_or_no_is_not_turned(square):
    broken = believed(square, lambda points: (points.sum(1) > 1).astype(float), warped=False)
    assert broken.readings.frame is None


def test_categories_stay_what_they_are(mixed, read, believing):
    readings = read(mixed, np.random.default_rng(4), 12)
    frame = directions(Posterior(readings, believing([0.3, 0.4, 0.5])))
    assert frame[2].tolist() == [0, 0, 1]
    assert frame[:, 2].tolist() == [0, 0, 1]
    assert frame @ frame.T == pytest.approx(np.eye(3), abs=1e-12)


def test_neighbours_along_turned_axes_are_points_of_the_space(mixed, turned):
    random = np.random.default_rng(5)
    frame = next(found for _ in range(20) if (found := turned(mixed, random)) is not None)
    centres = mixed.draw(random, 50)
    near = mixed.neighbours(random, centres, np.array([0.2, 0.2, 0.2]), frame)
    assert (near == mixed.snap(near)).all()
    assert (near != centres).any(axis=1).mean() > 0.9
