"""`trimtab inspections compare`."""

import json

import pytest
import yaml

NOISE = (0.01, -0.02, 0.0, 0.015, -0.01, 0.005)


@pytest.fixture
def make(make_inspection, make_result):
    def make_(number, seconds, runs=6, **changes):
        results = {item: make_result(seconds * (1 + NOISE[item]), item, **changes) for item in range(runs)}
        return make_inspection(number, results)

    return make_


def test_a_slowdown_is_said_with_its_size_and_interval(command, make):
    done = command("inspections", "compare", make(1, 1.0), make(2, 1.5)).stdout
    assert done.startswith("Slower: stdout__@result__elapsed +50.0 % (")
    assert "with 99% confidence" in done
    assert "usage__ru_utime" in done


def test_no_difference_is_an_answer(command, make):
    assert command("inspections", "compare", make(1, 1.0), make(2, 1.001)).stdout.startswith(
        "No difference shown"
    )


@pytest.mark.parametrize(("output", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_programs_get_all_figures(command, make, output, load):
    one, other = make(1, 1.0), make(2, 1.5)
    found = load(command("inspections", "compare", one, other, "-o", output, "--measure", "duration").stdout)
    assert (found["first"], found["second"], found["verdict"]) == (one, other, "slower")
    assert found["primary"]["name"] == "duration"
    assert found["primary"]["ratio"] == pytest.approx(1.5, rel=0.05)


def test_what_cannot_be_answered_ends_with_3(command, make, make_inspection, make_result):
    few = make(1, 1.0, runs=2)
    assert "Too few runs" in command("inspections", "compare", few, make(2, 1.0), code=3).stdout
    failed = make_inspection(3, {0: make_result(exit_code=1)})
    assert "Too few runs" in command("inspections", "compare", few, failed, code=3).stdout
    assert "Not measured" in command("inspections", "compare", few, few, "--measure", "x", code=3).stdout


def test_lost_runs_are_counted(command, make, make_inspection, make_result):
    results = {item: make_result(1.0 + NOISE[item], item) for item in range(5)}
    lost = make_inspection(3, results | {5: None})
    found = json.loads(command("inspections", "compare", make(1, 1.0), lost, "-o", "json").stdout)
    assert found["counts"][1]["lost"] == 1


def test_another_engine_is_named(command, make_inspection, make_result):
    results = {item: make_result(1.0 + NOISE[item], item) for item in range(6)}
    both = [
        make_inspection(number, results, engine={"name": name})
        for number, name in enumerate(("podman", "process"))
    ]
    assert "the engine of both" in command("inspections", "compare", *both).stdout


def test_what_is_not_there_or_makes_no_sense_is_said(command, make):
    one = make(1, 1.0)
    assert "inspection-b" in command("inspections", "compare", one, "inspection-b", code=1).stderr
    assert "--confidence" in command("inspections", "compare", one, one, "--confidence", "1", code=2).stderr
    assert "no name" in command("inspections", "compare", one, "../b", code=2).stderr
