"""`trimtab advise`, over a local index and an empty memory, and one that holds builds."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trimtab.catalog import Database
from trimtab.cli import app
from trimtab.stacks import read_pins

pytestmark = pytest.mark.timeout(300)  # each asks the resolver several times

_spec = importlib.util.spec_from_file_location(
    "local_index", Path(__file__).parents[1] / "stacks" / "local_index.py"
)
local_index = importlib.util.module_from_spec(_spec)
sys.modules.setdefault("local_index", local_index)
_spec.loader.exec_module(local_index)

PIPFILE = '[packages]\nweb = "*"\ndb = "*"\n[requires]\npython_version = "3.11"\n'


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    server = local_index.Server(local_index.shop(tmp_path_factory.mktemp("shop") / "index"))
    yield server
    server.close()


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def run(index, home, tmp_path, monkeypatch):
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("TRIMTAB_HOME", str(home))
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pipfile").write_text(PIPFILE)

    def run(*options, project=project):
        return CliRunner().invoke(app, ["advise", str(project), *map(str, options)])

    return run


def teach(home):
    """Six builds that broke at web 1.9, and twelve with 1.8 that went well; one of them tells what moves a terminal."""
    from trimtab.builds import record_analysis, record_build

    home.mkdir()
    database = Database(f"sqlite:///{home / 'trimtab.sqlite'}")
    try:
        for number in range(18):
            broke = number >= 12
            version = "1.9" if broke else "1.8"
            error = {
                "class": "compile-error\x1b[2J", "kind": "stack", "package": "web", "version": version, "message": "no", "line": 3,
            }  # fmt: skip
            result = {
                "outcome": "failed" if broke else "successful",
                "installation": [
                    {"package_name": "web", "package_version": version, "is_successful": not broke}
                ],
                "errors": [error] if broke else [],
                "build_breaker": error if broke else None,
            }
            metadata = {"document_id": f"buildlog-parser-{number}", "timestamp": number}
            record_analysis(database, {"metadata": metadata, "result": result})
            build = {
                "analysis_id": f"build-analysis-{number}",
                "created_at": number,
                "base_image": {
                    "reference": "registry.example/python:3.11",
                    "digest": None,
                    "analysis_id": None,
                },
                "output_image": None,
                "build_log": {"document_id": f"log-{number}", "analysis_id": f"buildlog-parser-{number}"},
                "build": {"phase": "failed" if broke else "complete"},
            }
            record_build(database, build)
    finally:
        database.close()


def test_a_directory_is_a_project_and_nothing_is_known(run):
    result = run()
    assert result.exit_code == 0, result.output
    assert "Not known" in result.stdout
    assert "no inspection of just these versions passed" in result.stdout
    assert "Why not the newest" not in result.stdout


def test_what_builds_taught_is_a_reason_and_the_lock_is_the_projects(run, home, tmp_path):
    teach(home)
    result = run("--directory", tmp_path / "locked", "--base", "registry.example/python:3.11")
    assert result.exit_code == 0, result.output
    assert "web 1.9: it broke 6 of 6 builds" in result.stdout
    assert "\x1b" not in result.stdout
    pins = read_pins(tmp_path / "locked" / "Pipfile.lock")
    assert pins["web"] == "1.8"


def test_programs_get_a_document(run, home):
    teach(home)
    result = run("--output", "json")
    document = json.loads(result.stdout)
    assert document["schema"] == "trimtab/advice/1"
    web = next(each for each in document["packages"] if each["name"] == "web")
    assert (web["version"], web["newest"], web["built"]) == ("1.8", "1.9", 12)
    assert web["reasons"]
    assert any("--osv" in each for each in document["unknown"])
    assert "web==1.8" in document["lock"]


def test_what_is_no_project_is_said(run, tmp_path):
    (tmp_path / "empty").mkdir()
    for project in (tmp_path / "empty", tmp_path / "none.txt"):
        result = run(project=project)
        assert result.exit_code == 2
        assert str(project) in result.stderr


def test_what_cannot_be_satisfied_is_explained(run, tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("web==9\n")
    result = run(project=path)
    assert result.exit_code == 1
    assert "web==9" in result.stderr
