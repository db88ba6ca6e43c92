"""What vegeta reports becomes what is measured (reference 4.3)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from servo.connectors.vegeta.report import METRICS, parse, series

# In the form of vegeta 12.8: nanoseconds, times with nanoseconds and a zone.
REPORT = {
    "latencies": {
        "total": 237119463, "mean": 2371194, "50th": 2854306, "90th": 3228223, "95th": 3478629, "99th": 3530000,
        "max": 3660505, "min": 1949582,
    },
    "bytes_in": {"total": 606700, "mean": 6067}, "bytes_out": {"total": 0, "mean": 0},
    "earliest": "2026-09-19T14:45:50.645818631+02:00", "latest": "2026-09-19T14:45:51.635818575+02:00",
    "end": "2026-09-19T14:45:51.639325797+02:00", "duration": 989999944, "wait": 3507222, "requests": 100,
    "rate": 101.01010672380401, "throughput": 100.0, "success": 0.98, "status_codes": {"200": 98, "500": 2},
    "errors": ["500 Internal Server Error"],
}  # fmt: skip


def test_a_report_becomes_a_point_of_each_metric():
    report = parse("\x1b[H\x1b[2J" + json.dumps(REPORT))
    found = {each.metric.name: each for each in series([report], None)}
    assert [*found] == [metric.name for metric in METRICS]
    values = {name: each[0].value for name, each in found.items()}
    assert values == pytest.approx(
        {
            "throughput": 6000, "error_rate": 2, "latency_total": 237.119463, "latency_mean": 2.371194,
            "latency_50th": 2.854306, "latency_90th": 3.228223, "latency_95th": 3.478629, "latency_99th": 3.53,
            "latency_max": 3.660505, "latency_min": 1.949582,
        }
    )  # fmt: skip
    assert found["throughput"][0].time == datetime(2026, 9, 19, 12, 45, 51, 639325, UTC)
    assert {each.metric.name: each.unit.value for each in found.values()} == {
        "throughput": "rpm", "error_rate": "%"
    } | {name: "ms" for name in values if name.startswith("latency")}  # fmt: skip


def test_what_an_older_version_does_not_report_has_no_points():
    report = parse(json.dumps(REPORT | {"latencies": {"mean": 1e6}, "errors": None}))
    found = {each.metric.name: len(each) for each in series([report], ["latency_mean", "latency_min"])}
    assert found == {"latency_mean": 1, "latency_min": 0}


@pytest.mark.parametrize("line", ["", "\x1b[H\x1b[2J", '{"requests": 0, "end": "0001-01-01T00:00:00Z"}'])
def test_before_the_first_answer_there_is_nothing(line):
    assert parse(line) is None


@pytest.mark.parametrize(
    "line", ["nonsense", "{}", '{"end": "x"}', "[]", '{"requests": "many", "end": "2026-01-01"}']
)
def test_what_is_no_report_is_refused(line):
    with pytest.raises(ValueError, match=r"\S"):
        parse(line)
