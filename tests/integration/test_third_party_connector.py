"""A connector of another distribution: discovered by its entry point, configured, checked, run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.integration

PACKAGE = Path(__file__).parents[1] / "packages" / "servo-thermostat"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build the distribution's wheel, as its author would, and install it into a directory of its own."""
    place = tmp_path_factory.mktemp("thermostat")
    shutil.copytree(PACKAGE, place / "source")
    subprocess.run(
        [sys.executable, "-c", "import hatchling.build; hatchling.build.build_wheel('../wheels')"],
        cwd=place / "source",
        check=True,
        capture_output=True,
    )
    (wheel,) = (place / "wheels").glob("*.whl")
    assert wheel.name == "servo_thermostat-1.2.0-py3-none-any.whl"
    zipfile.ZipFile(wheel).extractall(place / "site")
    return place / "site"


@pytest.fixture(autouse=True)
def _on_the_path(installed, servo_environment):
    servo_environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(installed), servo_environment.get("PYTHONPATH")])
    )


@pytest.fixture
def configured(tmp_path, scripted_optimizer):
    def write(**thermostat):
        document = {
            "optimizer": {"id": "example.com/house", "token": "T", "base_url": scripted_optimizer.url},
            "connectors": ["thermostat"],
            "thermostat": {"house": str(tmp_path / "house.json"), **thermostat},
        }
        (tmp_path / "servo.yaml").write_text(yaml.safe_dump(document))

    return write


def test_it_is_discovered_by_its_entry_point(servo_run):
    result = servo_run("connectors", "-v")
    line = next(line for line in result.stdout.splitlines() if line.startswith("thermostat"))
    assert line.split() == [
        "thermostat", "1.2.0", "Keeps", "a", "house", "warm", "https://thermostat.example/", "Stable", "MIT",
    ]  # fmt: skip


def test_it_says_what_it_is(servo_run):
    assert servo_run("version", "thermostat").stdout == (
        "Thermostat v1.2.0 (Stable)\nKeeps a house warm\nhttps://thermostat.example/\n"
        "Licensed under the terms of MIT\n"
    )


def test_its_configuration_is_generated_and_validated(servo_run, tmp_path):
    assert servo_run("generate", "thermostat").returncode == 0
    section = yaml.safe_load((tmp_path / "servo.yaml").read_text())["thermostat"]
    assert section == {"description": "Name the file of your house", "house": "house.json"}
    assert servo_run("validate").returncode == 0
    schema = json.loads(servo_run("schema", "thermostat").stdout)
    assert schema["title"] == "Thermostat Connector Configuration Schema"
    assert schema["properties"]["house"]["env_names"] == ["THERMOSTAT_HOUSE"]


def test_a_wrong_value_is_found_with_its_place(servo_run, configured):
    configured(insulation=2)
    result = servo_run("validate")
    assert result.returncode == 1
    assert "thermostat.insulation" in result.stderr


def test_its_values_come_from_the_environment_too(servo_run, configured):
    configured()
    result = servo_run("config", "thermostat.insulation", env={"SERVO_THERMOSTAT_INSULATION": "0.3"})
    assert result.stdout == "thermostat:\n  insulation: 0.3\n\n"


def test_it_brings_a_command(servo_run, configured):
    configured()
    commands = servo_run("--help").stdout.partition("Connector Commands:\n")[2]
    assert "  thermostat  Talk to the thermostat\n" in commands
    assert servo_run("thermostat", "status").stdout.split() == [
        "NAME", "TARGET", "MODE", "thermostat", "19.0", "eco",
    ]  # fmt: skip
    assert servo_run("thermostat", "measure").stdout.splitlines()[0] == "80.0"


def test_it_is_described_measured_and_adjusted(servo_run, configured):
    configured()
    assert "house.target=19.0" in servo_run("describe").stdout
    assert "80.00 (just now)" in servo_run("measure", "-d", "200ms").stdout
    assert "house.target=21.0" in servo_run("adjust", "house.target=21").stdout
    rejected = servo_run("adjust", "house.target=30")
    assert (rejected.returncode, rejected.stderr.splitlines()[-1]) == (1, "Error: nobody needs it that warm")
    assert "Thermostat" in servo_run("show", "events").stdout


def test_it_is_checked(servo_run, configured, tmp_path):
    configured()
    result = servo_run("check", "--verbose")
    assert result.returncode == 0, result.stdout
    assert "House is there" in result.stdout
    configured(insulation=0.2)
    warned = servo_run("check", "--verbose")
    assert warned.returncode == 0
    assert "! WARNING" in warned.stdout
    configured(house=str(tmp_path / "gone" / "house.json"))
    failed = servo_run("check")
    assert failed.returncode == 1
    assert "House is there: there is no" in failed.stdout


def test_it_is_run_by_an_optimizer(servo_start, configured, scripted_optimizer, tmp_path):
    configured()
    scripted_optimizer.script = [
        {"cmd": "DESCRIBE", "cmd_uid": "u1", "param": {"control": {}}},
        {"cmd": "MEASURE", "cmd_uid": "u2", "param": {"metrics": ["comfort"], "control": {"duration": 0.4}}},
        adjust("u3", 22.5),
        adjust("u4", 30),
    ]
    program = servo_start("run", "--check")
    scripted_optimizer.wait_for("ADJUSTMENT", 2)
    program.signal(signal.SIGTERM)
    code, log = program.end()
    assert code == 0, log
    (description,) = scripted_optimizer.results("DESCRIPTION")
    settings = description["descriptor"]["application"]["components"]["house"]["settings"]
    assert settings["target"] == {
        "type": "range", "pinned": False, "unit": "°C", "value": 19.0, "min": 15.0, "max": 25.0, "step": 0.5,
    }  # fmt: skip
    (measurement,) = scripted_optimizer.results("MEASUREMENT")
    assert (measurement["status"], measurement["cmd_uid"]) == ("ok", "u2")
    assert measurement["annotations"] == {"mode": "eco"}
    progress = [
        param["progress"] for param in scripted_optimizer.params("MEASUREMENT") if "progress" in param
    ]
    assert progress == sorted(progress)
    assert progress
    accepted, rejected = scripted_optimizer.results("ADJUSTMENT")
    assert accepted["status"] == "ok"
    assert rejected["status"] == "rejected"
    assert (rejected["message"], rejected["reason"]) == ("nobody needs it that warm", "too-hot")
    assert json.loads((tmp_path / "house.json").read_text())["target"] == 22.5
    assert "the house is set by 1 connector" in log
    assert scripted_optimizer.events()[-1] == "GOODBYE"


def adjust(uid, target):
    components = {"house": {"settings": {"target": {"value": target}}}}
    return {
        "cmd": "ADJUST",
        "cmd_uid": uid,
        "param": {"state": {"application": {"components": components}}, "control": {}},
    }
