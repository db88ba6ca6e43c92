"""The connector that tunes stacks.

Versions are locked by uv over a local index. A whole session with a real server is in tests/integration/tune/test_tune_stack.py;
here a stub answers, for a server that is away, refuses or never ends is made quickly so.
"""

import asyncio
import importlib.util
import json
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from servo.connectors.inspection import InspectionConfiguration, InspectionConnector
from servo.connectors.inspection.figures import measured
from servo.errors import AdjustmentFailedError, AdjustmentRejectedError, MeasurementFailedError
from servo.types.api import Adjustment

UV = str(Path(sys.executable).with_name("uv"))
CONTEXT = {
    "base": "registry.example/python:3.11",
    "script": "print(1)",
    "run": {"requests": {"cpu": "1"}, "timeout": 9},
}
RESULT = {
    "exit_code": 0,
    "start_datetime": "2026-01-01T00:00:00",
    "end_datetime": "2026-01-01T00:00:02",
    "usage": {"ru_maxrss": 1000},
    "stdout": {"@result": {"elapsed": 1.5}},
}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    path = Path(__file__).parents[3] / "trimtab" / "stacks" / "local_index.py"
    spec = importlib.util.spec_from_file_location("local_index", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("local_index", module)
    spec.loader.exec_module(module)
    server = module.Server(module.shop(tmp_path_factory.mktemp("shop") / "index"))
    yield server
    server.close()


@pytest.fixture
def make(index, stub, monkeypatch):
    for name in ("UV_INDEX", "UV_FIND_LINKS", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setattr("servo.connectors.inspection.client._PAUSES", (0.0, 0.0))

    def make_(**changes):
        values = {
            "url": stub.url,
            "context": CONTEXT,
            "packages": {"web": ["1.0", "1.9"], "api": ["1.0", "1.9"]},
            "resources": {"memory": {"min": 0.5, "max": 2, "step": 0.5, "default": 1}},
            "figures": {"elapsed": {"key": "@result.elapsed"}},
            "runs": 2,
            "uv": UV,
            "index": index.url,
        } | changes
        return InspectionConnector(config=InspectionConfiguration.model_validate(values))

    return make_


@pytest.fixture
def serving(stub, raw_reply):
    """A server that accepts, and answers as the API does."""
    served = {
        "report": {"state": "succeeded", "runs": [{"item": at, "state": "succeeded"} for at in (0, 1)]},
        "over": True,
    }

    def answer(seen):
        path = seen.path.partition("?")[0].removeprefix("/api/v1")
        if path == "/inspect":
            body = {"inspection_id": "inspection-1", "parameters": {}}
        elif path.endswith("/wait"):
            body = {"over": served["over"], "state": "running"}
        elif path.endswith("/report"):
            body = {"report": served["report"]}
        elif path.endswith("/result"):
            body = {"result": RESULT}
        else:
            body = {"version": "1", "state": "cancelled"}
        return raw_reply(served.get("status", 200), json.dumps({**body, "parameters": {}}).encode())

    stub.answer = answer
    return served


async def only(dispatched):
    try:
        (result,) = await dispatched
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    return result.value


def to(component, setting, value):
    return [Adjustment(component_name=component, setting_name=setting, value=value)]


async def test_packages_and_resources_are_components(make):
    description = await only(make().dispatch_event("describe"))
    settings = {
        (each.name, setting.name): setting for each in description.components for setting in each.settings
    }
    assert settings["web", "version"].values == ["1.0", "1.9"]
    assert settings["web", "version"].value == "1.9"
    memory = settings["resources", "memory"]
    assert (memory.min, memory.max, memory.value, memory.unit) == (0.5, 2, 1, "GiB")
    assert {each.name for each in description.metrics} == {"duration", "memory", "error_rate", "elapsed"}


async def test_versions_that_do_not_go_together_are_rejected_before_anything_is_built(make, serving, stub):
    connector = make()
    with pytest.raises(AdjustmentRejectedError) as caught:
        await only(connector.dispatch_event("adjust", to("api", "version", "1.0")))
    assert caught.value.reason == "unsatisfiable"
    assert "web==1.9" in str(caught.value)
    assert not stub.seen
    description = await only(connector.dispatch_event("describe"))
    assert all(
        each.value == "1.9"
        for each in (c.settings[0] for c in description.components if c.name != "resources")
    )


@pytest.mark.parametrize(
    ("component", "setting", "value"),
    [
        ("web", "version", "1.5"),
        ("resources", "memory", 0.7),
        ("resources", "memory", 4),
        ("resources", "cpu", 1),
        ("web", "memory", 1),
    ],
)
async def test_values_that_are_none_are_rejected(make, component, setting, value):
    with pytest.raises(AdjustmentRejectedError) as caught:
        await only(make().dispatch_event("adjust", to(component, setting, value)))
    assert caught.value.reason == "invalid-setting"


async def test_settings_of_others_are_left_alone(make):
    assert await only(make().dispatch_event("adjust", to("app", "knob", 3)))


async def test_a_measurement_is_an_inspection_of_what_was_adjusted(make, serving, stub):
    connector = make()
    await only(
        connector.dispatch_event("adjust", [*to("web", "version", "1.0"), *to("resources", "memory", 2)])
    )
    found = await only(connector.dispatch_event("measure"))
    sent = json.loads(stub.seen[0].body)
    assert "web==1.0" in sent["python"]["lock"]["requirements.txt"]
    assert "--hash=sha256:" in sent["python"]["lock"]["requirements.txt"]
    assert sent["run"] == {"requests": {"cpu": "1", "memory": "2048Mi"}, "timeout": 9}
    assert sent["batch_size"] == 2
    readings = {each.metric.name: [point.value for point in each.data_points] for each in found.readings}
    assert readings == {
        "duration": [2.0, 2.0],
        "memory": [1024000.0, 1024000.0],
        "elapsed": [1.5, 1.5],
        "error_rate": [0.0],
    }
    assert found.annotations["inspection"] == "inspection-1"


async def test_only_what_is_asked_for_is_told(make, serving):
    found = await only(make().dispatch_event("measure", metrics=["elapsed"]))
    assert [each.metric.name for each in found.readings] == ["elapsed"]


async def test_runs_that_failed_are_the_error_rate(make, serving):
    serving["report"]["runs"][1] = {
        "item": 1,
        "state": "failed",
        "failure": {"kind": "script", "reason": "exit 1"},
    }
    found = await only(make().dispatch_event("measure"))
    assert (
        next(each for each in found.readings if each.metric.name == "error_rate").data_points[0].value == 0.5
    )


async def test_a_stack_that_fails_fails_the_measurement_and_says_why(make, serving):
    failure = {
        "kind": "stack",
        "reason": "A package cannot be imported.",
        "lines": ["Traceback", "ImportError: no"],
    }
    serving["report"] = {"state": "failed", "failure": failure, "runs": [{"item": 0, "state": "failed"}]}
    with pytest.raises(MeasurementFailedError, match="ImportError: no") as caught:
        await only(make().dispatch_event("measure"))
    assert caught.value.reason == "stack-failed"


async def test_a_server_that_refuses_is_heard(make, serving):
    serving["status"] = 400
    with pytest.raises(MeasurementFailedError) as caught:
        await only(make().dispatch_event("measure"))
    assert caught.value.reason == "not-inspected"


async def test_a_server_that_is_away_is_asked_again_with_the_same_key(make, serving, stub):
    answer = stub.answer
    stub.answer = lambda seen: b"" if len(stub.seen) == 1 else answer(seen)
    await only(make().dispatch_event("measure"))
    first, second = (each.headers["idempotency-key"] for each in stub.seen[:2])
    assert first == second


async def test_whoever_gives_up_cancels_the_inspection(make, serving, stub):
    serving["over"] = False
    task = asyncio.create_task(only(make().dispatch_event("measure")))
    await stub.asked(2)
    task.cancel()
    with pytest.raises((asyncio.CancelledError, BaseExceptionGroup)):
        await task
    assert stub.seen[-1].path == "/api/v1/inspect/inspection-1/cancel"


async def test_one_that_does_not_end_in_time_is_cancelled(make, serving, stub):
    serving["over"] = False
    with pytest.raises(MeasurementFailedError) as caught:
        await only(make(timeout="200ms").dispatch_event("measure"))
    assert caught.value.reason == "overdue"
    assert stub.seen[-1].path.endswith("/cancel")


async def test_without_uv_it_says_what_to_do(make):
    with pytest.raises(AdjustmentFailedError, match="pip install uv"):
        await only(make(uv="/nonexistent/uv").dispatch_event("adjust", to("web", "version", "1.0")))


async def test_checks_tell_what_is_wrong(make, serving):
    good = await only(make().dispatch_event("check", None))
    assert [each.success for each in good] == [True, True]
    bad = await only(make(packages={"web": ["7.0"]}).dispatch_event("check", None))
    assert [each.success for each in bad] == [False, True]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "ftp://h"}, "http"),
        ({"url": "http://u:p@h"}, "password"),
        ({"packages": {}, "resources": {}}, "nothing can be adjusted"),
        ({"packages": {"web": []}}, "at least 1"),
        ({"packages": {"web": ["1 0"]}}, "no version"),
        ({"packages": {"web": ["1", "1"]}}, "twice"),
        ({"packages": {"web": {"versions": ["1"], "default": "2"}}}, "none of the versions"),
        ({"packages": {"we b": ["1"]}}, "no name"),
        ({"requirements": ["-r /etc/passwd"]}, "no requirement"),
        ({"figures": {"duration": {"key": "x"}}}, "no name of a metric"),
        ({"resources": {"cpu": {"min": 2, "max": 1, "step": 1, "default": 2}}}, "not between"),
    ],
)
def test_what_is_configured_wrongly_is_said(make, changes, said):
    with pytest.raises(ValidationError, match=said):
        make(**changes)


async def test_a_context_with_packages_of_its_own_is_refused(make, serving):
    with pytest.raises(MeasurementFailedError, match="context has a python"):
        await only(make(context={**CONTEXT, "python": {}}).dispatch_event("measure"))


@pytest.mark.parametrize(
    "result",
    [{}, {"stdout": "no JSON", "usage": None}, {"duration": float("nan")}, {"stdout": {"@result": 3}}],
)
def test_what_a_run_did_not_leave_is_no_reading(make, result):
    found = measured([result], failed=0, figures=make().config.figures)
    assert [each.metric.name for each in found] == ["error_rate"]
