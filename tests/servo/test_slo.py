from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from servo.types import SloCondition, SloInput, SloKeep


def test_defaults():
    condition = SloCondition(metric="latency", threshold=200)
    assert condition.keep is SloKeep.below
    assert (condition.threshold_multiplier, condition.trigger_count, condition.trigger_window) == (1, 1, 1)
    assert (condition.slo_metric_minimum, condition.slo_threshold_minimum) == (0.25, 0.25)


def test_threshold_is_decimal():
    assert SloCondition(metric="latency", threshold="0.1").threshold == Decimal("0.1")


@pytest.mark.parametrize("fields", [{"trigger_count": 3}, {"trigger_count": 3, "trigger_window": None}])
def test_window_defaults_to_the_count(fields):
    assert SloCondition(metric="latency", threshold=200, **fields).trigger_window == 3


@given(st.integers(-2, 10), st.integers(-2, 10))
def test_window_is_at_least_the_count_and_that_at_least_one(count, window):
    fields = {"metric": "latency", "threshold": 200, "trigger_count": count, "trigger_window": window}
    if 1 <= count <= window:
        assert SloCondition(**fields).trigger_window == window
        return
    with pytest.raises(ValidationError):
        SloCondition(**fields)


def test_count_above_window_says_so():
    with pytest.raises(
        ValidationError, match=r"trigger_count cannot be greater than trigger_window \(2 > 1\)"
    ):
        SloCondition(metric="latency", threshold=1, trigger_count=2, trigger_window=1)


@pytest.mark.parametrize(
    "fields", [{}, {"threshold": 1, "threshold_metric": "b"}, {"threshold": 1, "colour": "blue"}]
)
def test_exactly_one_threshold_and_nothing_unknown(fields):
    with pytest.raises(ValidationError):
        SloCondition(metric="a", **fields)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"threshold": 6000}, "(a below 6000)"),
        ({"threshold": "0.50", "keep": "above"}, "(a above 0.50)"),
        ({"threshold_metric": "b"}, "(a below b)"),
        ({"threshold": 1, "description": "fast"}, "(a below 1 -> fast)"),
    ],
)
def test_str(fields, text):
    assert str(SloCondition(metric="a", **fields)) == text


def test_conditions_are_unique():
    conditions = [
        SloCondition(metric="same", threshold=6000),
        SloCondition(metric="same", threshold=6000),
        SloCondition(metric="same", threshold=6000, trigger_count=2),
        SloCondition(metric="same2", threshold_metric="same3"),
        SloCondition(metric="same2", threshold_metric="same3"),
        SloCondition(metric="other", threshold=6000),
        SloCondition(metric="other", threshold=6000, keep=SloKeep.above),
    ]
    with pytest.raises(ValidationError) as caught:
        SloInput(conditions=conditions)
    assert caught.value.errors()[0]["msg"].endswith(
        "Slo conditions must be unique. Redundant conditions found: (same below 6000), (same2 below same3)"
    )


def test_number_of_conditions_is_bounded():
    conditions = [SloCondition(metric=f"m{n}", threshold=1) for n in range(1001)]
    with pytest.raises(ValidationError, match="at most 1000"):
        SloInput(conditions=conditions)
