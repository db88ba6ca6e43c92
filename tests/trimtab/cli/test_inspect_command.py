"""`trimtab inspect` and `trimtab inspections`: what they print, what they refuse, and the example."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from trimtab.catalog import accept
from trimtab.cli import app
from trimtab.inspection import Specification
from trimtab.settings import Settings
from trimtab.workflows import Inspecting, Journal, Place, Submission

EXAMPLE = Path(__file__).parents[3] / "examples" / "inspection" / "SPEC.json"
UNKNOWN = "inspection-261126221732-0123456789abcdef"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path / "home"))

    def invoke(*arguments, code=0, **options):
        result = CliRunner().invoke(app, list(arguments), **options)
        assert result.exit_code == code, result.output
        return result

    return invoke


def test_the_containerfile_is_printed_and_nothing_done(run, tmp_path):
    output = run("inspect", str(EXAMPLE), "--containerfile").stdout
    assert output.startswith("FROM registry.example/python:3.11\n")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ("[]", "JSON object"),
        ('{"base": "a", "batch_size": "many"}', "batch_size: "),
        ('{"base": "a", "script": "https://files.example/script"}', "script: "),
    ],
)
def test_what_is_no_specification_is_a_usage_error_that_names_file_and_field(run, tmp_path, text, said):
    file = tmp_path / "spec.json"
    file.write_text(text)
    error = run("inspect", str(file), code=2).stderr
    assert error.startswith(f"Error: {file}: ")
    assert said in error


def test_a_file_that_is_not_there_is_a_usage_error(run):
    assert "nowhere.json cannot be read" in run("inspect", "nowhere.json", code=2).stderr


def test_an_engine_that_is_none_is_named(run):
    assert "there is no engine 'moon'" in run("inspect", str(EXAMPLE), "--engine", "moon", code=1).stderr


def test_an_empty_list_says_what_to_do(run):
    assert "trimtab inspect" in run("inspections", "list").stdout
    assert json.loads(run("inspections", "list", "-o", "json").stdout) == []


def test_a_state_that_is_none_is_refused(run):
    assert "succeeded" in run("inspections", "list", "--state", "fine", code=2).stderr


@pytest.mark.parametrize(
    "arguments",
    [("show",), ("log",), ("log", "--run", "0"), ("result",), ("delete", "--yes"), ("cancel",), ("retry",)],
)
def test_an_inspection_that_is_not_there_is_said(run, arguments):
    name, *rest = arguments
    assert UNKNOWN in run("inspections", name, UNKNOWN, *rest, code=1).stderr


def test_there_may_be_nothing_to_continue(run):
    assert "Nothing is left" in run("inspections", "resume").stderr
    assert "not under way" in run("inspections", "resume", UNKNOWN, code=1).stderr
    assert "no id" in run("inspections", "resume", "../elsewhere", code=2).stderr


@pytest.fixture
def place(tmp_path):
    with Place.open(Settings(home=tmp_path / "home")) as opened:
        yield opened


def submission():
    document = {**json.loads(EXAMPLE.read_text()), "script": "#!/bin/sh\n"}
    return Submission.of(Specification.load(document), "process", deployment="local")


def test_what_waits_in_the_queue_is_cancelled_and_then_deleted(run, place):
    async def submit():
        async with Inspecting.alone(place, works=False) as worker:
            return await worker.submit(submission())

    name = asyncio.run(submit())
    assert "cancel it first" in run("inspections", "delete", name, "--yes", code=1).stderr
    assert run("inspections", "cancel", name).stdout == f"cancelled {name}\n"
    assert "is over: cancelled" in run("inspections", "cancel", name, code=1).stderr
    assert "cancelled" in run("inspections", "show", name).stdout
    assert run("inspections", "delete", name, "--yes").stdout == f"deleted {name}\n"


def test_what_a_killed_command_left_is_cancelled_but_not_what_a_living_one_makes(run, place):
    left = submission()
    journal = Journal(place.work / left.id)
    journal.accept(left)
    with place.database.write() as connection:
        accept(connection, left.id, left.specification, created_at=left.created)
    with journal.held():
        assert "end it there" in run("inspections", "cancel", left.id, code=1).stderr
    assert run("inspections", "cancel", left.id).stdout == f"cancelled {left.id}\n"
    assert json.loads(run("inspections", "show", left.id, "-o", "json").stdout)["state"] == "cancelled"
    assert not journal.directory.exists()


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_the_example_is_inspected_shown_and_deleted(run):
    done = run("inspect", str(EXAMPLE), "--engine", "process", "--batch", "2", "--output", "json")
    report = json.loads(done.stdout)
    assert (report["state"], [each["state"] for each in report["runs"]]) == ("succeeded", ["succeeded"] * 2)
    name = report["inspection_id"]
    assert "run 2 of 2 is done" in done.stderr
    page = Path(done.stderr.rpartition("Report: ")[2].strip())
    assert page.parent.name == name
    assert "All 2 runs succeeded" in page.read_text()
    assert name in run("inspections", "list", "--state", "succeeded").stdout
    assert json.loads(run("inspections", "show", name, "-o", "json").stdout) == report
    assert "succeeded" in run("inspections", "show", name).stdout
    assert (
        yaml.safe_load(run("inspections", "result", name, "--run", "0", "-o", "yaml").stdout)["exit_code"]
        == 0
    )
    assert "registry.example/python:3.11 is not used" in run("inspections", "log", name).stdout
    assert "total" in run("inspections", "log", name, "--run", "1").stdout
    assert f"deleted {name}" in run("inspections", "delete", name, "--yes").stdout
    assert json.loads(run("inspections", "list", "-o", "json").stdout) == []


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_ctrl_c_ends_what_runs_and_leaves_a_report(tmp_path):
    file = tmp_path / "spec.json"
    document = json.loads(EXAMPLE.read_text())
    file.write_text(json.dumps({**document, "run": {}, "script": "#!/bin/sh\nexec sleep 1000\n"}))
    environment = {**os.environ, "TRIMTAB_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", "from trimtab.cli import main; main()"]
    with subprocess.Popen(
        [*command, "inspect", str(file), "--engine", "process"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert any("run 1 of 3 is under way" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        assert "Interrupted" in process.stderr.read()
    assert process.returncode == 130
    listed = subprocess.run(
        [*command, "inspections", "list", "-o", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [each["state"] for each in json.loads(listed.stdout)] == ["cancelled"]
    assert list((tmp_path / "home" / "work").iterdir()) == []
