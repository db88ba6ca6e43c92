"""Which numbers of a result document are measures, and what they are called."""

import json
from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st

from trimtab.inspection.statistics import measures, readings
from trimtab.inspection.statistics.measures import MAX_DEPTH, MAX_MEASURES

DOCUMENT = {
    "exit_code": 0,
    "duration": 1.5,
    "usage": {"ru_utime": 1.25, "ru_maxrss": 1024},
    "cgroup": {
        "version": 2,
        "alone": True,
        "memory": {"limit": 512, "swap_limit": 0, "peak": 300},
        "cpu": {"usage": 1.2, "throttled": 0.1, "quota": 2.0, "cpuset": 2},
        "pids": 512,
    },
    "pressure": {"cpu": {"some": 0.25}},
    "stdout": {"@result": {"elapsed": 12.5}, "@parameters": {"reps": 50}, "names": ["a"], "ok": True},
}


def test_names_are_flat_as_the_notebooks_of_the_original_have_them():
    assert measures(DOCUMENT) == {
        "duration": 1.5,
        "usage__ru_utime": 1.25,
        "usage__ru_maxrss": 1024.0,
        "cgroup__memory__peak": 300.0,
        "cgroup__cpu__usage": 1.2,
        "cgroup__cpu__throttled": 0.1,
        "pressure__cpu__some": 0.25,
        "stdout__@result__elapsed": 12.5,
    }


def test_an_original_document_has_the_duration_between_its_moments():
    moments = {
        "start_datetime": "2020-09-01T10:00:00.250000",
        "end_datetime": "2020-09-01T10:00:03.000000",
    }
    assert measures(moments) == {"duration": 2.75}
    assert measures({"datetime": "2020-08-05T14:49:50.644642"}) == {}


def test_what_is_no_finite_number_is_no_measure():
    assert (
        measures({"stdout": {"a": nan, "b": inf, "c": 10**400, "g": -1e151, "d": None, "e": "1", "f": [1]}})
        == {}
    )
    assert measures({"stdout": "text", "duration": "1", "usage": None}) == {}
    assert measures({"stdout": 3}) == {"stdout": 3.0}


def test_a_script_cannot_print_more_than_is_looked_at():
    assert len(measures({"stdout": {str(i): i for i in range(5 * MAX_MEASURES)}})) == MAX_MEASURES
    deep = 1
    for _ in range(2 * MAX_DEPTH):
        deep = {"a": deep}
    assert measures({"stdout": deep}) == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["exit_code", "stdout", "usage", "hwinfo", "cpu_info", "start_datetime", "x"]),
            inner,
        )
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["stdout", "usage", "duration", "start_datetime", "hwinfo", "exit_code", "runtime_environment"]
        ),
        json_values,
    )
)
def test_any_document_is_read(document):
    [reading] = readings([document])
    json.dumps(dict(reading.measures), allow_nan=False)
    json.dumps(reading.hardware.to_dict(), allow_nan=False)
