"""The connector against a real Prometheus, which scrapes an exporter of ours five times a second."""

from __future__ import annotations

import asyncio
import math
import shutil
import ssl
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from servo.connectors.prometheus import (
    Client,
    ConnectionConfiguration,
    PrometheusChecks,
    PrometheusConfiguration,
    PrometheusConnector,
    QueryError,
    UnavailableError,
)
from servo.errors import EventAbortedError, MeasurementFailedError
from servo.types.api import Control, UserData
from servo.types.slo import SloCondition, SloInput

pytestmark = pytest.mark.integration

RATES = {
    "name": "throughput",
    "unit": "rps",
    "query": "sum by (pod) (rate(shop_requests_total[2s]))",
    "step": "500ms",
}
LATENCY = {"name": "latency", "unit": "ms", "query": "shop_latency_ms", "step": "500ms"}


def connector(prometheus, *metrics, **values) -> PrometheusConnector:
    config = PrometheusConfiguration(base_url=prometheus.url, metrics=metrics or [RATES, LATENCY], **values)
    return PrometheusConnector(config=config)


async def measure(found, **control):
    times = Control(**({"duration": "2s"} | control))
    try:
        (result,) = await found.dispatch_event("measure", control=times)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return result.value


async def test_a_measurement(prometheus):
    prometheus.wait_for("rate(shop_requests_total[2s])")
    found = await measure(connector(prometheus), warmup="1s")
    series = {each.id: each for each in found}
    assert [*series] == ["{pod=a}", "{pod=b}", f"{{instance=127.0.0.1:{prometheus.exporter.port},job=shop}}"]
    values = {name: each.data_points[-1].value for name, each in series.items()}
    assert values["{pod=a}"] == pytest.approx(50, rel=0.2)
    assert values["{pod=b}"] == pytest.approx(150, rel=0.2)
    assert found[2].annotation.endswith(" job=shop tier=web")
    assert all(len(each) == 5 for each in found)


async def test_a_range_in_pieces_gives_what_it_gives_at_once(prometheus):
    end = datetime.now().astimezone() - timedelta(seconds=1)
    start = end - timedelta(seconds=3)
    query = "shop_requests_total"
    whole = await Client(prometheus.url).query_range(query, start, end, "200ms")
    limits = {"max_series": 4, "max_samples": 20}
    parts = await Client(prometheus.url, ConnectionConfiguration(limits=limits)).query_range(
        query, start, end, "200ms"
    )
    assert [(it.id, it.data_points) for it in parts.results()] == [
        (it.id, it.data_points) for it in whole.results()
    ]
    assert len(whole.results()[0]) > 5


async def test_more_points_than_the_server_gives_at_once(prometheus):
    """Prometheus refuses a range of more than 11 000 points; in pieces it is none the wiser."""
    end = datetime.now().astimezone()
    client = Client(prometheus.url, ConnectionConfiguration(limits={"max_series": 1}))
    found = await client.query_range("vector(1)", end - timedelta(seconds=12_000), end, "1s")
    assert [len(each) for each in found.results()] == [12_001]


async def test_a_violated_objective_breaks_the_measurement_off(prometheus):
    userdata = UserData(slo=SloInput(conditions=[SloCondition(metric="latency", threshold=100)]))
    found = connector(prometheus, fast_fail={"period": "500ms"})
    with pytest.raises(EventAbortedError, match="latency below 100"):
        await measure(found, duration="10m", userdata=userdata)


@pytest.mark.parametrize(("policy", "values"), [("ignore", []), ("warn", []), ("zero", [0.0] * 3)])
async def test_absent_metrics(prometheus, policy, values):
    absent = {"name": "absent", "query": "no_such_metric # yet", "absent": policy, "step": "500ms"}
    found = await measure(connector(prometheus, absent), duration="1s")
    assert [point.value for each in found for point in each] == values


async def test_absent_metrics_that_must_be_there(prometheus):
    with pytest.raises(MeasurementFailedError, match='required metric "absent" is absent'):
        await measure(
            connector(prometheus, {"name": "absent", "query": "no_such_metric", "absent": "fail"}),
            duration="0",
        )
    client = Client(prometheus.url)
    assert await client.check_is_metric_absent("no_such_metric")
    assert not await client.check_is_metric_absent("shop_latency_ms")


async def test_values_that_are_no_numbers_are_told_apart(prometheus):
    found = await measure(
        connector(prometheus, {"name": "nan", "query": "shop_nan", "step": "1s"}), duration="1s"
    )
    assert math.isnan(found[0][0].value)
    assert found.__opsani_repr__()["metrics"]["nan"]["values"][0]["data"] == []


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_queries_of_a_moment(prometheus, method):
    client = Client(prometheus.url)
    (point,) = (await client.query("shop_latency_ms", method=method)).results()
    assert point.value == 120
    assert (await client.query("scalar(shop_latency_ms)", method=method)).results()[0].value == 120
    assert (await client.query('"words"', method=method)).results() == []


async def test_a_mistake_in_a_query_is_told_in_the_servers_words(prometheus):
    with pytest.raises(QueryError, match="parse error"):
        await Client(prometheus.url).query("sum(")


async def test_targets(prometheus):
    found = await Client(prometheus.url).list_targets()
    (active,) = found.active
    assert active.is_healthy()
    assert (active.pool, active.labels["tier"]) == ("shop", "web")
    assert found.dropped == []


async def test_all_checks_pass(prometheus):
    found = await PrometheusChecks.run(connector(prometheus).config)
    assert [(each.name, each.success) for each in found] == [
        (f'Connect to "{prometheus.url}"', True),
        (f'Run query "{RATES["query"]}"', True),
        (f'Run query "{LATENCY["query"]}"', True),
        ("Active targets", True),
    ]
    assert found[-1].message == "1 of 1 are up"


async def test_checks_that_fail(prometheus, free_port):
    required = {"name": "r", "query": "no_such_metric", "absent": "fail"}
    config = connector(prometheus, {"name": "w", "query": "sum("}, required).config
    found = await PrometheusChecks.run(config)
    assert [each.success for each in found] == [True, False, False, True]
    assert "parse error" in found[1].message
    assert "must not be absent" in found[2].message
    nobody = config.model_copy(update={"base_url": f"http://127.0.0.1:{free_port}"})
    (found,) = await PrometheusChecks.run(nobody)
    assert "cannot reach" in found.message


async def test_a_server_without_targets_of_its_own_may_have_none(stub, raw_reply):
    stub.answer = lambda seen: raw_reply(
        *((404, b"404 page not found") if "targets" in seen.path else (200, b'{"status": "success", "data": {"resultType": "vector", "result": []}}'))
    )  # fmt: skip
    config = PrometheusConfiguration(base_url=stub.url, metrics=[])
    assert [each.success for each in await PrometheusChecks.run(config)] == [True, True]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority, and certificates that it has signed for a server and for us."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificates of this test, and is not installed")
    folder = tmp_path_factory.mktemp("certificates")
    commands = ["req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt"]
    for name, alternative in (("server", "DNS:metrics.example"), ("client", "DNS:agent.example")):
        (folder / f"{name}.ext").write_text(f"subjectAltName={alternative}\n")
        commands += [
            f"req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr",
            f"x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile {name}.ext -out {name}.crt",
        ]
    for command in commands:
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def hashed() -> str:
    """A password, as Prometheus keeps those of its users."""
    if shutil.which("htpasswd") is None:
        pytest.skip("htpasswd (apache2-utils) makes the password of this test, and is not installed")
    made = subprocess.run(
        ["htpasswd", "-nbBC", "4", "agent", "secret"], check=True, capture_output=True, text=True
    )
    return made.stdout.strip().partition(":")[2]


async def test_tls_with_a_certificate_of_our_own_and_a_password(start_prometheus, certificates, hashed):
    web = (
        f"tls_server_config: {{cert_file: {certificates}/server.crt, key_file: {certificates}/server.key, "
        f"client_ca_file: {certificates}/ca.crt, client_auth_type: RequireAndVerifyClientCert}}\n"
        f"basic_auth_users: {{agent: {hashed}}}\n"
    )
    url = start_prometheus(web=web, wait=False).url.replace("http://", "https://")
    tls = {
        "ca_file": certificates / "ca.crt", "cert_file": certificates / "client.crt",
        "key_file": certificates / "client.key", "server_name": "metrics.example",
    }  # fmt: skip

    async def ask(retry: str = "0", password: str = "secret", **changes) -> float:
        config = ConnectionConfiguration(
            retry_time=retry,
            basic_auth={"username": "agent", "password": password},
            tls_config={name: value for name, value in (tls | changes).items() if value is not None},
        )
        return (await Client(url, config).query("vector(1)")).results()[0].value

    assert await ask("20s") == 1
    assert await ask(ca_file=None, server_name=None, insecure_skip_verify=True) == 1
    for changes, said in (
        ({"ca_file": None}, "CERTIFICATE_VERIFY_FAILED"),
        ({"server_name": None}, "CERTIFICATE_VERIFY_FAILED"),
        ({"cert_file": None, "key_file": None}, "cannot reach"),
        ({"password": "guessed"}, "401; check bearer_token"),
    ):
        with pytest.raises(UnavailableError, match=said):
            await ask(**changes)


def test_certificates_that_cannot_be_read(tmp_path):
    from servo.connectors.prometheus.connection import TlsConfiguration

    (tmp_path / "ca").write_text("nonsense")
    for name in ("ca", "missing"):
        with pytest.raises(UnavailableError, match="cannot read the certificates"):
            TlsConfiguration(ca_file=tmp_path / name).context()
    assert TlsConfiguration().context().verify_mode == ssl.CERT_REQUIRED
    assert TlsConfiguration(ca_file=tmp_path).context().verify_mode == ssl.CERT_REQUIRED


async def test_a_server_that_ends_while_it_is_waited_for_fails_the_measurement(start_prometheus):
    found = start_prometheus()
    running = asyncio.create_task(measure(connector(found, retry_time="500ms"), duration="1s"))
    found.process.kill()
    with pytest.raises(MeasurementFailedError, match="cannot reach Prometheus"):
        await running


def test_the_example_prints_each_series(prometheus):
    program = Path(__file__).parents[4] / "examples" / "prometheus" / "query.py"
    command = [sys.executable, str(program), prometheus.url, "shop_latency_ms"]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=50).stdout
    assert found == f"{{instance=127.0.0.1:{prometheus.exporter.port},job=shop}}  120\n"
