"""The `prometheus` section (reference 4.2)."""

from __future__ import annotations

import pytest
import yaml
from pydantic import ValidationError

from servo.connectors.prometheus import (
    AbsentMetricPolicy,
    ConnectionConfiguration,
    PrometheusConfiguration,
    PrometheusMetric,
)
from servo.connectors.prometheus.errors import UnavailableError
from servo.types.core import Duration, Metric, Unit


def config(**values) -> PrometheusConfiguration:
    return PrometheusConfiguration(**({"metrics": []} | values))


def test_a_section_of_the_original_is_read():
    found = PrometheusConfiguration.model_validate(
        yaml.safe_load(
            """
            base_url: http://prometheus.monitoring:9090/
            streaming_interval: 10s
            targets: [{target: "localhost:8000"}]
            metrics:
              - {name: throughput, unit: rps, query: 'sum(rate(http_requests_total[1m]))', step: 30s}
              - {name: errors, unit: rps, query: 'sum(rate(http_errors_total[1m]))', absent: zero}
            """
        )
    )
    assert found.base_url == "http://prometheus.monitoring:9090"
    first, second = found.metrics
    assert (first.unit, first.step, first.absent) == (Unit.requests_per_second, Duration("30s"), "ignore")
    assert (second.step, second.absent) == (Duration("1m"), AbsentMetricPolicy.zero)
    assert found.fast_fail.period == found.fast_fail.span == Duration("60s")


def test_defaults():
    assert config().base_url == "https://prometheus:9090"
    with pytest.raises(ValidationError, match="metrics"):
        PrometheusConfiguration()


def test_a_metric_is_a_metric():
    found = PrometheusMetric("a", Unit.cores, query="q")
    assert isinstance(found, Metric)
    assert found.__opsani_repr__() == {"a": {"unit": "cores"}}


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("sum(x)", "sum(x) or on() vector(0)"),
        ("sum(x) # all", "sum(x) # all\nor on() vector(0)"),
    ],
)
def test_a_metric_that_may_be_absent_is_zero_then(query, sent):
    assert PrometheusMetric("a", "", query, absent="zero").build_query() == sent
    assert PrometheusMetric("a", "", query, absent="warn").build_query() == query


@pytest.mark.parametrize(
    "metric",
    [
        {"name": "a"},
        {"name": "a", "query": ""},
        {"name": "", "query": "q"},
        {"name": "a", "query": "q", "unit": "furlongs"},
        {"name": "a", "query": "q", "step": "0"},
        {"name": "a", "query": "q", "step": "1us"},
        {"name": "a", "query": "q", "absent": "maybe"},
        {"name": "a", "query": "q", "color": "red"},
    ],
)
def test_metrics_that_make_no_sense_are_refused(metric):
    with pytest.raises(ValidationError):
        config(metrics=[metric])


def test_two_metrics_of_one_name_are_refused():
    with pytest.raises(ValidationError, match="several metrics are named 'a'"):
        config(metrics=[{"name": "a", "query": "x"}, {"name": "a", "query": "y"}])


@pytest.mark.parametrize(
    "url", ["prometheus:9090", "ftp://h", "http://", "http://u:p@h", "http://h?x=1", "http://h:0", "http://h h", "http://h:x"]
)  # fmt: skip
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValidationError) as caught:
        config(base_url=url)
    assert ":p@" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"bearer_token": "t", "bearer_token_file": "/t"},
        {"bearer_token": "t", "basic_auth": {"username": "u", "password": "p"}},
        {"bearer_token": "t", "secret_headers": {"authorization": "x"}},
        {"basic_auth": {"username": "u"}},
        {"basic_auth": {"username": "u", "password": "p", "password_file": "/p"}},
        {"headers": {"A b": "x"}},
        {"headers": {"A": "x\r\nB: y"}},
        {"tls_config": {"key_file": "/k"}},
        {"timeout": "0"},
        {"retry_time": "11m"},
        {"limits": {"max_points": 11_001}},
    ],
)
def test_connections_that_make_no_sense_are_refused(values):
    with pytest.raises(ValidationError) as caught:
        ConnectionConfiguration(**values)
    assert "'t'" not in str(caught.value)


def test_who_we_are(tmp_path):
    file = tmp_path / "token"
    file.write_text("first\n")
    found = ConnectionConfiguration(bearer_token_file=file, headers={"X-Scope-OrgID": "team"})
    assert found.every_header() == {"X-Scope-OrgID": "team", "Authorization": "Bearer first"}
    file.write_text("second")
    assert found.every_header()["Authorization"] == "Bearer second"
    assert ConnectionConfiguration(bearer_token="t").every_header() == {"Authorization": "Bearer t"}
    file.write_text("p\n")
    for password in ({"password": "p"}, {"password_file": file}):
        basic = ConnectionConfiguration(basic_auth={"username": "u", **password})
        assert basic.every_header() == {"Authorization": "Basic dTpw"}
    secret = ConnectionConfiguration(secret_headers={"X-Key": "hidden"})
    assert secret.every_header() == {"X-Key": "hidden"}


@pytest.mark.parametrize("content", [b"", b"two\nlines", b"\xff\xfe", b"x" * 10_000])
def test_files_that_hold_no_secret(tmp_path, content):
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(UnavailableError, match="token"):
        ConnectionConfiguration(bearer_token_file=file).every_header()
    file.unlink()
    with pytest.raises(UnavailableError, match="No such file"):
        ConnectionConfiguration(bearer_token_file=file).every_header()


def test_secrets_are_shown_nowhere():
    found = config(bearer_token="hidden", secret_headers={"X-Key": "hidden"})
    other = config(basic_auth={"username": "u", "password": "hidden"})
    for each in (found, other):
        assert "hidden" not in repr(each) + str(each) + each.yaml() + each.json()


def test_pieces_are_short_enough_for_the_most_series():
    assert ConnectionConfiguration().limits.piece == 2000
    assert ConnectionConfiguration(limits={"max_series": 10}).limits.piece == 11_000
    assert ConnectionConfiguration(limits={"max_series": 10, "max_samples": 5}).limits.piece == 1


def test_the_sample_is_valid():
    sample = yaml.safe_load(PrometheusConfiguration.generate().yaml())
    assert [each.name for each in PrometheusConfiguration.model_validate(sample).metrics] == [
        "throughput",
        "errors",
    ]
