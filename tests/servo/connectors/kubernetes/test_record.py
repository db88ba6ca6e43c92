"""The record at a target: written with it, read by whoever comes after, whatever stands there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.kubernetes.record import ANNOTATION, Record, RecordError, Trial, remove

FIELDS = st.dictionaries(
    st.sampled_from(["app/requests/cpu", "app/limits/memory", "app/env/A", "a/env/B/C"]),
    st.none() | st.text(max_size=10),
) | st.just({"replicas": 3})
TRIALS = st.builds(Trial, st.text(max_size=12), FIELDS, st.text(max_size=30), st.booleans())
RECORDS = st.builds(
    Record,
    st.integers(0, 10**9),
    st.text(max_size=20),
    FIELDS,
    FIELDS,
    st.text(max_size=12),
    st.none() | TRIALS,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["epoch", "agent", "baseline", "accepted", "accepted_id", "trial", "id"]), inner
        )
    ),
    max_leaves=12,
)


@given(RECORDS)
def test_what_is_put_is_found_again(record):
    manifest: dict[str, Any] = {"metadata": {"annotations": None}}
    record.put(manifest)
    assert Record.of(manifest) == record
    assert remove(manifest)
    assert Record.of(manifest) is None
    assert not remove(manifest)


@given(JSON.map(json.dumps) | st.text())
def test_whatever_stands_there_is_a_record_or_told_to_be_none(text):
    try:
        Record.parse(text)
    except RecordError:
        return


@pytest.mark.parametrize("text", ["", "[" * 100_000, "{}", "null", "1" * 70_000, '{"epoch": true}'])
def test_what_is_no_record_is_refused(text):
    with pytest.raises(RecordError):
        Record.of({"metadata": {"annotations": {ANNOTATION: text}}})


def test_a_trial_is_accepted_with_its_fields():
    record = Record(1, "a", {"app/requests/cpu": "1"}, {"app/requests/cpu": "1"})
    trial = Trial.begun("t1", {"app/requests/cpu": "2"})
    assert record.trying(trial).unfinished
    done = record.trying(trial).committed()
    assert (done.accepted, done.accepted_id, done.trial) == ({"app/requests/cpu": "2"}, "t1", None)
    assert done.baseline == {"app/requests/cpu": "1"}


def test_a_trial_that_failed_and_was_left_is_finished():
    record = Record().trying(Trial.begun("t", {})).left()
    assert record.trial is not None
    assert not record.unfinished
    assert Record().trying(Trial.begun("t", {})).reverted() == Record()


def test_what_somebody_else_has_set_is_accepted_and_the_new_baseline():
    fields = {"app/requests/cpu": "1", "app/env/A": "x"}
    record = Record(1, "a", fields, fields, "t0")
    found = record.overtaken({"app/env/A": "y"})
    assert found.accepted == found.baseline == {"app/requests/cpu": "1", "app/env/A": "y"}
    assert found.accepted_id == ""


def test_a_trial_ends_when_somebody_else_sets_one_of_its_fields():
    record = Record(1, "a", {"replicas": 1}, {"replicas": 1}).trying(
        Trial("t", {"replicas": 0}, "now", left=True)
    )
    assert record.overtaken({"replicas": 5}).trial is None
    assert record.overtaken({"replicas": 5}).accepted == {"replicas": 5}
    assert record.overtaken({"app/env/A": "y"}).trial is not None
