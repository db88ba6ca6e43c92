"""Rows from documents: ours, and the original's of all ages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.catalog.inspection_rows import (
    environment_values,
    identifier_of,
    inspection_values,
    run_values,
    specification_digest,
    words_of,
)

OLD = "inspection-rhtf-conv2d-0f845f38"
NEW = "inspection-np-matmul-210203040506-0123456789abcdef"


@pytest.mark.parametrize(
    ("inspection_id", "identifier"),
    [
        (OLD, "rhtf-conv2d"),
        (NEW, "np-matmul"),
        ("inspection-210203040506-1f", None),
        ("inspection-1f", None),
        ("x", None),
    ],
)
def test_the_identifier_is_in_the_id(inspection_id, identifier):
    assert identifier_of(inspection_id, {}) == identifier
    assert identifier_of(inspection_id, {"identifier": "said"}) == "said"


def test_words_are_those_of_id_and_identifier():
    assert words_of(NEW, "NP.Matmul") == {"np", "matmul", "210203040506", "0123456789abcdef"}


def test_the_digest_is_that_of_the_wish_alone():
    assert specification_digest({"base": "a", "@created": "x"}) == specification_digest({"base": "a"})
    assert specification_digest({"base": "a"}) != specification_digest({"base": "b"})


def test_an_inspection_of_the_original_tells_its_state_by_its_results(originals):
    found = originals[OLD]
    values = inspection_values(
        OLD, found.retrieve_specification(), None, found.results.iter_inspection_results()
    )
    assert values | {"specification_digest": ""} == {
        "id": OLD,
        "identifier": "rhtf-conv2d",
        "owner": "",
        "state": "succeeded",
        "base": "quay.io/thoth-station/s2i-thoth-ubi8-py36",
        "batch_size": 20,
        "specification_digest": "",
        "engine": None,
        "build": None,
        "failure_class": None,
        "failure_reason": None,
        "created_at": 1596638461.756319,
        "started_at": None,
        "ended_at": max(run_values(0, each)["ended_at"] for each in found.results.iter_inspection_results()),
    }


@pytest.mark.parametrize(
    ("specification", "codes", "state"),
    [
        ({"script": "a"}, [0, 0], "succeeded"),
        ({"script": "a"}, [0, 1], "failed"),
        ({"script": "a"}, [None], "failed"),
        ({"script": "a"}, [], "build_failed"),
        ({}, [], "succeeded"),
    ],
)
def test_without_a_report_the_results_say_how_it_ended(specification, codes, state):
    results = [{"exit_code": each} for each in codes]
    assert inspection_values(NEW, specification, None, results)["state"] == state
    assert inspection_values(NEW, specification, {"state": "running"}, results)["state"] == state
    assert inspection_values(NEW, specification, {"state": "cancelled"}, results)["state"] == "cancelled"


def test_a_batch_size_may_be_a_text():
    assert inspection_values(NEW, {"batch_size": "5"})["batch_size"] == 5
    assert inspection_values(NEW, {})["batch_size"] == 1


def test_when_it_was_made_is_in_the_id_if_nowhere_else():
    assert inspection_values(NEW, {})["created_at"] == 1612325106
    assert inspection_values(NEW, {"@created": "2021-01-01T00:00:00"})["created_at"] == 1609459200
    assert inspection_values("inspection-999999999999-1f", {})["created_at"] == 0
    assert inspection_values(OLD, {}, None, [{"datetime": "2021-01-01T00:00:00"}])["created_at"] == 1609459200


def test_a_report_says_what_the_original_could_not():
    report = {
        "state": "build_failed",
        "owner": "me",
        "engine": {"name": "podman"},
        "build": {"digest": "sha256:1", "seconds": float("nan")},
        "failure": {"kind": "stack", "reason": "no such version", "lines": []},
        "created": "2021-01-01T00:00:00Z",
        "started": "2021-01-01T00:00:01Z",
        "ended": "2021-01-01T00:00:02Z",
    }
    values = inspection_values(NEW, {}, report)
    assert (values["owner"], values["engine"], values["failure_class"]) == ("me", "podman", "stack")
    assert values["build"] == {"digest": "sha256:1", "seconds": None}
    assert (values["created_at"], values["started_at"], values["ended_at"]) == (
        1609459200,
        1609459201,
        1609459202,
    )


def test_a_run_of_the_original_has_its_time_of_the_end(originals):
    values = run_values(0, originals[OLD].results.retrieve_result(0))
    assert (values["started_at"], values["ended_at"], values["duration"]) == (None, 1596638990.644642, None)
    assert (values["state"], values["exit_code"], values["attempt"]) == ("succeeded", 0, 1)
    assert (values["max_rss"], values["usage"]["ru_minflt"]) == (827460 * 1024, 1312942)
    assert (values["indicator"], values["component"]) == ("PiConv2D", "tensorflow")
    assert (values["elapsed"], values["rate"]) == (12.65812711790204, 56.98157344145435)


def test_a_run_has_its_duration_as_it_was_measured_or_between_its_times():
    times = {"start_datetime": "2021-01-01T00:00:00.5", "end_datetime": "2021-01-01T00:00:02"}
    assert run_values(0, times)["duration"] == 1.5
    assert run_values(0, times | {"duration": 1.25})["duration"] == 1.25
    assert run_values(0, times | {"end_datetime": "2020-01-01T00:00:00"})["duration"] == 0


def test_a_negative_exit_code_is_a_signal():
    assert run_values(0, {"exit_code": -9})["signal"] == 9
    assert run_values(0, {"exit_code": 137, "signal": 9})["signal"] == 9
    assert run_values(0, {"exit_code": 1})["signal"] is None


@pytest.mark.parametrize(
    ("result", "report", "killed"),
    [
        ({"cgroup": {"alone": True, "memory": {"oom_kills": 1}}}, None, True),
        ({"cgroup": {"alone": False, "memory": {"oom_kills": 1}}}, None, False),
        ({"cgroup": {"alone": True, "memory": {"oom_kills": 0}}}, None, False),
        ({"cgroup": None}, {"oom_killed": True}, True),
        (None, {"oom_killed": False}, False),
    ],
)
def test_memory_ran_out_if_the_engine_says_so_or_the_runs_own_control_group(result, report, killed):
    assert run_values(0, result, report)["oom_killed"] is killed


def test_the_peak_of_memory_is_that_of_the_control_group():
    assert run_values(0, {"cgroup": {"memory": {"peak": 5 << 32}}})["memory_peak"] == 5 << 32
    assert run_values(0, {})["memory_peak"] is None


def test_a_lost_run_is_known_by_the_report():
    report = {
        "item": 3,
        "attempt": 2,
        "state": "lost",
        "lost": "the node went away",
        "started": "2021-01-01T00:00:00Z",
    }
    values = run_values(3, None, report)
    assert (values["state"], values["attempt"], values["failure_reason"]) == ("lost", 2, "the node went away")
    assert (values["exit_code"], values["started_at"], values["usage"]) == (None, 1609459200, None)


def test_the_environment_is_that_of_the_run_or_of_its_release():
    said = {
        "runtime_environment": {
            "python_version": "3.11",
            "operating_system": {"name": "rhel", "version": "9"},
        }
    }
    assert environment_values(said) == {
        "os_name": "rhel",
        "os_version": "9",
        "python_version": "3.11",
        "cuda_version": "",
    }
    assert environment_values({"os_release": {"id": "arch"}})["os_name"] == "arch"
    assert environment_values({"runtime_environment": None}) is environment_values(None) is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "state",
                    "failure",
                    "kind",
                    "usage",
                    "stdout",
                    "@result",
                    "exit_code",
                    "build",
                    "engine",
                    "a",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), ANYTHING), ANYTHING, ANYTHING)
def test_any_documents_make_rows(specification, report, result):
    inspection_values(NEW, specification, report, [result] if isinstance(result, dict) else [])
    run_values(0, result, report)
    environment_values(result)
