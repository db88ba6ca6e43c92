"""The `load` section."""

import pytest
from pydantic import ValidationError

from servo.connectors.load.configuration import LoadConfiguration, parse_statuses
from servo.connectors.load.planning import describe, make_plan
from servo.connectors.load.targets import TargetError


def config(**values) -> LoadConfiguration:
    return LoadConfiguration(**({"url": "http://h/", "rate": 10} | values))


def test_a_sample_is_valid():
    sample = LoadConfiguration.generate()
    assert LoadConfiguration.model_validate(sample.plain()) == sample


@pytest.mark.parametrize(
    ("text", "rate"),
    [(50, 50), ("50", 50), ("50/1s", 50), ("30000/1m", 500), ("1/2s", 0.5), ("0.5/100ms", 5)],
)
def test_a_rate_is_a_number_or_requests_per_time(text, rate):
    assert config(rate=text).rate == rate


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate": 0}, "greater than 0"),
        ({"rate": "5/0s"}, "is zero"),
        ({"rate": "5/x"}, "[Dd]uration"),
        ({"rate": 1e9}, "less than or equal"),
        ({"steps": [1, 2]}, "one of rate, steps and concurrency, not rate and steps"),
        ({"rate": None}, "not none"),
        ({"rate": None, "steps": []}, "at least 1"),
        ({"rate": None, "steps": [1, -1]}, "greater than 0"),
        ({"url": None}, "nothing to request"),
        ({"url": "/relative"}, "not an http"),
        ({"url": "http://u:p@h/"}, "no user name or password"),
        ({"targets": "GET http://h/", "targets_file": "x"}, "exclude each other"),
        ({"targets": "nonsense"}, "line 1"),
        ({"headers": {"A": "b\r\nC: d"}}, 'the value of header "A"'),
        ({"secret_headers": {"A": "hunter2\n"}}, 'the value of header "A"'),
        ({"headers": {"Host ": "x"}}, "no name of a header"),
        ({"expect": ["2x"]}, "is no status"),
        ({"expect": ["600"]}, "is no status"),
        ({"timeout": "0s"}, "more than zero"),
        ({"timeout": "11m"}, "at most 10m"),
        ({"interval": "10ms"}, "at least 100ms"),
        ({"rate": None, "concurrency": 1, "processes": 2}, "each process needs a user"),
        ({"unknown": 1}, "Extra inputs"),
    ],
)
def test_a_section_that_makes_no_sense_says_what_is_wrong(values, message):
    with pytest.raises(ValidationError, match=message):
        config(**values)


def test_statuses_are_codes_and_classes():
    assert parse_statuses(["204", "3xx"]) == frozenset({204, *range(300, 400)})


def test_secrets_show_in_no_output_and_arrive_in_the_request():
    found = config(secret_headers={"Authorization": "Bearer hunter2"})
    assert "hunter2" not in found.yaml() + repr(found) + str(found)
    plan = make_plan(found, warmup=0, duration=1)
    assert b"Authorization: Bearer hunter2" in plan.requests[0].payload
    assert "hunter2" not in repr(plan)


def test_targets_of_a_file_start_from_the_url_and_find_bodies_beside_it(tmp_path):
    (tmp_path / "body").write_text("x")
    (tmp_path / "targets").write_text("POST /orders\n@body\n")
    (target,) = config(targets_file=tmp_path / "targets").parse_targets()
    assert (target.url, target.body) == ("http://h/orders", b"x")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_targets_file_that_cannot_be_read_says_why(tmp_path, content):
    if content is not None:
        (tmp_path / "targets").write_bytes(content)
    with pytest.raises(TargetError, match="cannot read the targets"):
        config(targets_file=tmp_path / "targets").parse_targets()


def test_a_warm_up_is_a_phase_of_its_own_at_the_first_rate():
    plan = make_plan(config(rate=None, steps=[10, 20]), warmup=5, duration=10)
    assert [(p.rate, p.duration, p.measured) for p in plan.phases] == [
        (10, 5, False),
        (10, 5, True),
        (20, 5, True),
    ]
    assert plan.batches == 4
    assert make_plan(config(), warmup=0, duration=0.5).batches == 2


def test_a_load_is_described_in_a_sentence():
    assert describe(config(), 1, 2) == "open loop of 10 requests/s for 2s after 1s of warm-up"
    assert "steps of 5, 6" in describe(config(rate=None, steps=[5, 6]), 0, 1)
    assert "closed loop of 3 users" in describe(config(rate=None, concurrency=3), 0, 1)
