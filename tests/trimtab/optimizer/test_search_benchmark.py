"""The problems of the search benchmark, and how its runs are summed up."""

import json

import numpy as np
import pytest

bbob = pytest.importorskip("benchmarks.search.bbob", reason="benchmarks are not beside the tests")
campaign = pytest.importorskip("benchmarks.search.campaign")
runs = pytest.importorskip("benchmarks.search.runs")
services = pytest.importorskip("benchmarks.search.services")
summary = pytest.importorskip("benchmarks.search.summary")


@pytest.mark.parametrize("number", bbob.NUMBERS)
def test_a_function_is_least_at_its_optimum_and_zero_there(number):
    function = bbob.make(number, instance=3)
    assert function(function.optimum) == pytest.approx(0, abs=1e-6)
    random = np.random.default_rng(0)
    anywhere = function.values(random.uniform(-5, 5, (500, 5)))
    near = function.values(np.clip(function.optimum + 0.01 * random.standard_normal((500, 5)), -5, 5))
    assert anywhere.min() >= -1e-9
    assert near.min() >= -1e-9
    assert np.abs(function.optimum).max() <= 5
    assert function.spread() > 0


@pytest.mark.parametrize("number", bbob.NUMBERS)
def test_an_instance_is_its_seed(number):
    point = np.full(5, 0.3)
    assert bbob.make(number, instance=1)(point) == bbob.make(number, instance=1)(point)
    assert bbob.make(number, instance=1)(point) != bbob.make(number, instance=2)(point)


@pytest.mark.parametrize("family", services.FAMILIES, ids=lambda each: each.__name__)
def test_a_service_has_a_mediocre_baseline_and_an_optimum_within_its_slos(family):
    service = family(0)
    assert service.keeps(service.baseline)
    assert service.regret(service.baseline) == pytest.approx(1)
    assert service.optimum < service.loss(service.baseline)
    random = np.random.default_rng(0)
    points = [service.space.from_unit(each) for each in random.random((300, service.space.dimensions))]
    regrets = [service.regret(point) for point in points if service.keeps(point)]
    assert min(regrets) >= -1e-9
    assert sum(map(service.keeps, points)) < 300


def test_noise_moves_readings_and_not_the_truth():
    service = services.queueing(0)
    random = np.random.default_rng(0)
    readings = [service.measure(service.baseline, 0.1, random).metrics["latency_p99"] for _ in range(400)]
    truth = service.metrics(service.baseline)["latency_p99"]
    assert np.mean(readings) == pytest.approx(truth, rel=0.03)
    assert np.std(readings) == pytest.approx(0.1 * truth, rel=0.15)


@pytest.mark.parametrize("sampler", ["random", runs.OURS])
def test_a_run_keeps_its_budget_and_tells_the_true_regret(sampler):
    found = runs.run("services", "compression", sampler, 0.05, 12, 0)
    assert found.regret >= 0
    assert 0 <= found.breaches <= 12
    assert found == runs.Run(**json.loads(json.dumps(found.to_dict())))


def test_a_broken_off_campaign_goes_on_where_it_was(tmp_path):
    tasks = [campaign.Task("bbob", "1", "random", 0.0, 5, seed) for seed in range(3)]
    cache = tmp_path / "runs.jsonl"
    first = campaign.carry_out(tasks[:2], cache=cache)
    assert len(cache.read_text().splitlines()) == 2
    assert campaign.carry_out(tasks, cache=cache)[:2] == first
    assert len(cache.read_text().splitlines()) == 3


def test_regret_is_relative_to_noiseless_random_search():
    made = [
        runs.Run("bbob", number, sampler, noise, 100, 0, regret, 0, 1.0)
        for number, scale in (("1", 1.0), ("2", 100.0))
        for sampler, noise, regret in (
            ("random", 0.0, scale),
            ("random", 0.05, 2 * scale),
            (runs.OURS, 0.0, 0.01 * scale),
        )
    ]
    table = {(row["sampler"], row["noise"]): row for row in summary.rows(made)}
    assert table["random", 0.0]["regret"] == 1.0
    assert table["random", 0.05]["regret"] == 2.0
    assert table[runs.OURS, 0.0]["regret"] == pytest.approx(0.01)
    aims = summary.aims(list(table.values()))
    assert aims["bbob regret at 0% noise ≤ 0.012"]["reached"] is True
