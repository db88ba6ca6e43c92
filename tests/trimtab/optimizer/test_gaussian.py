"""Gaussian processes: what they believe, and what they find worth measuring."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from trimtab.optimizer import Observation, Parameter, Space
from trimtab.optimizer.gaussian.acquisition import (
    knowledge_gradient,
    log_expected_improvement,
    log_improvement_slope,
)
from trimtab.optimizer.gaussian.columns import Columns
from trimtab.optimizer.gaussian.landscape import Landscape
from trimtab.optimizer.gaussian.likelihood import (
    Hyperparameters,
    Readings,
    _typical,
    implausibility,
    most_plausible,
    starts,
)
from trimtab.optimizer.gaussian.model import Model
from trimtab.optimizer.gaussian.posterior import Posterior
from trimtab.optimizer.gaussian.proposal import optimum, propose
from trimtab.optimizer.gaussian.warping import OFFSETS, Warp

MIXED = Space(
    (
        Parameter("a.x", "range", 0, 1),
        Parameter("a.y", "range", 0, 1),
        Parameter("a.c", "enum", values=("p", "q", "r")),
    )
)
LINE = Space((Parameter("a.x", "range", 0, 1),))


def readings_of(space, loss, count=20, seed=0, noise=0.0):
    columns, random = Columns(space), np.random.default_rng(seed)
    points = columns.draw(random, count)
    values = np.array([loss(*point) for point in points]) + noise * random.standard_normal(count)
    values = (values - values.mean()) / values.std()
    return Readings(columns, points, values, np.ones(count), np.ones(count))


@pytest.fixture
def mixed():
    return readings_of(MIXED, lambda x, y, c: x * x + math.sin(5 * y) + (c > 0.5))


def test_the_gradient_of_the_likelihood_is_its_derivative(mixed):
    typical, surprise = _typical(3)
    at = starts(mixed)[0] + 0.1 * np.random.default_rng(1).standard_normal(7)
    _, gradient = implausibility(at, mixed, typical, surprise)
    for i in range(len(at)):
        step = np.zeros(7)
        step[i] = 1e-5
        above, below = (implausibility(at + sign * step, mixed, typical, surprise)[0] for sign in (1, -1))
        assert gradient[i] == pytest.approx((above - below) / 2e-5, rel=1e-4, abs=1e-5)


def test_squares_of_repeated_readings_decide_the_noise():
    quiet = readings_of(LINE, lambda x: x, 8)
    known = Readings(
        quiet.columns, quiet.points, quiet.values, quiet.counts, quiet.noise, squares=0.04 * 200, freedom=200
    )
    found, _ = most_plausible(known, starts(known), 50)
    assert math.sqrt(found.noise) == pytest.approx(0.2, rel=0.1)


def test_the_slope_of_the_posterior_is_its_derivative(mixed):
    posterior = Posterior(mixed, Hyperparameters(starts(mixed)[0]))
    point = np.array([0.3, 0.6, mixed.points[0][2]])
    mean, variance, mean_slope, variance_slope = posterior.slope(point)
    assert (mean, variance) == pytest.approx([each[0] for each in posterior.predict(point[None])])
    for i in (0, 1):
        step = np.zeros(3)
        step[i] = 1e-5
        above, below = (posterior.predict((point + sign * step)[None]) for sign in (1, -1))
        assert mean_slope[i] == pytest.approx((above[0][0] - below[0][0]) / 2e-5, rel=1e-4, abs=1e-6)
        assert variance_slope[i] == pytest.approx((above[1][0] - below[1][0]) / 2e-5, rel=1e-3, abs=1e-5)
    assert mean_slope[2] == variance_slope[2] == 0


def test_without_noise_the_posterior_goes_through_the_readings(mixed):
    quiet = starts(mixed)[0]
    quiet[-1] = quiet[-2] = math.log(1e-5)
    posterior = Posterior(mixed, Hyperparameters(quiet))
    assert posterior.measured_mean == pytest.approx(mixed.values, abs=1e-3)
    assert posterior.predict(mixed.points)[0] == pytest.approx(mixed.values, abs=1e-2)


def test_left_out_residuals_are_those_of_a_model_without_the_point(mixed):
    hyperparameters = Hyperparameters(starts(mixed)[0])
    posterior = Posterior(mixed, hyperparameters)
    keep = np.arange(len(mixed.values)) != 4
    less = Posterior(
        Readings(
            mixed.columns, mixed.points[keep], mixed.values[keep], mixed.counts[keep], mixed.noise[keep]
        ),
        hyperparameters,
    )
    mean, variance = less.predict(mixed.points[4:5])
    sd = math.sqrt(variance[0] + less.kernel.ruggedness + hyperparameters.noise)
    assert posterior.left_out[4] == pytest.approx((mixed.values[4] - mean[0]) / sd, rel=1e-4)


@given(st.floats(-30, 5), st.floats(-3, 3))
def test_log_expected_improvement_is_the_integral(z, log_sd):
    sd = math.exp(log_sd)
    found = float(log_expected_improvement(np.array([0.0]), np.array([sd]), z * sd)[0])
    if z > -8:
        expected, _ = quad(lambda t: (z - t) * norm.pdf(t), -40, z, epsabs=1e-300)
        assert found == pytest.approx(math.log(sd * expected), abs=0.03)
    assert math.isfinite(found)


@given(st.floats(-20, 4), st.floats(0.1, 3))
def test_log_expected_improvement_has_the_slope_it_says(mean, sd):
    unit = np.array([1.0]), np.array([0.0])
    _, slope = log_improvement_slope(mean, sd * sd, unit, -1.0)
    above, below = (log_improvement_slope(mean + step, sd * sd, unit, -1.0)[0] for step in (1e-5, -1e-5))
    assert slope[0] == pytest.approx((above - below) / 2e-5, rel=1e-3, abs=1e-3)


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=20), st.sampled_from(OFFSETS))
def test_warping_keeps_order_and_can_be_undone(values, offset):
    readings = np.array(values)
    warp = Warp.fitted(readings, offset)
    assert (np.diff(warp.apply(np.sort(readings))) >= 0).all()
    scale = max(1.0, float(np.ptp(readings)))
    assert warp.invert(warp.apply(readings)) == pytest.approx(readings, abs=1e-6 * scale, rel=1e-6)


def test_warping_has_the_slope_it_says_and_goes_on_below_the_least():
    warp = Warp.fitted(np.array([1.0, 2.0, 5.0, 100.0]), 0.1)
    for value in (1.5, 3.0, 50.0):
        above, below = warp.apply(np.array([value + 1e-6, value - 1e-6]))
        assert warp.slope(np.array([value]))[0] == pytest.approx((above - below) / 2e-6, rel=1e-4)
    assert warp.apply(np.array([0.0]))[0] < warp.apply(np.array([1.0]))[0]
    assert warp.invert(warp.apply(np.array([0.5])))[0] == pytest.approx(0.5)


def test_readings_that_are_all_alike_are_modelled_as_flat():
    model = Model(Columns(LINE))
    for x in (0.1, 0.4, 0.9):
        model.observe(np.array([x]), 0.0)
    mean, _ = model.belief().posterior.predict(np.array([[0.5]]))
    assert abs(mean[0]) < 1e-6


def test_a_belief_does_not_depend_on_when_it_was_asked_for():
    random = np.random.default_rng(0)
    asked, unasked = Model(Columns(LINE)), Model(Columns(LINE))
    for _ in range(27):
        x = random.random(1)
        for model in (asked, unasked):
            model.observe(x, float((x[0] - 0.3) ** 2))
        if len(asked) > 1:
            asked.belief()
    at = np.linspace(0, 1, 7)[:, None]
    assert np.array_equal(asked.belief().posterior.predict(at)[0], unasked.belief().posterior.predict(at)[0])


def test_noise_is_told_from_structure():
    random = np.random.default_rng(0)
    model = Model(Columns(LINE))
    for x in np.linspace(0, 1, 40):
        model.observe(np.array([x]), 100 + 20 * math.sin(6 * x) + 2 * random.standard_normal())
    assert model.belief().noise == pytest.approx(2.0, rel=0.4)


def test_an_outlier_does_not_bend_the_model():
    random = np.random.default_rng(0)
    model = Model(Columns(LINE))
    for x in np.linspace(0, 1, 30):
        model.observe(
            np.array([x]), 10 + x + 0.1 * random.standard_normal() + (30 if abs(x - 0.483) < 0.01 else 0)
        )
    belief = model.belief()
    mean, variance = belief.posterior.predict(np.array([[0.5]]))
    assert belief.quantiles(mean, variance)[0][0] == pytest.approx(10.5, abs=1.5)


def test_a_plateau_at_the_bottom_leaves_room_below_it():
    model = Model(Columns(LINE))
    for x in np.linspace(0, 0.6, 13):
        model.observe(np.array([x]), 5.0 if x > 0.2 else 5 + 40 * (0.2 - x))
    assert model.belief().warp.offset >= 1.0


def landscape_of(loss, *, space=LINE, count=12, seed=0, noise=0.0, excess=None, broken=None):
    landscape, random = Landscape(space, int(excess is not None)), np.random.default_rng(seed)
    for at in Columns(space).draw(random, count):
        point = space.from_unit(at)
        if broken and broken(*at):
            landscape.observe(Observation(point, None, failed=True))
            continue
        constraints = (excess(*at),) if excess else ()
        landscape.observe(Observation(point, loss(*at) + noise * random.standard_normal(), constraints))
    return landscape


def test_a_proposal_improves_on_what_is_known():
    landscape = landscape_of(lambda x: (x - 0.37) ** 2, count=6)
    surface = landscape.surface()
    proposal = propose(surface, landscape.columns, np.random.default_rng(0))
    assert (proposal.point[0] - 0.37) ** 2 < min((surface.points[:, 0] - 0.37) ** 2)
    assert not proposal.repeats


def test_a_proposal_keeps_the_slo():
    landscape = landscape_of(lambda x: x, count=14, excess=lambda x: 0.4 - x)
    for seed in range(5):
        proposal = propose(landscape.surface(), landscape.columns, np.random.default_rng(seed), 0.5)
        assert proposal.point[0] > 0.38


def test_where_things_broke_is_believed_infeasible():
    landscape = landscape_of(lambda x: x, count=20, broken=lambda x: x < 0.5)
    surface = landscape.surface()
    low, high = np.exp(surface.log_feasibility(np.array([[0.1], [0.9]])))
    assert low < 0.2
    assert high > 0.8
    assert surface.best(0.0, 0.5) is not None


def test_before_two_readings_there_is_no_surface():
    landscape = Landscape(LINE)
    assert landscape.surface() is None
    landscape.observe(Observation({"a.x": 0.5}, 1.0))
    assert landscape.surface() is None


def test_the_optimum_of_the_posterior_is_where_noise_hides_it():
    landscape = landscape_of(lambda x: 100 * (x - 0.6) ** 2, count=60, noise=3.0)
    assert optimum(landscape.surface(), 0.5)[0] == pytest.approx(0.6, abs=0.08)


def test_knowledge_is_worth_nothing_where_everything_is_known_and_never_less():
    landscape = landscape_of(lambda x: (x - 0.5) ** 2, count=12, noise=0.05)
    posterior = landscape.surface().objective.posterior
    points = np.linspace(0, 1, 9)[:, None]
    new, again = knowledge_gradient(posterior, points, 0.3, np.arange(5))
    useless, _ = knowledge_gradient(posterior, points, 1e6, np.arange(5))
    assert (new > -1e-6).all()
    assert (again > -1e-6).all()
    assert useless.max() < 1e-5 < new.max()
