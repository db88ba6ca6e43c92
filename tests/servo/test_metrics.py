from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from servo.types import DataPoint, Duration, Metric, Reading, TimeSeries, Unit

NOON = datetime(2020, 1, 21, 12, 0, 1)  # noqa: DTZ001  a time without zone is a case of its own
THROUGHPUT = Metric("throughput", Unit.requests_per_minute)


def series(*values, **fields):
    points = [
        DataPoint(THROUGHPUT, NOON + timedelta(minutes=10 * n), value) for n, value in enumerate(values)
    ]
    return TimeSeries(THROUGHPUT, points, **fields)


class TestUnit:
    def test_abbreviations(self):
        assert {unit.name: str(unit) for unit in Unit} == {
            "float": "",
            "percentage": "%",
            "milliseconds": "ms",
            "bytes": "bytes",
            "gibibytes": "GiB",
            "cores": "cores",
            "requests_per_minute": "rpm",
            "requests_per_second": "rps",
        }

    def test_without_abbreviation_there_is_one_member_of_four_names(self):
        assert Unit.float is Unit.int is Unit.count is Unit.rate is Unit("")


class TestMetric:
    def test_by_position_and_by_name(self):
        assert Metric("a", Unit.bytes) == Metric(name="a", unit="bytes")

    def test_unit_defaults_to_none(self):
        assert Metric("a").unit is Unit.float

    def test_hashable_by_name_and_unit(self):
        assert len({Metric("a"), Metric("a"), Metric("a", "ms"), Metric("b")}) == 3

    def test_str(self):
        assert str(THROUGHPUT) == "throughput (rpm)"

    def test_wire_form(self):
        assert THROUGHPUT.__opsani_repr__() == {"throughput": {"unit": "rpm"}}

    @pytest.mark.parametrize("fields", [{}, {"name": 1}, {"name": "a", "unit": "furlong"}])
    def test_bad_input_is_a_validation_error(self, fields):
        with pytest.raises(ValidationError):
            Metric.model_validate(fields)

    def test_too_many_values(self):
        with pytest.raises(TypeError, match="Metric takes at most 2 values, not 3"):
            Metric("a", "ms", "x")

    def test_one_value_twice(self):
        with pytest.raises(TypeError, match="Metric got 'name' by position and by name"):
            Metric("a", name="a")


class TestDataPoint:
    point = DataPoint(THROUGHPUT, NOON, 31337.0)

    def test_iterates_as_a_pair(self):
        assert tuple(self.point) == (NOON, 31337.0)
        time, value = self.point
        assert (time, value) == (NOON, 31337.0)

    def test_indexes_as_a_pair(self):
        assert (self.point[0], self.point[1]) == (NOON, 31337.0)

    def test_index_out_of_range(self):
        with pytest.raises(KeyError, match=r"index out of bounds: 3 not in \(0, 1\)"):
            self.point[3]

    def test_index_that_is_none(self):
        with pytest.raises(TypeError, match="index must be an integer, not str"):
            self.point["value"]

    def test_unit(self):
        assert self.point.unit is Unit.requests_per_minute

    def test_str(self):
        assert str(self.point) == "throughput: 31337.00rpm @ 2020-01-21 12:00:01"

    def test_repr(self):
        assert repr(self.point) == "DataPoint(throughput (rpm), (2020-01-21 12:00:01, 31337.0))"

    @pytest.mark.parametrize("value", [None, "many", []])
    def test_a_value_is_a_number(self, value):
        with pytest.raises(ValidationError):
            DataPoint(THROUGHPUT, NOON, value)


class TestTimeSeries:
    def test_length_iteration_and_index(self):
        one = series(3.0, 1.0, 2.0)
        assert len(one) == 3
        assert [point.value for point in one] == [3.0, 1.0, 2.0]
        assert [point.value for point in reversed(one)] == [2.0, 1.0, 3.0]
        assert one[1].value == 1.0
        with pytest.raises(TypeError):
            one["a"]
        with pytest.raises(IndexError):
            one[3]

    def test_extremes_are_points(self):
        one = series(3.0, 1.0, 2.0)
        assert (one.min, one.max) == (one[1], one[0])

    def test_timespan_and_duration(self):
        one = series(3.0, 1.0, 2.0)
        assert one.timespan == (NOON, NOON + timedelta(minutes=20))
        assert one.duration == Duration("20m")

    def test_empty(self):
        one = series()
        assert (len(one), one.min, one.max, one.timespan, one.duration) == (0, None, None, None, None)

    def test_pairs_are_points(self):
        assert TimeSeries(THROUGHPUT, [(NOON, 1.0)]) == series(1.0)

    @pytest.mark.parametrize("points", ["ab", 5, [5], [(NOON, 1.0, 2.0)], [(NOON, "x")]])
    def test_bad_points_are_a_validation_error(self, points):
        with pytest.raises(ValidationError):
            TimeSeries(THROUGHPUT, points)

    def test_bad_metric_is_a_validation_error(self):
        with pytest.raises(ValidationError):
            TimeSeries("throughput", [(NOON, 1.0)])

    def test_id_may_be_a_number(self):
        assert series(id=3).id == "3"

    @given(st.permutations(range(6)))
    def test_sorted_by_time(self, order):
        expected = series(*range(6))
        assert TimeSeries(THROUGHPUT, [expected[n] for n in order]) == expected

    def test_times_with_and_without_zone_are_sorted_together(self):
        local, utc = datetime(2020, 1, 1), datetime(2020, 1, 2, tzinfo=UTC)  # noqa: DTZ001  see above
        later = datetime(2020, 1, 2, 1, tzinfo=timezone(timedelta(hours=14)))
        one = TimeSeries(THROUGHPUT, [(utc, 3.0), (later, 2.0), (local, 1.0)])
        assert [point.value for point in one] == [1.0, 2.0, 3.0]
        assert one.duration > Duration(0)

    def test_repr_tells_timespan_and_duration(self):
        assert repr(series(1.0, 2.0)).endswith(
            "id=None, annotation=None, metadata=None,"
            " timespan=(datetime.datetime(2020, 1, 21, 12, 0, 1), datetime.datetime(2020, 1, 21, 12, 10, 1)),"
            " duration=Duration('10m'))"
        )


@pytest.mark.parametrize(
    "reading", [series(1.0, 2.0, id="a", metadata={"pod": 1}), series(), TestDataPoint.point]
)
def test_readings_survive_json(reading):
    adapter = TypeAdapter(Reading)
    assert adapter.validate_json(adapter.dump_json(reading)) == reading
