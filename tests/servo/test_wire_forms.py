"""What is sent to an optimizer, compared with what the original sent of the same values."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from servo.types import (
    CPU,
    Component,
    Control,
    DataPoint,
    Description,
    EnumSetting,
    Measurement,
    Memory,
    Metric,
    Replicas,
    TimeSeries,
    Unit,
)

RECORDING = Path(__file__).parents[3] / "shared" / "data" / "servo-protocol" / "conversation.jsonl"
THROUGHPUT = Metric("throughput", Unit.requests_per_second)
LATENCY = Metric("latency", Unit.milliseconds)


@pytest.fixture(scope="module")
def exchanges():
    if not RECORDING.is_file():
        pytest.skip(f"the recording of the original is not at {RECORDING}")
    return [json.loads(line) for line in RECORDING.read_text().splitlines()]


def results(exchanges, event, key):
    """What the original sent under ``key`` in its results of an event."""
    bodies = [exchange["request"]["body"] for exchange in exchanges]
    return [body["param"][key] for body in bodies if body["event"] == event and key in body["param"]]


@pytest.fixture
def components():
    settings = [
        CPU(min=1, max=4, value=2),
        Memory(min=0.25, max=4, step=0.125, value=1),
        Replicas(min=1, max=5, value=2),
        EnumSetting(name="engine", values=["a", "b"], value="a"),
    ]
    return [Component("web", settings)]


def as_text(data):
    """JSON, which tells 2 from 2.0 and one order of keys from another."""
    return json.dumps(data)


def test_description(exchanges, components):
    description = Description(components=components, metrics=[THROUGHPUT, LATENCY])
    (recorded,) = results(exchanges, "DESCRIPTION", "descriptor")
    assert as_text(description.__opsani_repr__()) == as_text(recorded)


def test_state_after_an_adjustment(exchanges, components):
    (recorded,) = results(exchanges, "ADJUSTMENT", "state")
    assert as_text(Description(components=components).__opsani_repr__()) == as_text(recorded)


@pytest.mark.parametrize("zone", [None, UTC])
def test_measurement(exchanges, zone):
    """Times are the same whether the connector gave them a zone or left them local. Ids are times of their own."""
    recorded = results(exchanges, "MEASUREMENT", "metrics")
    times = [datetime.fromtimestamp(1704067200 + 60 * n, zone) for n in range(2)]
    series = [
        TimeSeries(metric, list(zip(times, values, strict=True)))
        for metric, values in [(THROUGHPUT, (1.5, 2.0)), (LATENCY, (30.0, 31.0))]
    ]
    sent = Measurement(readings=series, annotations={"load_profile": "text"}).__opsani_repr__()
    assert results(exchanges, "MEASUREMENT", "annotations") == [sent["annotations"]] * 2
    for metrics in recorded:
        for name, metric in metrics.items():
            (one,) = metric["values"]
            assert one["id"].isdecimal()
            assert sent["metrics"][name]["values"][0]["id"].isdecimal()
            one["id"] = sent["metrics"][name]["values"][0]["id"]
        assert as_text(sent["metrics"]) == as_text(metrics)


def test_controls(exchanges):
    """Every control that the recorded optimizer sent is read."""
    commands = [exchange["response"]["body"] for exchange in exchanges]
    controls = [
        Control(**body["param"]["control"]) for body in commands if "control" in (body.get("param") or {})
    ]
    assert [(control.duration, control.warmup, control.settlement) for control in controls] == [
        ("1s", 0, None),
        ("2s", 0, None),
        ("1s", 0, "5m"),
        ("1s", 0, None),
        ("1s", 0, None),
        ("1s", 0, None),
    ]
    assert controls[1].userdata.slo is None


def test_data_points():
    """Reference 3.4: a data point is sent as a single value."""
    measurement = Measurement(readings=[DataPoint(Metric("cost"), datetime.now(UTC), 12.5)])
    assert measurement.__opsani_repr__() == {
        "metrics": {"cost": {"unit": "", "value": 12.5}},
        "annotations": {},
    }
