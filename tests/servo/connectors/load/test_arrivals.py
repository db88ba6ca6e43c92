"""When requests are meant to be sent."""

import math
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.load.arrivals import Phase, arrivals, starts

phases = st.lists(
    st.builds(Phase, st.sampled_from([0.0, 0.5, 1, 7, 33.3, 100]), st.sampled_from([0.0, 0.1, 1, 2.5])),
    min_size=1,
    max_size=5,
)


def test_requests_are_evenly_spaced_and_start_at_once():
    assert list(arrivals([Phase(4, 1)])) == [0, 0.25, 0.5, 0.75]


def test_each_phase_has_its_own_rate():
    offsets = list(arrivals([Phase(2, 1), Phase(4, 1)]))
    assert offsets == [0, 0.5, 1, 1.25, 1.5, 1.75]


def test_the_rate_does_not_drift_over_a_day():
    day = 24 * 3600
    last = None
    for last in islice(arrivals([Phase(1 / 3, day)]), 28_800):  # noqa: B007 - the last one is wanted
        pass
    assert last == 28_799 * 3


@given(phases)
def test_as_many_requests_as_rate_times_duration(plan):
    expected = sum(math.ceil(p.rate * p.duration - 1e-9) for p in plan)
    assert len(list(arrivals(plan))) == expected


@given(phases, st.integers(1, 5), st.booleans())
def test_offsets_ascend_and_stay_within_the_load(plan, shards, poisson):
    for shard in range(shards):
        offsets = list(arrivals(plan, shard=shard, shards=shards, poisson=poisson))
        assert all(a <= b for a, b in pairwise(offsets))
        assert all(0 <= offset < starts(plan)[-1] for offset in offsets)


@given(phases, st.integers(1, 5))
def test_shards_share_the_load_without_loss_or_repetition(plan, shards):
    together = sorted(x for shard in range(shards) for x in arrivals(plan, shard=shard, shards=shards))
    assert together == list(arrivals(plan))


def test_random_arrivals_keep_the_rate_on_average_and_repeat_with_the_seed():
    one = list(arrivals([Phase(1000, 10)], poisson=True, seed=3))
    assert len(one) == pytest.approx(10_000, rel=0.05)
    assert one == list(arrivals([Phase(1000, 10)], poisson=True, seed=3))
    assert one != list(arrivals([Phase(1000, 10)], poisson=True, seed=4))


def test_random_gaps_vary_as_those_of_independent_users_do():
    offsets = list(arrivals([Phase(1000, 20)], poisson=True))
    gaps = [b - a for a, b in pairwise(offsets)]
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((g - mean) ** 2 for g in gaps) / len(gaps))
    assert deviation == pytest.approx(mean, rel=0.1)  # exponential: the deviation is the mean
