"""What a setting may be."""

import math
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from servo.connectors.process.settings import (
    EnumSettingConfiguration,
    RangeSettingConfiguration,
    SettingError,
    accept,
)


def ranged(**fields) -> RangeSettingConfiguration:
    return RangeSettingConfiguration(**({"name": "n", "min": 1, "max": 9, "default": 2} | fields))


def choice(**fields) -> EnumSettingConfiguration:
    return EnumSettingConfiguration(
        **({"name": "e", "type": "enum", "values": ["a", "b"], "default": "a"} | fields)
    )


@pytest.mark.parametrize(
    ("fields", "value", "accepted"),
    [
        ({}, 3, 3),
        ({}, 3.0, 3),
        ({}, "4", 4),
        ({"min": 0.1, "max": 0.7, "step": 0.1, "default": 0.1}, 0.1 + 0.2, 0.3),
        ({"step": 0, "default": 1.5}, 2.718, 2.718),
        ({"min": -4, "max": 4, "step": 2, "default": 0}, -2, -2),
    ],
)
def test_a_value_is_taken_exactly_on_its_step(fields, value, accepted):
    found = ranged(**fields).accept(value)
    assert found == accepted
    assert type(found) is type(accepted)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "n=0 is not between 1 and 9"),
        (10, "is not between"),
        (2.5, "n=2.5 is not a multiple of 1 above 1"),
        ("many", "is not a number"),
        (True, "is not a number"),
        (None, "is not a number"),
        (math.nan, "is not a number"),
        ("Infinity", "is not a number"),
    ],
)
def test_a_value_out_of_range_is_refused(value, message):
    with pytest.raises(SettingError, match=message):
        ranged().accept(value)


@given(
    st.integers(-50, 50), st.integers(0, 40), st.sampled_from(["0.1", "0.25", "1", "3"]), st.integers(0, 60)
)
def test_every_step_of_a_range_is_accepted_and_nothing_between(low, steps, step, index):
    size = Decimal(step)
    high = low + steps * size
    setting = ranged(min=low, max=float(high), step=float(size), default=low)
    assume(index <= steps)
    value = float(low + index * size)
    assert setting.accept(value) == pytest.approx(value)
    if index < steps:
        with pytest.raises(SettingError):
            setting.accept(value + float(size) / 2)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min": 5, "max": 1}, "min 5.* is greater than max 1"),
        ({"step": -1}, "is negative"),
        ({"default": 99}, "is not between"),
        ({"max": math.inf}, "finite"),
        ({"name": "9x"}, "starts with a letter"),
        ({"environment": "A-B"}, "no name of an environment variable"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        ranged(**fields)


def test_true_and_false_are_words():
    setting = choice(values=[True, False], default=False, arguments={True: "--fast", False: []})
    assert setting.values == ["true", "false"]
    assert setting.accept(True) == setting.accept("true") == "true"
    assert setting.arguments == {"true": ["--fast"], "false": []}


def test_a_choice_keeps_the_type_it_is_configured_with():
    setting = choice(values=[1, 2.5, "x"], default=1)
    assert [setting.accept(value) for value in ("1", 2.5, "x")] == [1, 2.5, "x"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"values": ["a", "a"]}, "there twice"),
        ({"values": [1, "1"], "default": 1}, "there twice"),
        ({"default": "z"}, "not one of a, b"),
        ({"values": []}, "at least 1"),
        ({"arguments": {"z": ["-z"]}}, "not among the values"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        choice(**fields)


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_changed():
    current = {"n": 2, "e": "a"}
    with pytest.raises(SettingError) as caught:
        accept([ranged(), choice()], current, {"n": 77, "e": "z", "ghost": 1})
    assert "n=77 is not between" in str(caught.value)
    assert "e=z is not one of" in str(caught.value)
    assert "there is no setting 'ghost'" in str(caught.value)
    assert current == {"n": 2, "e": "a"}


def test_values_that_are_not_wanted_stay():
    assert accept([ranged(), choice()], {"n": 2, "e": "a"}, {"n": 3}) == {"n": 3, "e": "a"}


def test_a_pinned_setting_takes_only_what_it_has():
    settings = [ranged(pinned=True)]
    assert accept(settings, {"n": 2}, {"n": 2}) == {"n": 2}
    with pytest.raises(SettingError, match="n is pinned to 2"):
        accept(settings, {"n": 2}, {"n": 3})


def test_settings_are_described_with_all_an_optimizer_needs():
    found = ranged(unit="MiB", pinned=True).describe(4).__opsani_repr__()
    assert found == {
        "n": {"type": "range", "min": 1, "max": 9, "step": 1, "value": 4, "unit": "MiB", "pinned": True}
    }
    assert choice().describe("b").__opsani_repr__()["e"]["values"] == ["a", "b"]
