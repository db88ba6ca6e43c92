import json
import math
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from servo.types import DataPoint, Measurement, Metric, TimeSeries, Unit

THROUGHPUT = Metric("throughput", Unit.requests_per_second)
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def point(value, minutes=0, metric=THROUGHPUT):
    return DataPoint(metric, NOON + timedelta(minutes=minutes), value)


def wire(*readings):
    return Measurement(readings=list(readings)).__opsani_repr__()["metrics"]


@pytest.fixture
def tokyo(monkeypatch):
    """This machine's time zone is Tokyo's for the time of the test."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield timezone(timedelta(hours=9))
    monkeypatch.undo()
    time.tzset()


class TestReadings:
    def test_none_are_accepted(self):
        measurement = Measurement()
        assert len(measurement) == 0
        assert measurement.__opsani_repr__() == {"metrics": {}, "annotations": {}}

    def test_length_iteration_and_index(self):
        readings = [point(1.0), point(2.0)]
        measurement = Measurement(readings=readings)
        assert len(measurement) == 2
        assert list(measurement) == readings
        assert measurement[1] == readings[1]
        with pytest.raises(TypeError):
            measurement["throughput"]

    def test_types_are_not_mixed(self):
        with pytest.raises(
            ValidationError,
            match='all readings must be of the same type: expected "TimeSeries" but found "DataPoint"',
        ):
            Measurement(readings=[TimeSeries(THROUGHPUT, [point(1.0)]), point(1.0)])

    def test_lengths_may_differ(self):
        readings = [TimeSeries(THROUGHPUT, [point(1.0)]), TimeSeries(THROUGHPUT, [], id="b")]
        assert len(Measurement(readings=readings)) == 2

    def test_measurements_do_not_share_their_defaults(self):
        first, second = Measurement(), Measurement()
        first.readings.append(point(1.0))
        first.annotations["a"] = "b"
        assert (second.readings, second.annotations) == ([], {})


class TestMerged:
    def test_readings_are_concatenated_and_later_annotations_win(self):
        merged = Measurement.merged(
            [
                Measurement(readings=[point(1.0)], annotations={"a": "1", "b": "1"}),
                Measurement(readings=[point(2.0)], annotations={"b": "2"}),
            ]
        )
        assert [reading.value for reading in merged] == [1.0, 2.0]
        assert merged.annotations == {"a": "1", "b": "2"}

    def test_points_beside_series_become_series(self):
        """One connector that reports points does not make another's series a failure."""
        series = TimeSeries(THROUGHPUT, [point(1.0), point(2.0, 1)])
        merged = Measurement.merged(
            [Measurement(readings=[series]), Measurement(readings=[point(3.0, metric=Metric("cost"))])]
        )
        assert merged[0] == series
        assert [(reading.metric.name, len(reading)) for reading in merged] == [("throughput", 2), ("cost", 1)]

    def test_nothing(self):
        assert Measurement.merged([]) == Measurement()


class TestSeries:
    def test_all_series_of_a_metric_are_sent(self):
        """Reference 6.1 #7: of several series of one metric only the last was sent."""
        metrics = wire(
            TimeSeries(THROUGHPUT, [point(1.0)], id="pod-a"), TimeSeries(THROUGHPUT, [point(2.0)], id="pod-b")
        )
        second = int(NOON.timestamp())
        assert metrics == {
            "throughput": {
                "unit": "rps",
                "values": [
                    {"id": "pod-a", "data": [[second, 1.0]]},
                    {"id": "pod-b", "data": [[second, 2.0]]},
                ],
            }
        }

    def test_ids_are_real(self):
        """Reference 6.1 #7: ids of series were replaced by the time."""
        assert wire(TimeSeries(THROUGHPUT, [], id="x"))["throughput"]["values"][0]["id"] == "x"

    def test_without_ids_they_are_told_apart_all_the_same(self):
        before = int(time.time())
        taken = {str(before + n) for n in range(100)}
        series = [TimeSeries(THROUGHPUT, [], id=id_) for id_ in [None, None, *taken]]
        ids = [one["id"] for one in wire(*series)["throughput"]["values"]]
        assert len(set(ids)) == len(ids) == 102
        assert all(id_.isdecimal() for id_ in ids)

    def test_metrics_keep_their_order(self):
        names = ["c", "a", "b"]
        assert list(wire(*(TimeSeries(Metric(name), []) for name in names))) == names

    def test_times_are_whole_seconds_of_the_epoch(self):
        ((second, _),) = wire(TimeSeries(THROUGHPUT, [(NOON + timedelta(seconds=0.9), 1.0)]))["throughput"][
            "values"
        ][0]["data"]
        assert (second, type(second)) == (int(NOON.timestamp()), int)


class TestTimes:
    @pytest.mark.parametrize("hours", [-11, 0, 5, 14])
    def test_of_any_zone_are_sent_right(self, tokyo, hours):
        """Reference 6.4: times were read as naive local times, whatever their zone."""
        moment = NOON.astimezone(timezone(timedelta(hours=hours)))
        assert wire(TimeSeries(THROUGHPUT, [(moment, 1.0)]))["throughput"]["values"][0]["data"] == [
            [int(NOON.timestamp()), 1.0]
        ]

    def test_without_zone_are_local(self, tokyo):
        moment = NOON.astimezone(tokyo).replace(tzinfo=None)
        assert wire(TimeSeries(THROUGHPUT, [(moment, 1.0)]))["throughput"]["values"][0]["data"] == [
            [int(NOON.timestamp()), 1.0]
        ]


class TestPoints:
    def test_one_is_a_value(self):
        assert wire(point(1.5)) == {"throughput": {"unit": "rps", "value": 1.5}}

    def test_several_of_a_metric_are_a_series(self):
        """Reference 6.1 #7: of several readings of one metric only the last was sent."""
        metrics = wire(point(2.0, minutes=1), point(1.0), point(3.0, metric=Metric("cost")))
        (series,) = metrics["throughput"]["values"]
        assert [value for _, value in series["data"]] == [1.0, 2.0]
        assert metrics["cost"] == {"unit": "", "value": 3.0}


FLOATS = st.floats(allow_nan=True, allow_infinity=True)
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.none() | st.timezones())  # noqa: DTZ001  bounds


@given(st.lists(st.tuples(TIMES, FLOATS), max_size=20), st.none() | st.text(max_size=5))
def test_any_series_is_strict_json(points, id_):
    """What is no number is left out: JSON has no word for it."""
    sent = json.loads(json.dumps(wire(TimeSeries(THROUGHPUT, points, id=id_)), allow_nan=False))
    (series,) = sent["throughput"]["values"]
    assert len(series["data"]) == sum(math.isfinite(value) for _, value in points)
    seconds = [second for second, _ in series["data"]]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_single_value_that_is_no_number_is_null(value):
    assert wire(point(value)) == {"throughput": {"unit": "rps", "value": None}}
