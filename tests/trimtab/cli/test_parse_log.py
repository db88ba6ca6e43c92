"""`trimtab parse-log`."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from trimtab.cli import app

HOSTILE = b"\x1b]0;owned\x07\x1b[2JERROR: No matching distribution found for <script>alert(1)</script>\x1b[31m [bold]x[/bold]\n"


@pytest.fixture
def run(tmp_path):
    def run(log, *options):
        path = tmp_path / "build.log"
        path.write_bytes(log)
        return CliRunner().invoke(app, ["parse-log", str(path), *options])

    return run


def test_the_table_says_why_it_failed(run):
    result = run(b"Collecting six==9\nERROR: No matching distribution found for six==9\n")
    assert result.exit_code == 0
    assert "Build breaker  no-such-version (index) six 9" in result.output


def test_json_and_yaml_are_the_document(run):
    log = b"Collecting six==1.16.0\nSuccessfully installed six-1.16.0\n"
    documents = (
        json.loads(run(log, "--output", "json").output),
        yaml.safe_load(run(log, "--output", "yaml").output),
    )
    assert documents[0] == documents[1]
    assert documents[0]["installation_successful"] is True


def test_standard_input_is_read():
    result = CliRunner().invoke(app, ["parse-log", "-", "--output", "json"], input=b"Killed\n")
    assert json.loads(result.output)["errors"][0]["class"] == "killed"


def test_the_old_handlers_are_asked_by_name(run):
    entries = json.loads(run(b"Collecting six>=1 (from a)\n", "--legacy", "pip3").output)
    assert entries[0]["handler"] == "pip3"
    assert entries[0]["result"][0]["from"] == [{"package": "a", "version_specified": None}]


@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_escapes_and_markup_of_a_log_are_shown_harmlessly(run, output):
    """Nothing of a log moves the terminal; what looks like markup is text."""
    shown = run(HOSTILE, "--output", output).output
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[bold]x" in shown.replace("\\", "") or output == "yaml"


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    result = CliRunner().invoke(app, ["parse-log", str(tmp_path / "none.log")])
    assert result.exit_code == 2
    assert "none.log: No such file or directory" in result.output
