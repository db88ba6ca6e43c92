import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from servo.types import Control, Duration, SloInput, UserData


def test_defaults():
    control = Control()
    assert (control.duration, control.delay, control.warmup) == ("1s", 0, 0)
    assert (control.settlement, control.load, control.userdata, control.environment) == (
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize("field", ["duration", "delay", "warmup", "past"])
@pytest.mark.parametrize("value", [None, 0, "", 0.0])
def test_nothing_is_zero(field, value):
    assert getattr(Control(**{field: value}), field) == 0


@pytest.mark.parametrize("value", [60, 60.0, "60s", "1m", Duration("1m")])
@pytest.mark.parametrize("field", ["duration", "delay", "warmup", "settlement", "past"])
def test_durations_are_seconds_or_text(field, value):
    assert getattr(Control(**{field: value}), field) == "1m"


@pytest.mark.parametrize("field", ["duration", "delay", "warmup", "settlement"])
@pytest.mark.parametrize("value", [-1, "-1s", "5", "soon", True])
def test_what_is_no_time_span_is_refused(field, value):
    with pytest.raises(ValidationError):
        Control(**{field: value})


def test_past_is_delay():
    control = Control(past=123)
    assert control.delay == control.past == Duration("2m3s")


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_past_and_delay_must_agree(past, delay):
    if past == delay:
        assert Control(past=past, delay=f"{delay}s").delay == delay
        return
    with pytest.raises(ValidationError, match="past and delay attributes must be equal"):
        Control(past=past, delay=delay)


def test_zero_in_two_forms_agrees():
    assert Control(past=0, delay=None).delay == 0


def test_the_fields_given_are_not_changed():
    fields = {"past": 1}
    Control.model_validate(fields)
    assert fields == {"past": 1}


def test_unknown_keys_are_ignored():
    assert Control(colour="blue") == Control()


def test_userdata():
    """The user's own fields are kept beside the SLO."""
    control = Control(
        userdata={"slo": {"conditions": [{"metric": "latency", "threshold": 200}]}, "ticket": 7}
    )
    assert isinstance(control.userdata, UserData)
    assert isinstance(control.userdata.slo, SloInput)
    assert control.userdata.ticket == 7


def test_json_gives_the_control_back():
    control = Control(
        duration="5m", settlement=3, load={"rate": 5}, environment={"mode": "x"}, userdata={"a": 1}
    )
    assert Control.model_validate_json(control.model_dump_json()) == control
