"""What is asked of the API of Prometheus, and what it answers (reference 4.2)."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from servo.connectors.prometheus import (
    BaseResponse,
    InstantQuery,
    MetricResponse,
    PrometheusMetric,
    QueryData,
    QueryError,
    RangeQuery,
    ResultType,
    TargetsRequest,
    TargetsResponse,
)
from servo.types.core import DataPoint, Duration, TimeSeries

TIME = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = 1767225600


def matrix(*labels: dict[str, str], values=((SECONDS, "1.5"), (SECONDS + 60.5, "2"))) -> MetricResponse:
    result = [{"metric": each, "values": [*values]} for each in labels]
    return MetricResponse(
        status="success",
        data={"resultType": "matrix", "result": result},
        metric=PrometheusMetric("m", "rps", "q"),
    )


def test_moments_are_sent_as_seconds_since_1970():
    assert InstantQuery(query="up").params == {"query": "up"}
    assert InstantQuery(query="up", time=TIME, timeout="1m").params == {
        "query": "up", "time": str(SECONDS), "timeout": "60",
    }  # fmt: skip
    ranged = RangeQuery(query="up", start=TIME, end=TIME.replace(microsecond=250_000), step="100ms")
    assert ranged.params == {"query": "up", "start": str(SECONDS), "end": f"{SECONDS}.25", "step": "0.1"}
    assert TargetsRequest(state="active").url == "/targets?state=active"
    assert TargetsRequest().url == "/targets"


def test_a_query_is_escaped_in_its_url():
    assert InstantQuery(query='x{a="b&c"} + 1').url == "/query?query=x%7Ba%3D%22b%26c%22%7D+%2B+1"


def test_a_metric_stands_for_its_query():
    metric = PrometheusMetric("m", "", "sum(x)", absent="zero")
    assert InstantQuery(query=metric).query == "sum(x) or on() vector(0)"


@pytest.mark.parametrize(
    ("end", "step"), [(TIME, "1m"), (TIME.replace(year=2025), "1m"), (TIME.replace(year=2027), 0)]
)
def test_a_range_has_a_length(end, step):
    with pytest.raises(ValidationError):
        RangeQuery(query="x", start=TIME, end=end, step=step)


def test_each_series_of_a_range_is_kept():
    """Reference 3.4 B: of several series of one metric only the last was reported."""
    found = matrix({"instance": "a:1", "job": "j", "pod": "x"}, {"instance": "b:1", "job": "j"}).results()
    assert all(isinstance(each, TimeSeries) for each in found)
    assert [each.id for each in found] == ["{instance=a:1,job=j}", "{instance=b:1,job=j}"]
    assert [each.annotation for each in found] == ["instance=a:1 job=j pod=x", "instance=b:1 job=j"]
    assert found[0].metadata == {"instance": "a:1", "job": "j", "pod": "x"}
    assert [(point.time, point.value) for point in found[0]] == [
        (TIME, 1.5), (TIME.replace(minute=1, microsecond=500_000), 2.0),
    ]  # fmt: skip


def test_series_that_instance_and_job_do_not_tell_apart_have_all_labels_in_their_ids():
    same = {"instance": "a", "job": "j"}
    found = matrix({**same, "code": "200"}, {**same, "code": "500"}, {"pod": "x"}, {}).results()
    assert [each.id for each in found] == [
        "{code=200,instance=a,job=j}", "{code=500,instance=a,job=j}", "{pod=x}", "{}",
    ]  # fmt: skip


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["instance", "job", "pod"]), st.sampled_from("abc")),
        unique_by=lambda d: tuple(sorted(d.items())),
    )
)
def test_ids_are_unique(labels):
    found = [each.id for each in matrix(*labels).results()]
    assert len(set(found)) == len(labels)


def test_labels_do_not_reach_a_terminal_raw():
    (found,) = matrix({"pod": "\x1b[2Jx\n"}).results()
    assert "\x1b" not in found.id + found.annotation
    assert "\n" not in found.annotation
    assert found.metadata == {"pod": "\x1b[2Jx\n"}


def test_what_is_no_number():
    (found,) = matrix({}, values=[(SECONDS, "NaN"), (SECONDS + 1, "+Inf"), (SECONDS + 2, "-Inf")]).results()
    assert math.isnan(found[0].value)
    assert [found[1].value, found[2].value] == [math.inf, -math.inf]


@pytest.mark.parametrize(
    ("kind", "result", "values"),
    [
        ("vector", [{"metric": {"a": "b"}, "value": [SECONDS, "3"]}], [3.0]),
        ("scalar", [SECONDS, "4"], [4.0]),
        ("string", [SECONDS, "words"], []),
        ("vector", [], []),
    ],
)
def test_results_of_a_moment(kind, result, values):
    data = QueryData.model_validate({"resultType": kind, "result": result})
    found = MetricResponse(status="success", data=data).results()
    assert [each.value for each in found] == values
    assert all(isinstance(each, DataPoint) for each in found)
    assert data.is_vector is (kind == "vector")
    assert data.is_value is not data.is_vector
    assert len(data) == len([*data]) == (len(result) if kind == "vector" else 1)


def test_native_histograms_are_no_numbers():
    result = [{"metric": {}, "histograms": [[SECONDS, {"count": "1", "sum": "1"}]]}]
    with pytest.raises(ValidationError, match="histogram_quantile"):
        QueryData.model_validate({"resultType": "matrix", "result": result})


@pytest.mark.parametrize(
    "result", [None, {}, [1], [{"metric": {}}], [{"metric": {}, "values": [["x", "y"]]}], "text"]
)
def test_answers_that_make_no_sense_are_refused(result):
    with pytest.raises(ValidationError):
        QueryData.model_validate({"resultType": "matrix", "result": result})


def test_a_refusal_is_raised():
    body = {"status": "error", "error": {"errorType": "bad_data", "error": "parse \x1b[31merror"}}
    with pytest.raises(QueryError, match=r"parse error \(bad_data\)"):
        BaseResponse.model_validate(body).raise_for_error()
    BaseResponse(status="success").raise_for_error()


def test_targets_active_and_dropped():
    """Reference 6.4: `dropped` returned the active ones."""
    active = {
        "scrapePool": "shop", "scrapeUrl": "http://h/metrics", "globalUrl": "http://g/metrics", "health": "up",
        "labels": {"job": "shop"}, "discoveredLabels": {"__address__": "h"}, "lastError": "",
        "lastScrape": "2026-01-01T00:00:00.123456789Z", "lastScrapeDuration": 0.01, "scrapeInterval": "1s",
    }  # fmt: skip
    never = {"scrapeUrl": "http://n/", "health": "unknown", "lastScrape": "0001-01-01T00:00:00Z"}
    data = {"activeTargets": [active, never], "droppedTargets": [{"discoveredLabels": {"a": "b"}}]}
    found = TargetsResponse(status="success", data=data)
    first, second = found.active
    assert first.is_healthy()
    assert (first.pool, first.url, first.labels) == ("shop", "http://h/metrics", {"job": "shop"})
    assert first.last_scraped_at == TIME.replace(microsecond=123456)
    assert not second.is_healthy()
    assert second.last_scraped_at is None
    assert [each.discovered_labels for each in found.dropped] == [{"a": "b"}]
    assert TargetsResponse(status="success").active == []


def test_names_of_kinds_are_those_of_prometheus():
    assert {str(kind) for kind in ResultType} == {"matrix", "vector", "scalar", "string"}
    assert RangeQuery(query="x", start=TIME, end=TIME.replace(year=2027)).step == Duration("1m")
