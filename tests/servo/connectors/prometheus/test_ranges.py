"""A range in pieces is the range."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.prometheus.ranges import count_points, pieces
from servo.connectors.prometheus.requests import RangeQuery
from servo.types.core import Duration

START = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
steps = st.integers(10, 10_000_000).map(lambda ms: timedelta(milliseconds=ms))


def grid(start, end, step):
    """When a server evaluates a range."""
    return [start + step * index for index in range((end - start) // step + 1)]


@given(steps, st.integers(1, 2000), st.floats(0, 0.99), st.integers(1, 300))
def test_the_pieces_are_evaluated_when_the_whole_is_each_moment_once(step, count, rest, most):
    end = START + step * (count - 1) + step * rest
    found = list(pieces(START, end, step, most))
    assert [time for first, last in found for time in grid(first, last, step)] == grid(START, end, step)
    assert all(count_points(first, last, step) <= most for first, last in found)
    assert len(found) == -(-count // most)


@given(steps, st.integers(1, 50), st.integers(1, 10))
def test_each_piece_is_a_range_that_can_be_asked_for(step, count, most):
    for first, last in pieces(START, START + step * (count - 1) + step / 2, step, most):
        assert RangeQuery(query="x", start=first, end=last, step=Duration(step)).params["end"]


def test_a_day_of_seconds_takes_eight_answers_of_prometheus():
    found = list(pieces(START, START + timedelta(days=1), timedelta(seconds=1), 11_000))
    assert len(found) == 8
