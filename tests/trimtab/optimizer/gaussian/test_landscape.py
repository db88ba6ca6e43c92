"""The objective, the SLOs and what comes up, believed together; and the point proposed upon it."""

import numpy as np
import pytest

from trimtab.optimizer import Observation
from trimtab.optimizer.gaussian.landscape import Landscape
from trimtab.optimizer.gaussian.proposal import propose


def landscape(columns, points, loss, *, excess=None, breaks=None, noise=0.0):
    """What is known after readings at coordinates."""
    random = np.random.default_rng(0)
    found = Landscape(columns.space, 0 if excess is None else 1)
    for at in points:
        point = columns.space.from_unit(at)
        if breaks is not None and breaks(at):
            found.observe(Observation(point, None, failed=True))
            continue
        constraints = () if excess is None else (float(excess(at)),)
        found.observe(Observation(point, float(loss(at) + noise * random.standard_normal()), constraints))
    return found


def grid(count):
    ends = (np.arange(count) + 0.5) / count
    return np.array([[x, y] for x in ends for y in ends])


def proposed(found, seeds=range(4), **options):
    surface = found.surface()
    return [propose(surface, found.columns, np.random.default_rng(seed), **options) for seed in seeds]


def test_nothing_is_believed_before_two_readings(square):
    assert landscape(square, [[0.5, 0.5]], sum).surface() is None
    assert landscape(square, [[0.5, 0.5], [0.1, 0.1]], sum).surface() is not None


def test_feasibility_falls_where_slos_broke(square):
    found = landscape(square, grid(4), lambda _: 1.0, excess=lambda at: at[0] - 0.5).surface()
    keeping, breaking = np.exp(found.log_feasibility(np.array([[0.1, 0.5], [0.9, 0.5]])))
    assert keeping > 0.9
    assert breaking < 0.1
    along = np.exp(found.log_feasibility(np.column_stack([np.linspace(0, 1, 11), np.full(11, 0.5)])))
    assert (np.diff(along) < 1e-6).all()
    measured = found.feasibility
    assert (measured[found.points[:, 0] < 0.4] > 0.9).all()
    assert (measured[found.points[:, 0] > 0.6] < 0.1).all()


def test_a_measured_point_is_as_feasible_as_its_own_readings_say(square):
    """A steep edge between neighbours is not blurred by them."""
    found = landscape(square, grid(4), lambda _: 1.0, excess=lambda at: 0.5 if at[0] > 0.5 else -0.5)
    surface = found.surface()
    for at, feasibility in zip(surface.points, surface.feasibility, strict=True):
        assert (feasibility > 0.5) == (at[0] < 0.5)


def test_points_near_broken_ones_are_unlikely_to_come_up(square):
    found = landscape(square, grid(5), sum, breaks=lambda at: at.sum() < 0.8).surface()
    inside, outside = np.exp(found.log_feasibility(np.array([[0.15, 0.15], [0.8, 0.8]])))
    assert inside < 0.2
    assert outside > 0.8


def test_every_reading_that_comes_up_leaves_nothing_to_doubt(square):
    found = landscape(square, grid(3), sum).surface()
    assert found.bounds == ()
    assert (found.feasibility == 1).all()


def test_the_best_is_the_best_of_those_that_are_allowed(square):
    found = landscape(square, grid(5), sum, excess=lambda at: 0.7 - at.sum()).surface()
    best = found.points[found.best(0.0, 0.5)]
    assert best.sum() == pytest.approx(0.8)
    nowhere = landscape(square, grid(4), sum, excess=lambda _: 1.0).surface()
    assert nowhere.best(0.0, 0.5) is None


def test_predictions_are_in_the_objectives_own_unit(square):
    found = landscape(square, grid(5), lambda at: 1000 + 50 * at[0]).surface()
    middle = found.predict({"a.x": 0.5, "a.y": 0.5})
    assert middle.mean == pytest.approx(1025, abs=2)
    assert 0 <= middle.sd < 5
    assert middle.feasibility == 1


def test_a_point_proposed_is_in_the_space_and_new(mixed):
    random = np.random.default_rng(1)
    found = landscape(mixed, mixed.draw(random, 12), sum)
    for each in proposed(found):
        assert mixed.space.contains(found.point_at(each.point))
        assert not each.repeats
        assert each.point.tobytes() not in found.surface().tried
        assert 0 <= each.gain <= 1


def test_proposals_go_where_it_is_better(square):
    found = landscape(square, grid(4), lambda at: ((at - 0.7) ** 2).sum())
    for each in proposed(found):
        assert np.abs(each.point - 0.7).max() < 0.1


def test_proposals_go_where_nothing_is_known(line):
    """Flat ground was measured on one half only."""
    points = np.linspace(0, 0.4, 9)[:, None]
    found = landscape(line, points, lambda at: np.sin(25 * at[0]))
    assert all(each.point[0] > 0.4 for each in proposed(found))


def test_proposals_keep_slos_at_whose_edge_the_optimum_is(square):
    found = landscape(square, grid(5), sum, excess=lambda at: 0.8 - at.sum())
    for each in proposed(found):
        assert 0.7 < each.point.sum() < 1.1


def test_proposals_avoid_what_does_not_come_up(square):
    found = landscape(square, grid(5), sum, breaks=lambda at: at.sum() < 0.75)
    for each in proposed(found, demanded=0.6):
        assert each.point.sum() > 0.6


def test_where_no_point_is_allowed_the_likeliest_is_proposed(square):
    found = landscape(square, grid(3) * 0.6, sum, excess=lambda at: 1.2 - at.sum())
    for each in proposed(found):
        assert each.point.sum() > 1.1


def test_noise_makes_good_points_worth_another_reading_and_never_bad_ones(line):
    points = np.repeat(np.linspace(0, 1, 6), 2)[:, None]
    found = landscape(line, points, lambda at: 3 * at[0], noise=1.0)
    for each in proposed(found, seeds=range(8)):
        assert each.point[0] <= 0.6


def test_the_doubting_are_less_sure_away_from_readings_and_as_sure_at_them(square):
    surface = landscape(square, grid(3) * 0.5, sum).surface()
    doubting = surface.doubting()
    far = np.array([[0.95, 0.95]])
    assert doubting.objective.posterior.predict(far)[1] >= surface.objective.posterior.predict(far)[1]
    assert doubting.objective.posterior.measured_mean == pytest.approx(
        surface.objective.posterior.measured_mean, abs=0.05
    )


def test_when_every_point_was_tried_one_is_proposed_again():
    from trimtab.optimizer import Parameter, Space
    from trimtab.optimizer.gaussian.columns import Columns

    few = Columns(Space((Parameter("a.c", "enum", values=("r", "s", "t")),)))
    found = landscape(few, np.array([[1 / 6], [3 / 6], [5 / 6]]), lambda at: at[0])
    for each in proposed(found):
        assert few.space.contains(found.point_at(each.point))
