"""Two inspections: what is said of them, and how seldom it is said of a thing and itself."""

import json

import numpy as np
import pytest

from trimtab.inspection.comparison import compare

EPYC = {"cpu_info": {"brand_raw": "EPYC", "family": 25, "model": 1}, "cpu_type": {"ncpus": 8}}
XEON = {"cpu_info": {"brand_raw": "Xeon", "family": 6, "model": 85}, "cpu_type": {"ncpus": 64}}
LOW, HIGH = [10.0, 10.3, 10.1, 10.2, 9.9], [12.0, 12.2, 11.9, 12.1, 11.8]


def batch(durations, hardware=EPYC, hour=None, **more):
    """Documents of runs; those of an hour are a minute apart."""
    return [
        {"exit_code": 0, "duration": float(each), "hwinfo": hardware, **more}
        | ({"start_datetime": f"2026-01-01T{hour:02}:{minute:02}:00.000000"} if hour is not None else {})
        for minute, each in enumerate(durations)
    ]


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (LOW, HIGH, "slower"),
        (HIGH, LOW, "faster"),
        (LOW, [10.05, 10.25, 9.95, 10.15, 10.35], "no difference shown"),
        (LOW[:3], HIGH[:3], "too few runs"),
        (LOW, [], "too few runs"),
    ],
)
def test_the_verdict(first, second, verdict):
    found = compare(batch(first), batch(second))
    assert found.verdict == verdict
    json.dumps(found.to_dict(), allow_nan=False)


def test_other_hardware_is_not_comparable_and_both_are_named():
    found = compare(batch(LOW), batch(HIGH, XEON))
    assert found.verdict == "not comparable"
    assert "EPYC, 8 processors" in found.notes[0]
    assert "Xeon, 64 processors" in found.notes[0]


def test_the_kind_of_machine_with_most_runs_of_both_is_compared():
    found = compare([*batch(LOW), *batch([99.0], XEON)], [*batch(HIGH, XEON), *batch(HIGH)])
    assert found.verdict == "slower"
    assert found.primary.shift.n == (5, 5)
    assert any("left out" in each for each in found.notes)


def test_a_document_without_hwinfo_is_compared_by_its_processor():
    bare = {"hardware": {"cpu_family": 25, "cpu_model": 1}}
    old = [{"exit_code": 0, "duration": each, "runtime_environment": bare} for each in LOW]
    assert compare(old, batch(HIGH)).verdict == "slower"
    assert compare(old, batch(HIGH, XEON)).verdict == "not comparable"


def test_more_of_a_rate_is_faster_and_other_figures_are_more_or_less():
    def rates(values):
        return [
            {"exit_code": 0, "duration": 1.0, "stdout": {"rate": each}, "usage": {"ru_maxrss": each}}
            for each in values
        ]

    found = compare(rates(LOW), rates(HIGH), primary="stdout__rate")
    assert found.verdict == "faster"
    assert "duration" not in found.others  # the same in all runs
    assert found.others["usage__ru_maxrss"].verdict == "more"


def test_the_other_measures_do_not_cry_wolf():
    random = np.random.default_rng(0)

    def noise():
        return [
            {"exit_code": 0, "duration": 1.0, "stdout": {str(i): float(random.normal()) for i in range(30)}}
            for _ in range(7)
        ]

    found = [compare(noise(), noise(), primary="duration") for _ in range(15)]
    wolves = [each for one in found for each in one.others.values() if each.verdict != "no difference shown"]
    assert len(found[0].others) == 30
    assert wolves == []


def test_a_drift_that_goes_on_is_no_difference():
    values = 10 + 0.2 * np.arange(16) + 0.05 * np.random.default_rng(0).normal(size=16)
    found = compare(batch(values[:8], hour=1), batch(values[8:], hour=2))
    assert found.verdict == "no difference shown"
    assert any("drifts over the runs" in each for each in found.notes)


def test_a_drift_does_not_hide_what_is_far_more_than_it():
    values = 10 + 0.2 * np.arange(16)
    assert compare(batch(values[:8], hour=1), batch(values[8:] + 50, hour=2)).verdict == "slower"


def test_runs_by_turns_need_no_such_caution():
    drift = 0.02 * np.arange(16)
    first, second = batch(10 + drift[::2], hour=1), batch(11 + drift[1::2], hour=1)
    assert compare(first, second).verdict == "slower"


NOISES = {
    "normal": lambda random, n: random.normal(10, 0.5, n),
    "log-normal": lambda random, n: random.lognormal(2, 0.5, n),
    "bimodal": lambda random, n: random.normal(10, 0.2, n) + 3 * (random.random(n) < 0.4),
    "drifting": lambda random, n: random.normal(10, 0.5, n) + 0.3 * np.arange(n),
}


@pytest.mark.parametrize("n", [5, 7, 10])
@pytest.mark.parametrize("noise", NOISES)
def test_a_thing_and_itself_are_seldom_told_apart(noise, n):
    """At most 1 %; the benchmark `aa` measures it with thousands of pairs, here are 150 and what chance adds."""
    random = np.random.default_rng(n)
    alarms = sum(
        compare(batch(NOISES[noise](random, n)), batch(NOISES[noise](random, n))).verdict
        != "no difference shown"
        for _ in range(150)
    )
    assert alarms <= 6


def test_a_confidence_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="confidence is 99"):
        compare([], [], confidence=99)


def limited(memory, quota, container="podman"):
    return {
        "cgroup": {"cpu": {"quota": quota, "cpuset": None}, "memory": {"limit": memory}},
        "hwinfo": {**EPYC, "virtualization": {"container": container}},
        "wrapper": {"name": "python"},
    }


def test_other_limits_and_another_engine_are_named():
    """The verdict stays: who compares on purpose, say, one core with two, wants it."""
    first = [{**each, **limited(1 << 28, 1.0)} for each in batch(LOW)]
    second = [{**each, **limited(1 << 29, None, None)} for each in batch(HIGH)]
    found = compare(first, second, engines=("podman", "process"))
    assert found.verdict == "slower"
    said = [each for each in found.notes if "that alone may make a difference" in each]
    assert [each.partition(" of both")[0] for each in said] == [
        "the engine",
        "the CPU limit",
        "the memory limit",
        "the container",
    ]
    assert "(1.0 and none)" in said[1]


def test_the_same_conditions_and_those_that_one_does_not_tell_are_no_matter():
    first = [{**each, **limited(1 << 28, 1.0)} for each in batch(LOW)]
    for second in (first, batch(HIGH)):
        found = compare(first, second, engines=("podman", None))
        assert not any("that alone" in each for each in found.notes)
