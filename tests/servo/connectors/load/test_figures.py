"""From counts to figures, and how sure they are."""

import json
import random
from datetime import UTC, datetime

import pytest

from servo.connectors.load import report
from servo.connectors.load.arrivals import Phase
from servo.connectors.load.configuration import LoadConfiguration, SustainedConfiguration
from servo.connectors.load.crew import Outcome
from servo.connectors.load.figures import FIGURES, by_phase, figures, spread
from servo.connectors.load.plan import Plan
from servo.connectors.load.saturation import judge
from servo.connectors.load.tally import Tally, histogram, total
from servo.types.core import DataPoint, TimeSeries

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def batch(start: float, latencies, *, phase: int = 0, errors: int = 0, length: float = 1.0) -> Tally:
    tally = Tally(start, start + length, phase=phase)
    for latency in latencies:
        tally.requests += 1
        tally.succeeded += 1
        tally.completed += 1
        tally.latency(latency)
    tally.requests += errors
    tally.errors["status-500"] += errors
    return tally


def outcome(batches, *, lag=(), cpu=0.1, waited=0, concurrency=None) -> Outcome:
    late = histogram()
    for seconds in lag:
        late.record_value(int(seconds * 1e6))
    phases = tuple(Phase(10, 1) for _ in {b.phase for b in batches})
    plan = Plan(phases=phases, origins=(), requests=(), concurrency=concurrency)
    return Outcome(plan, list(batches), late, cpu, 3, waited, 0)


def config(**values) -> LoadConfiguration:
    return LoadConfiguration(
        **({"url": "http://h/"} | ({"rate": 10} if "steps" not in values else {}) | values)
    )


def measured(found: Outcome, settings: LoadConfiguration, wanted=None):
    counted = total(found.measured)
    return report.measurement(settings, found, counted, judge(found, counted, 0.01), wanted=wanted, ended=NOW)


def test_figures_have_the_units_of_their_metrics():
    found = figures(batch(0, [0.010] * 99 + [0.5], errors=25))
    assert found["throughput"] == 100
    assert found["error_rate"] == 20
    assert found["latency_p50"] == pytest.approx(10, rel=0.01)
    assert found["latency_max"] == 500
    assert found["latency_mean"] == pytest.approx(14.9)
    assert set(found) == set(FIGURES)


def test_without_answers_there_are_no_latencies():
    assert set(figures(batch(0, [], errors=3))) == {"throughput", "error_rate"}


def test_a_percentile_is_of_the_whole_and_not_the_mean_of_those_of_its_parts():
    quiet, busy = batch(0, [0.001] * 990), batch(1, [1.0] * 10)
    found = measured(outcome([quiet, busy]), config())
    values = {reading.metric.name: reading.value for reading in found.readings}
    assert values["latency_p99"] == pytest.approx(1, rel=0.01)
    assert values["latency_p95"] == pytest.approx(1, rel=0.01)
    assert values["throughput"] == 500


def test_the_spread_is_the_standard_error_that_repetition_would_show():
    """Checked by repeating: the estimate is near the deviation of the mean itself."""
    source = random.Random(1)
    means, estimates = [], []
    for _ in range(60):
        batches = [batch(i, [source.gauss(0.1, 0.02) for _ in range(30)]) for i in range(10)]
        means.append(total(batches).latency_mean * 1000)
        estimates.append(spread(batches)["latency_mean"])
    centre = sum(means) / len(means)
    deviation = (sum((mean - centre) ** 2 for mean in means) / len(means)) ** 0.5
    assert sum(estimates) / len(estimates) == pytest.approx(deviation, rel=0.35)


def test_one_batch_has_no_spread_and_a_gap_has_none_for_what_is_missing():
    assert spread([batch(0, [0.1])]) == {}
    found = spread([batch(0, [0.1]), batch(1, [], errors=1)])
    assert "latency_p50" not in found
    assert found["error_rate"] == pytest.approx(50)


def test_spread_goes_with_the_measurement_as_json():
    found = measured(outcome([batch(0, [0.1, 0.2]), batch(1, [0.1, 0.3])]), config())
    assert set(json.loads(found.annotations["spread"])) == set(FIGURES)
    assert json.loads(found.annotations["load"])["requests"] == 4


def test_only_wanted_metrics_are_reported():
    found = measured(outcome([batch(0, [0.1])]), config(), wanted=["throughput", "cpu_seconds"])
    assert [reading.metric.name for reading in found.readings] == ["throughput"]
    assert all(isinstance(reading, DataPoint) for reading in found.readings)


def steps(*counts: int) -> list[Tally]:
    return [batch(i, [0.01] * count, phase=i) for i, count in enumerate(counts)]


def test_the_highest_step_up_to_which_all_are_sustained():
    settings = config(steps=[10, 20, 30, 40])
    found = measured(outcome(steps(10, 20, 25, 40)), settings)
    values = {reading.metric.name: reading.value for reading in found.readings}
    assert values["throughput_sustained"] == 20
    assert [step["sustained"] for step in json.loads(found.annotations["steps"])] == [True, True, False, True]


def test_no_step_sustained_is_zero():
    assert report.sustained(steps(1, 2), [10, 20], SustainedConfiguration()) == 0


@pytest.mark.parametrize(
    ("wanted", "sustained"),
    [
        ({}, True),
        ({"latency_p99": "5ms"}, False),
        ({"latency_p99": "20ms"}, True),
        ({"error_rate": 5}, False),
        ({"rate": 1.0}, True),
    ],
)
def test_what_sustained_means_is_configured(wanted, sustained):
    step = batch(0, [0.01] * 10, errors=1 if "error_rate" in wanted else 0)
    assert report.is_sustained(step, 10, SustainedConfiguration(**wanted)) is sustained


def test_a_series_has_a_value_per_step():
    found = measured(outcome(steps(10, 20)), config(steps=[10, 20], series=True))
    series = {reading.metric.name: reading for reading in found.readings}
    assert all(isinstance(reading, TimeSeries) for reading in found.readings)
    assert [point.value for point in series["throughput"]] == [10, 20]
    assert series["throughput"].data_points[-1].time == NOW
    assert len(series["throughput_sustained"]) == 1


def test_a_series_of_a_constant_load_has_a_value_per_part():
    found = measured(outcome([batch(0, [0.1] * 5), batch(1, [0.1] * 7)]), config(series=True))
    assert [point.value for point in found.readings[0]] == [5, 7]


def test_phases_are_added_up_each_for_itself():
    found = by_phase([batch(0, [0.1], phase=1), batch(1, [0.1], phase=1), batch(2, [0.1], phase=2)])
    assert [(tally.phase, tally.requests, tally.start, tally.end) for tally in found] == [
        (1, 2, 0, 2),
        (2, 1, 2, 3),
    ]


def test_a_late_generator_is_fatal_only_if_its_lateness_could_be_taken_for_latency():
    fast, slow = batch(0, [0.02] * 100), batch(0, [0.5] * 100)
    assert judge(outcome([fast], lag=[0.015] * 100), fast, 0.01).fatal
    assert judge(outcome([slow], lag=[0.015] * 100), slow, 0.01).fatal is None
    assert judge(outcome([fast], lag=[0.005] * 100), fast, 0.01).fatal is None
    assert judge(outcome([fast], lag=[0.005] * 100), fast, 0.01).warnings
    assert judge(outcome([fast], lag=[0.0001] * 100), fast, 0.01).warnings == ()


def test_a_busy_generator_is_fatal_where_it_sets_the_pace():
    found = batch(0, [0.001] * 100)
    assert judge(outcome([found], cpu=0.99, concurrency=8), found, 0.01).fatal
    open_loop = judge(outcome([found], cpu=0.99), found, 0.01)
    assert open_loop.fatal is None
    assert "processes" in open_loop.warnings[0]


def test_busy_connections_are_told_and_not_held_against_the_measurement():
    found = batch(0, [0.5] * 100)
    judged = judge(outcome([found], waited=50), found, 0.01)
    assert judged.fatal is None
    assert "50% of the requests found every connection busy" in judged.warnings[0]
