"""A model of one quantity: what it makes of noise, of reported errors, of outliers."""

import numpy as np
import pytest

from trimtab.optimizer.gaussian.model import Model


def told(columns, points, values, errors=None, **options):
    model = Model(columns, **options)
    for i, (point, value) in enumerate(zip(points, values, strict=True)):
        model.observe(np.asarray(point), float(value), None if errors is None else errors[i])
    return model


def bowl(points):
    return 10 + 4 * ((points - 0.4) ** 2).sum(1)


def at(belief, points):
    """What is believed at points, in the quantity's own unit."""
    return belief.warp.invert(belief.posterior.predict(np.asarray(points))[0])


@pytest.mark.parametrize("sd", [0.05, 0.2, 0.5])
def test_noise_is_estimated_within_a_factor(square, sd):
    """Of scattered readings none of which is repeated: the geometric mean of four draws within a factor of 1.6."""
    found = []
    for seed in range(4):
        random = np.random.default_rng(seed)
        points = square.draw(random, 40)
        values = bowl(points) + sd * random.standard_normal(40)
        found.append(told(square, points, values).belief().noise)
    assert 1 / 1.6 < np.exp(np.mean(np.log(np.array(found) / sd))) < 1.6
    assert all(1 / 3 < each / sd < 3 for each in found)


def test_repeated_readings_tell_the_noise_though_the_landscape_is_rough(square):
    random = np.random.default_rng(5)
    points = np.repeat(square.draw(random, 12), 4, axis=0)
    rough = np.repeat(random.standard_normal(12), 4)
    values = 20 + 3 * rough + 0.1 * random.standard_normal(48)
    assert 0.05 < told(square, points, values).belief().noise < 0.2


def test_readings_without_noise_are_believed(square):
    points = square.draw(np.random.default_rng(6), 25)
    belief = told(square, points, bowl(points)).belief()
    assert belief.noise < 0.02
    new = square.draw(np.random.default_rng(7), 50)
    assert np.abs(at(belief, new) - bowl(new)).max() < 0.1


def test_the_belief_does_not_depend_on_when_it_was_asked_for(square):
    """A study that is rebuilt from its history goes on as the one that was not interrupted."""
    random = np.random.default_rng(8)
    points = square.draw(random, 23)
    values = bowl(points) + 0.1 * random.standard_normal(23)
    once, often = told(square, points, values), Model(square)
    for point, value in zip(points, values, strict=True):
        often.observe(point, float(value))
        if len(often) > 1:
            often.belief()
    new = square.draw(random, 9)
    assert (at(once.belief(), new) == at(often.belief(), new)).all()


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_unit_of_readings_does_not_matter(square, scale):
    random = np.random.default_rng(9)
    points = square.draw(random, 20)
    values = bowl(points) + 0.1 * random.standard_normal(20)
    new = square.draw(random, 9)
    plain, scaled = (at(told(square, points, values * unit).belief(), new) for unit in (1.0, scale))
    assert scaled / scale == pytest.approx(plain, rel=1e-2)


def test_a_reading_with_a_greater_reported_error_counts_for_less(line):
    """The same reading out of line moves what is believed there less if its error was said to be great."""
    random = np.random.default_rng(10)
    points = np.linspace(0, 1, 15)[:, None]
    values = bowl(points) + 0.1 * random.standard_normal(15)
    values[7] += 0.35

    def shift(error):
        errors = np.full(15, 0.1)
        errors[7] = error
        belief = told(line, points, values, errors).belief()
        return at(belief, points[[7]])[0] - bowl(points[[7]])[0], belief.posterior.noise

    doubted, noise = shift(0.5)
    trusted, _ = shift(0.02)
    assert doubted < trusted
    assert noise[7] > 2 * noise[0]


@pytest.mark.parametrize("seed", range(5))
def test_one_wild_reading_moves_neither_the_best_nor_its_neighbours(line, seed):
    random = np.random.default_rng(seed)
    points = np.linspace(0, 1, 25)[:, None]
    values = bowl(points) + 0.05 * random.standard_normal(25)
    clean = told(line, points, values).belief()
    values[22] -= 6.0
    belief = told(line, points, values).belief()
    best = belief.posterior.readings.points[belief.posterior.measured_mean.argmin()]
    assert abs(best[0] - 0.4) < 0.25
    neighbours = points[[20, 21, 23, 24]]
    assert np.abs(at(belief, neighbours) - at(clean, neighbours)).max() < 1.0


def test_categories_have_levels_of_their_own_and_share_a_shape(mixed):
    random = np.random.default_rng(11)
    points = mixed.draw(random, 40)
    level = {0: 0.0, 1: 3.0, 2: 1.0}

    def truth(each):
        return 5 + 2 * (each[:, 0] - 0.5) ** 2 + np.array([level[int(c * 3)] for c in each[:, 2]])

    belief = told(mixed, points, truth(points) + 0.02 * random.standard_normal(40)).belief()
    new = mixed.draw(random, 40)
    error = at(belief, new) - truth(new)
    assert np.sqrt((error**2).mean()) < 0.2


@pytest.mark.parametrize(
    "values", [[5.0] * 6, [0.0, 0.0, 1.0, 1.0, 0.0, 1.0], [1e100, 1.0, 2.0, 3.0, 4.0, 5.0]]
)
def test_odd_readings_give_numbers(line, values):
    belief = told(line, np.linspace(0, 1, 6)[:, None], values).belief()
    mean, variance = belief.posterior.predict(np.linspace(0, 1, 11)[:, None])
    assert np.isfinite(mean).all()
    assert np.isfinite(variance).all()
