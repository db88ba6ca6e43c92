"""The connector with programs that really run, against a server in this process."""

from __future__ import annotations

import asyncio
import json
import shutil

import psutil
import pytest

from servo.connectors.vegeta import VegetaChecks, VegetaConfiguration, VegetaConnector
from servo.connectors.vegeta import checks as checks_module
from servo.errors import MeasurementFailedError
from servo.types.api import Control
from servo.types.core import Duration

pytestmark = pytest.mark.integration


def connector(stub, **values) -> VegetaConnector:
    fields = {"rate": "40/1s", "target": f"GET {stub.url}/", "reporting_interval": "1s"} | values
    return VegetaConnector(config=VegetaConfiguration(**fields))


async def measure(found: VegetaConnector, metrics=None, **control):
    times = Control(**({"duration": "1s"} | control))
    try:
        (result,) = await found.dispatch_event("measure", metrics=metrics, control=times)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return result.value


async def test_an_attack_is_measured(vegeta, stub):
    found = await measure(connector(stub), duration="2s")
    series = {each.metric.name: each for each in found}
    assert series["error_rate"].data_points[-1].value == 0
    assert series["throughput"].data_points[-1].value == pytest.approx(40 * 60, rel=0.2)
    assert 0 < series["latency_50th"].data_points[-1].value <= series["latency_99th"].data_points[-1].value
    assert len(stub.seen) == 80
    assert found.annotations["load_profile"] == "vegeta: 40 requests per 1s for 2s"
    assert {"throughput", "error_rate"} < set(found.__opsani_repr__()["metrics"])


async def test_the_warm_up_is_load_that_is_not_measured(vegeta, stub, raw_reply):
    """Reports add up from the beginning of an attack, so the warm-up has to be one of its own."""
    stub.answer = lambda seen: raw_reply(500 if len(stub.seen) <= 40 else 200)
    found = await measure(connector(stub), metrics=["error_rate"], warmup="1s")
    assert [each.metric.name for each in found] == ["error_rate"]
    assert found[0].data_points[-1].value == 0
    assert len(stub.seen) == 80


async def test_failed_requests_are_measured(vegeta, stub, raw_reply):
    stub.answer = lambda seen: raw_reply(500 if len(stub.seen) % 2 else 200)
    found = await measure(connector(stub), metrics=["error_rate"])
    assert found[0].data_points[-1].value == pytest.approx(50)


async def test_targets_are_no_business_of_a_shell(vegeta, stub, tmp_path):
    """Reference 6.1 #15: targets were quoted into a shell's command line."""
    nasty = f"GET {stub.url}/$(touch${{IFS}}{tmp_path}/owned)';touch${{IFS}}{tmp_path}/owned;'\nX-A: `touch {tmp_path}/owned`"
    await measure(connector(stub, target=nasty))
    assert not (tmp_path / "owned").exists()
    assert stub.seen[0].headers["x-a"] == f"`touch {tmp_path}/owned`"
    assert "touch" in stub.seen[0].path


async def test_targets_of_a_file_in_the_form_json(vegeta, stub, tmp_path):
    file = tmp_path / "targets.json"
    documents = [{"method": method, "url": f"{stub.url}/{method}"} for method in ("GET", "DELETE")]
    file.write_text("\n".join(json.dumps(each, indent=1) for each in documents))
    await measure(connector(stub, target=None, targets=file, format="json"))
    assert {(each.method, each.path) for each in stub.seen} == {("GET", "/GET"), ("DELETE", "/DELETE")}


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo oh no >&2; exit 3", "exit code 3.*oh no"),
        ('[ "$1" = attack ] || { echo cannot sum >&2; exit 1; }', "vegeta report.*cannot sum"),
        ('[ "$1" = attack ] || echo nonsense', "cannot be read.*nonsense"),
        ("exit 0", "not a single request"),
        ("kill -KILL $$", "exit code -9"),
    ],
)
async def test_a_vegeta_that_fails_fails_the_measurement(scripted, stub, script, said):
    """Reference 6.1 #15: a failure was a successful measurement of nothing."""
    scripted(script)
    with pytest.raises(MeasurementFailedError, match=f"(?s){said}") as caught:
        await measure(connector(stub))
    assert caught.value.reason == "vegeta-failed"


async def test_no_vegeta(stub, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MeasurementFailedError, match="not on the PATH"):
        await measure(connector(stub))


@pytest.mark.parametrize("control", [{"duration": "0"}, {"duration": "25h"}, {"warmup": "25h"}])
async def test_durations_that_make_no_sense_are_refused_in_words(stub, control):
    with pytest.raises(MeasurementFailedError, match="more than zero") as caught:
        await measure(connector(stub), **control)
    assert caught.value.reason == "invalid-duration"


async def test_nothing_is_left_running_by_a_measurement_that_is_cancelled(vegeta, stub):
    running = asyncio.create_task(measure(connector(stub), duration="1h"))
    await stub.asked(3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    children = psutil.Process().children(recursive=True)
    assert [child for child in children if "vegeta" in " ".join(child.cmdline())] == []


async def test_the_checks_make_one_attack(vegeta, stub, monkeypatch):
    monkeypatch.setattr(checks_module, "_DURATION", Duration("1s"))
    found = await VegetaChecks.run(connector(stub).config)
    assert [(each.name, each.success) for each in found] == [
        ("Vegeta execution", True),
        ("Report aggregation", True),
        ("Error rate < 5.0%", True),
    ]
    assert len(stub.seen) == 40


async def test_checks_of_a_target_that_fails(vegeta, stub, raw_reply, monkeypatch):
    monkeypatch.setattr(checks_module, "_DURATION", Duration("1s"))
    stub.answer = lambda seen: raw_reply(500)
    found = await VegetaChecks.run(connector(stub).config)
    assert [each.success for each in found] == [True, True, False]
    assert "100.0 % of 40 requests failed" in found[-1].message


async def test_checks_without_vegeta_end_at_the_first(stub, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = await VegetaChecks.run(connector(stub).config)
    assert not found.success
    assert "not on the PATH" in found.message


def test_shutil_finds_what_the_fixture_installs(vegeta):
    assert shutil.which("vegeta") == str(vegeta)
