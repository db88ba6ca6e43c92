"""Counts that add up, across time and processes."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.load.tally import Tally, total

latencies = st.lists(st.floats(0.0001, 10), max_size=30)


def tally_of(values, start=0.0, end=1.0, **errors):
    tally = Tally(start, end)
    for value in values:
        tally.requests += 1
        tally.succeeded += 1
        tally.completed += 1
        tally.latency(value)
    tally.errors.update(errors)
    return tally


def test_percentiles_are_those_of_the_values_to_three_digits():
    tally = tally_of([i / 1000 for i in range(1, 1001)])
    assert tally.percentile(50) == pytest.approx(0.5, rel=0.002)
    assert tally.percentile(99) == pytest.approx(0.99, rel=0.002)
    assert tally.percentile(100) == tally.latency_max == 1.0
    assert tally.latency_mean == pytest.approx(0.5005)


def test_without_latencies_there_are_none():
    assert math.isnan(Tally(0, 1).percentile(99))
    assert math.isnan(Tally(0, 1).latency_mean)


def test_the_error_rate_is_the_share_of_decided_requests():
    assert tally_of([0.1] * 9, timeout=1).error_rate == 10
    assert Tally(0, 1).error_rate == 0


def test_throughput_is_completions_by_time():
    assert tally_of([0.1] * 50, start=10, end=12).throughput == 25
    assert Tally(0, 0).throughput == 0


@given(latencies, latencies)
def test_adding_is_as_if_all_had_been_recorded_in_one(left, right):
    both = total([tally_of(left), tally_of(right)])
    one = tally_of(left + right)
    assert both.recorded == one.recorded
    assert both.latency_max == one.latency_max
    assert both.latency_sum == pytest.approx(one.latency_sum)
    for percent in (50, 99):
        assert both.percentile(percent) == one.percentile(percent) or not one.recorded


@given(latencies, st.dictionaries(st.sampled_from(["timeout", "status-500"]), st.integers(1, 5)))
def test_a_tally_survives_being_sent(values, errors):
    tally = tally_of(values, 2.5, 3.75, **errors)
    received = Tally.load(json.loads(json.dumps(tally.dump())))
    assert received.dump() == tally.dump()
    assert received.errors == tally.errors


def test_extreme_latencies_are_held_rather_than_lost():
    tally = tally_of([0.0, 1e9])
    assert tally.recorded == 2


def test_nothing_adds_up_to_an_error():
    with pytest.raises(ValueError, match="nothing to add up"):
        total([])
