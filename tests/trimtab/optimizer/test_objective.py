"""Goals: what a measurement is worth."""

import json
import math

import pytest

from trimtab.optimizer import EvaluationError, Goal, ObjectiveError

POINT = {"web.cpu": 2.0, "web.replicas": 3, "web.codec": "gzip"}
METRICS = {"throughput": 60.0, "latency_p99": 150.0, "error_rate": 0.002}


def test_maximizing_is_minimizing_the_loss():
    evaluation = Goal.parse("maximize throughput").evaluate(METRICS, POINT)
    assert (evaluation.value, evaluation.loss, evaluation.feasible) == (60.0, -60.0, True)


def test_cost_is_the_sum_of_prices():
    goal = Goal.parse("maximize throughput / cost", prices={"web.cpu": 10.0, "web.replicas": 5.0})
    assert goal.evaluate(METRICS, POINT).value == pytest.approx(60 / 35)
    assert goal.settings == {"web.cpu", "web.replicas"}


def test_cost_without_prices_is_refused_where_it_stands():
    with pytest.raises(ObjectiveError, match="needs prices") as caught:
        Goal.parse("maximize throughput / cost")
    assert caught.value.column == len("maximize throughput / ")


@pytest.mark.parametrize(
    ("name", "problem"), [("web.codec", "is not a number"), ("web.none", "is not among the settings")]
)
def test_a_price_of_what_has_no_number_is_refused(name, problem):
    with pytest.raises(EvaluationError, match=problem):
        Goal.parse("minimize cost", prices={name: 1.0}).evaluate(METRICS, POINT)


def test_a_price_that_is_not_finite_is_refused():
    with pytest.raises(EvaluationError, match="not a finite number"):
        Goal.parse("minimize cost", prices={"web.cpu": math.inf})


def test_violations_say_how_far_beyond_relative_to_the_threshold():
    goal = Goal.parse("minimize cost", ["latency_p99 <= 100ms", "throughput >= 80"], {"web.cpu": 1.0})
    evaluation = goal.evaluate(METRICS, POINT)
    assert evaluation.excesses == pytest.approx((0.5, 0.25))
    assert [str(each.slo) for each in evaluation.violations] == ["latency_p99 <= 100ms", "throughput >= 80"]
    assert "latency_p99 is 150" in str(evaluation.violations[0])


def test_an_slo_at_its_threshold_holds_unless_it_is_strict():
    metrics = {"a": 5.0}
    assert Goal.parse("minimize a", ["a <= 5"]).evaluate(metrics, {}).feasible
    assert not Goal.parse("minimize a", ["a < 5"]).evaluate(metrics, {}).feasible


def test_a_missing_metric_of_an_slo_is_an_error():
    with pytest.raises(EvaluationError, match="'memory'"):
        Goal.parse("maximize throughput", ["memory <= 5"]).evaluate(METRICS, POINT)


def test_metrics_are_what_must_be_measured():
    goal = Goal.parse("minimize latency + web.cpu * cost", ["errors <= 1%"], {"web.cpu": 1.0})
    assert goal.metrics == {"latency", "errors"}


def test_numbers_take_the_unit_of_their_neighbours_once_units_are_known():
    goal = Goal.parse("minimize latency + max(0, latency - 200ms)").bound({"latency": "s"})
    assert goal.evaluate({"latency": 0.3}, {}).value == pytest.approx(0.4)


def test_a_number_of_another_kind_than_its_metric_is_refused_when_bound():
    with pytest.raises(ObjectiveError, match="of another kind"):
        Goal.parse("minimize latency", ["latency <= 5MiB"]).bound({"latency": "ms"})


def test_a_goal_survives_json():
    goal = Goal.parse("maximize throughput / cost", ["latency_p99 <= 0.2s"], {"web.cpu": 1.0}).bound(
        {"latency_p99": "ms"}
    )
    again = Goal.from_dict(json.loads(json.dumps(goal.to_dict())))
    assert again == goal
    assert again.slos[0].threshold == 200.0


def test_slos_become_conditions_of_fast_fail_in_the_unit_of_the_metric():
    goal = Goal.parse("maximize throughput", ["latency_p99 <= 0.2s", "throughput >= 50"]).bound(
        {"latency_p99": "ms"}
    )
    conditions = goal.slo_conditions()
    assert conditions is not None
    found = [
        (each.metric, float(each.threshold), str(getattr(each.keep, "value", each.keep)))
        for each in conditions.conditions
    ]
    assert found == [("latency_p99", 200.0, "below"), ("throughput", 50.0, "above")]
    assert Goal.parse("maximize throughput").slo_conditions() is None


def test_noise_of_the_objective_follows_from_that_of_its_metrics():
    goal = Goal.parse("maximize throughput / latency_p99")
    noise = goal.noise(METRICS, {"throughput": 6.0}, POINT)
    assert noise == pytest.approx(6.0 / 150)
    both = goal.noise(METRICS, {"throughput": 6.0, "latency_p99": 15.0}, POINT)
    assert both == pytest.approx(0.4 * math.hypot(0.1, 0.1), rel=0.02)
    assert goal.noise(METRICS, {}, POINT) is None


def test_too_many_slos_are_refused():
    with pytest.raises(ObjectiveError, match="more than 32"):
        Goal.parse("minimize a", [f"m{i} <= 1" for i in range(33)])
