import copy
import math
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from servo.types import Duration
from servo.utilities import (
    DurationError,
    microseconds_from_duration_str,
    timedelta_from_duration_str,
    timedelta_to_duration_str,
)

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("+0", 0),
        ("-0", 0),
        ("5s", 5),
        ("+5s", 5),
        ("-5s", -5),
        ("5.s", 5),
        (".5s", 0.5),
        ("1.0040s", 1.004),
        ("1500us", 0.0015),
        ("1500µs", 0.0015),
        ("1500μs", 0.0015),
        ("3000ns", 0.000003),
        ("13ms", 0.013),
        ("15m", 15 * MINUTE),
        ("16h", 16 * HOUR),
        ("11d", 11 * DAY),
        ("10w", 70 * DAY),
        ("2mm", 60 * DAY),
        ("1y", 365 * DAY),
        ("1h2m3s4ms", HOUR + 2 * MINUTE + 3.004),
        ("10.5s4m", 4 * MINUTE + 10.5),
        ("-2m3.5s", -(2 * MINUTE + 3.5)),
        ("1y4w1h", 365 * DAY + 28 * DAY + HOUR),
        ("5y2mm", 5 * 365 * DAY + 60 * DAY),
    ],
)
def test_parse(text, seconds):
    assert Duration(text).total_seconds() == seconds
    assert timedelta_from_duration_str(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "-",
        "+",
        "s",
        ".",
        "-.",
        ".s",
        "+.s",
        "invalid",
        "1h 5m",
        "1s\n",
        "--1s",
        "٣s",
        "1s" * 100,
    ],
)
def test_invalid_text(text):
    with pytest.raises(ValueError, match=r"^Invalid duration '"):
        Duration(text)


@pytest.mark.parametrize(("text", "unit"), [("5x", "x"), ("1e3s", "e"), ("1h5min", "min")])
def test_unknown_unit(text, unit):
    with pytest.raises(ValueError, match=rf"^Unknown unit '{unit}' in duration '{text}'$"):
        Duration(text)


def test_nanoseconds_below_resolution_round_to_microseconds():
    assert Duration("1499ns").total_seconds() == 0.000001
    assert microseconds_from_duration_str("1499ns") == 1.499


@pytest.mark.parametrize("duration", ["999999999999y", 1e300, timedelta.max.total_seconds() * 2])
def test_out_of_range(duration):
    with pytest.raises(ValueError, match="is out of range"):
        Duration(duration)


@pytest.mark.parametrize("duration", [True, math.nan, math.inf, None, [], b"5s"])
def test_no_duration_at_all(duration):
    with pytest.raises(ValueError, match=r"^Invalid duration"):
        Duration(duration)


def test_made_of_seconds_timedelta_and_components():
    assert Duration(120).total_seconds() == 120
    assert Duration(0.25).total_seconds() == 0.25
    assert Duration(timedelta(minutes=2)).total_seconds() == 120
    assert Duration(Duration("2m")).total_seconds() == 120
    assert Duration(hours=10, seconds=25).total_seconds() == 36025
    assert Duration().total_seconds() == 0


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        ("90s", "1m30s"),
        (0.5, "500ms"),
        ("400d", "1y1mm5d"),
        ("1w", "7d"),
        (0, "0"),
        ("2y4mm3d8h24m", "2y4mm3d8h24m"),
        (73729440.0, "2y4mm3d8h24m"),
        ("1.5ms", "1.5ms"),
        ("42us", "42us"),
        ("5h37m15s", "5h37m15s"),
        ("1m0.25s", "1m0.25s"),
        (100, "1m40s"),
    ],
)
def test_format(duration, text):
    assert str(Duration(duration)) == text


@pytest.mark.parametrize(
    ("duration", "text"), [("-1.5h", "-1h30m"), (-90, "-1m30s"), (-0.5, "-500ms"), ("-400d", "-1y1mm5d")]
)
def test_negative_format(duration, text):
    """Reference 1.10, 6.4: negative durations of a second and more were written in milliseconds."""
    assert str(Duration(duration)) == text


def test_format_without_days():
    assert timedelta_to_duration_str(timedelta(days=2, minutes=1)) == "48h1m"
    assert timedelta_to_duration_str(timedelta(days=2, minutes=1), extended=True) == "2d1m"


@given(st.timedeltas())
def test_text_gives_the_duration_back(delta):
    """What is written, in days or in hours, reads as exactly the same."""
    assert Duration(str(Duration(delta))) == delta
    assert timedelta_from_duration_str(timedelta_to_duration_str(delta)) == delta


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "h", "d", "w"])),
        min_size=1,
        max_size=6,
    )
)
def test_terms_add_up(terms):
    total = sum((Duration(f"{count}{unit}") for count, unit in terms), start=timedelta())
    assert Duration("".join(f"{count}{unit}" for count, unit in terms)) == total


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_an_error(text):
    try:
        timedelta_from_duration_str(text)
    except DurationError:
        return
    assert text.lstrip("+-")[0] in "0123456789."


def test_repr():
    assert repr(Duration("60s")) == "Duration('1m')"


def test_human_readable():
    assert Duration("60s").human_readable() == "1m"


def test_equality():
    duration = Duration("5m")
    assert duration == "5m"
    assert duration == 300
    assert duration == 300.0
    assert duration == timedelta(minutes=5)
    assert duration == Duration(300)
    assert duration != "300s", "with text it is the printed form that counts"
    assert duration != 301
    assert duration != timedelta(minutes=6)
    assert duration != [300]
    assert hash(duration) == hash(timedelta(minutes=5))


def test_order_and_truth():
    assert Duration("1m") < Duration("2m")
    assert not Duration(0)


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda duration: pickle.loads(pickle.dumps(duration))]
)
@given(delta=st.timedeltas())
def test_copies_are_equal(copied, delta):
    other = copied(Duration(delta))
    assert type(other) is Duration
    assert other == delta


@pytest.mark.parametrize("now", [datetime.now, lambda: datetime.now(UTC)])
def test_since(now):
    """A time with a zone is compared in it, one without in local time."""
    elapsed = Duration.since(now() - timedelta(seconds=100))
    assert 100 <= elapsed.total_seconds() < 160


class Model(BaseModel):
    duration: Duration = Duration("1s")


class TestModel:
    @pytest.mark.parametrize("value", ["5m", 300, 300.0, timedelta(minutes=5), Duration("5m")])
    def test_validates_every_form(self, value):
        model = Model(duration=value)
        assert type(model.duration) is Duration
        assert model.duration == 300

    @pytest.mark.parametrize("value", ["5", None, True, {}])
    def test_rejects_the_rest(self, value):
        with pytest.raises(ValidationError, match="Invalid duration"):
            Model(duration=value)

    def test_json_is_the_text(self):
        assert Model(duration="60s").model_dump_json() == '{"duration":"1m"}'
        assert Model(duration="60s").model_dump() == {"duration": Duration("1m")}

    @given(st.timedeltas())
    def test_json_gives_the_duration_back(self, delta):
        adapter = TypeAdapter(Duration)
        assert adapter.validate_json(adapter.dump_json(Duration(delta))) == delta

    def test_schema(self):
        schema = Model.model_json_schema()["properties"]["duration"]
        assert (schema["type"], schema["format"]) == ("string", "duration")
        assert schema["examples"] == ["300ms", "5m", "2h45m", "72h3m0.5s"]

    @given(st.timedeltas())
    def test_pattern_of_the_schema_fits_what_is_written(self, delta):
        jsonschema = pytest.importorskip("jsonschema")
        schema = TypeAdapter(Duration).json_schema()
        jsonschema.validate(str(Duration(delta)), schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate("5", schema)
