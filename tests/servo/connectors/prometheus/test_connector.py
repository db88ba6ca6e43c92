"""The connector in virtual time, with a client that answers at once: when it asks for what, and what it makes of it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from servo.connectors.prometheus import (
    MetricResponse,
    PrometheusConfiguration,
    PrometheusConnector,
    QueryError,
    UnavailableError,
)
from servo.connectors.prometheus import connector as connector_module
from servo.errors import EventAbortedError, MeasurementFailedError
from servo.types.api import Control, UserData
from servo.types.core import Duration, TimeSeries
from servo.types.slo import SloCondition, SloInput

pytestmark = pytest.mark.looptime

TIME = datetime(2026, 1, 1, tzinfo=UTC)


class Client:
    """Stands for the client: answers by name of the metric, and notes what was asked when."""

    answers: dict
    asked: list

    def __init__(self, *_):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def query_range(self, metric, start, end, step):
        self.asked.append((asyncio.get_running_loop().time(), metric.name, start, end, step))
        found = self.answers.get(metric.name, [])
        if callable(found):
            found = found()
        if isinstance(found, Exception):
            raise found
        result = [
            {"metric": {"pod": str(index)}, "values": [[end.timestamp(), str(value)]]}
            for index, value in enumerate(found)
        ]
        data = {"resultType": "matrix", "result": result}
        return MetricResponse(
            status="success", data=data, metric=metric, warnings=self.answers.get("warnings", [])
        )


@pytest.fixture
def client(monkeypatch):
    made = type("Client", (Client,), {"answers": {"a": [1.5, 2.5], "b": [3]}, "asked": []})
    monkeypatch.setattr(connector_module, "Client", made)
    monkeypatch.setattr(connector_module, "_now", lambda: TIME)
    return made


def connector(**values) -> PrometheusConnector:
    metrics = [{"name": "a", "query": "qa", "unit": "rps"}, {"name": "b", "query": "qb", "step": "10s"}]
    return PrometheusConnector(config=PrometheusConfiguration(**({"metrics": metrics} | values)))


async def measure(found, metrics=None, **control):
    return await found.measure(metrics=metrics, control=Control(**({"duration": "2m"} | control)))


async def test_what_can_be_measured():
    found = connector()
    assert [each.name for each in await found.metrics()] == ["a", "b"]
    assert (await found.describe()).__opsani_repr__()["measurement"] == {
        "metrics": {"a": {"unit": "rps"}, "b": {"unit": ""}}
    }


async def test_it_asks_when_warm_up_duration_and_delay_are_over(client):
    """Reference 4.0: the delay was not waited for."""
    found = await measure(connector(), warmup="30s", delay="15s")
    begin, end = TIME + timedelta(seconds=30), TIME + timedelta(seconds=150)
    assert client.asked == [
        (165, "a", begin, end, Duration("1m")),
        (165, "b", begin, end, Duration("10s")),
    ]
    assert [(each.metric.name, each.id) for each in found] == [
        ("a", "{pod=0}"),
        ("a", "{pod=1}"),
        ("b", "{pod=0}"),
    ]
    values = found.__opsani_repr__()["metrics"]["a"]["values"]
    assert [each["data"][0][1] for each in values] == [1.5, 2.5]


async def test_only_what_is_wanted_is_asked_for(client):
    await measure(connector(), metrics=["b", "c"])
    assert [name for _, name, *_ in client.asked] == ["b"]


async def test_names_of_others_only_are_theirs_to_measure(client):
    """Reference 4.2: no metric of its own among the names was a TypeError."""
    assert len(await measure(connector(), metrics=["c"])) == 0
    assert len(await measure(connector(metrics=[]))) == 0
    assert asyncio.get_running_loop().time() == 0


async def test_a_step_longer_than_the_measurement_is_cut(client):
    """Its only value would be that of the beginning."""
    await measure(connector(), duration="30s", metrics=["a"])
    assert client.asked[0][2:] == (TIME, TIME + timedelta(seconds=30), Duration("30s"))


async def test_without_duration_the_present_is_asked_for(client):
    found = await measure(connector(), duration="0", metrics=["a"])
    ((at, _, start, end, step),) = client.asked
    assert (at, start) == (pytest.approx(0, abs=0.01), TIME)
    assert end - start < step
    assert all(isinstance(each, TimeSeries) for each in found)


@pytest.mark.parametrize("policy", ["ignore", "zero", "warn"])
async def test_metrics_that_may_be_absent(client, policy, monkeypatch):
    client.answers["a"] = []
    said = []
    found = connector(metrics=[{"name": "a", "query": "q", "absent": policy}, {"name": "b", "query": "q"}])
    monkeypatch.setattr(
        type(found), "logger", type("Logger", (), {"warning": said.append, "info": lambda *_, **__: None})
    )
    assert [each.metric.name for each in await measure(found)] == ["b"]
    assert ['metric "a" is absent' in text for text in said] == ([True] if policy == "warn" else [])


async def test_a_metric_that_must_not_be_absent_fails_the_measurement(client):
    """Reference 6.1 #14: an absent metric ended the servo."""
    client.answers["a"] = []
    with pytest.raises(MeasurementFailedError, match='required metric "a" is absent') as caught:
        await measure(connector(metrics=[{"name": "a", "query": "q", "absent": "fail"}]))
    assert caught.value.reason == "metric-absent"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UnavailableError("gone"), "prometheus-failed"),
        (QueryError("no", reason="query-refused"), "query-refused"),
    ],
)
async def test_a_server_that_fails_fails_the_measurement(client, error, reason):
    client.answers["a"] = error
    with pytest.raises(MeasurementFailedError, match=str(error)) as caught:
        await measure(connector())
    assert caught.value.reason == reason


async def test_a_measurement_that_would_ask_too_much_is_refused_before_it_begins(client):
    limits = {"max_queries": 3, "max_points": 10}
    with pytest.raises(
        MeasurementFailedError, match=r"would take 5 requests of 10 points.*make step longer"
    ) as caught:
        await measure(connector(limits=limits), duration="5m")
    assert caught.value.reason == "too-many-queries"
    assert asyncio.get_running_loop().time() == 0
    assert len(await measure(connector(limits=limits), duration="4m", metrics=["b"])) == 1


async def test_warnings_of_the_server_go_with_the_measurement(client):
    client.answers["warnings"] = ["a store is missing\x1b[2J"]
    found = await measure(connector())
    assert json.loads(found.annotations["prometheus_warnings"]) == ["a store is missing"]


def slo(*conditions, **values) -> UserData:
    default = [{"metric": "a", "threshold": 2, **values}]
    return UserData(slo=SloInput(conditions=[SloCondition(**each) for each in conditions or default]))


async def test_a_violated_objective_breaks_the_measurement_off(client):
    """Two of three looks at the last minute: at 1, 2 and 3 minutes after the warm-up."""
    values = iter([[1], [3], [3], [3]])
    client.answers["a"] = lambda: next(values)
    userdata = slo(trigger_count=2, trigger_window=3)
    with pytest.raises(EventAbortedError, match="SLO violation") as caught:
        await measure(connector(), duration="10m", warmup="30s", userdata=userdata)
    assert caught.value.reason == "slo-violation"
    assert [(at, name) for at, name, *_ in client.asked] == [(90, "a"), (150, "a"), (210, "a")]


async def test_objectives_that_are_kept_change_nothing(client):
    client.answers["a"] = [1]
    found = await measure(connector(), duration="3m", userdata=slo())
    assert [each.metric.name for each in found] == ["a", "b"]
    assert [at for at, name, *_ in client.asked if name == "a"] == [60, 120, 180, 180]


@pytest.mark.parametrize(
    ("values", "conditions"),
    [
        ({"fast_fail": {"disabled": 1}}, ()),
        ({}, ({"metric": "elsewhere", "threshold": 1},)),
        ({"fast_fail": {"skip": "10m"}}, ()),
    ],
)
async def test_objectives_that_are_not_watched_here(client, values, conditions):
    client.answers["a"] = [100]
    assert len(await measure(connector(**values), userdata=slo(*conditions))) == 2
    assert [at for at, *_ in client.asked] == [120, 120]


async def test_a_threshold_may_be_a_metric(client):
    client.answers |= {"a": [10], "b": [4]}
    with pytest.raises(EventAbortedError):
        await measure(
            connector(), userdata=slo({"metric": "a", "threshold_metric": "b", "threshold_multiplier": 2})
        )


async def test_a_server_that_fails_while_objectives_are_watched_fails_the_measurement(client):
    client.answers["a"] = UnavailableError("gone")
    with pytest.raises(MeasurementFailedError, match="gone"):
        await measure(connector(), duration="10m", userdata=slo())
    assert asyncio.get_running_loop().time() == 60


async def test_a_measurement_can_be_cancelled(client):
    running = asyncio.create_task(measure(connector(), duration="1h"))
    await asyncio.sleep(60)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert client.asked == []
