"""What the agent says of itself with HELLO (reference 1.13)."""

import platform
from importlib import metadata

from servo.telemetry import Telemetry


def test_it_starts_with_version_and_platform():
    assert Telemetry({}).values == {
        "servox.version": metadata.version("trimtab"),
        "servox.platform": f"{platform.system()}-{platform.machine()}",
    }


def test_inside_a_pod_the_namespace_is_told(monkeypatch):
    monkeypatch.setenv("POD_NAMESPACE", "shop")
    assert Telemetry()["servox.namespace"] == "shop"


def test_connectors_add_and_remove_keys():
    telemetry = Telemetry({})
    telemetry["web.version"] = "1.2"
    assert telemetry.values["web.version"] == "1.2"
    telemetry.remove("web.version")
    assert "web.version" not in telemetry
    assert len(telemetry) == 2


def test_removing_what_is_not_there_is_no_error():
    telemetry = Telemetry({})
    telemetry.remove("never")
    assert list(telemetry) == ["servox.version", "servox.platform"]


def test_values_are_strings_whatever_is_put_in():
    telemetry = Telemetry({})
    telemetry["web.replicas"] = 3
    assert telemetry["web.replicas"] == "3"
    del telemetry["web.replicas"]
    assert "web.replicas" not in telemetry


def test_the_values_handed_out_are_a_copy():
    telemetry = Telemetry({})
    telemetry.values.clear()
    assert len(telemetry) == 2
