"""`trimtab`, `trimtab sessions` and `trimtab token`: what they print, and what they say when it cannot be done."""

import hashlib
import json
import subprocess
import sys

import pytest
import yaml
from typer.testing import CliRunner

from trimtab.cli import COMMANDS, app
from trimtab.optimizer.sessions import Sessions

CREATE = ["sessions", "create", "--application", "example.com/shop", "--objective", "maximize throughput"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path / "home"))

    def invoke(*arguments, code=0, **options):
        result = CliRunner().invoke(app, list(arguments), **options)
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.fixture
def created(run):
    return json.loads(run(*CREATE, "--slo", "latency <= 200ms", "--output", "json").stdout)["id"]


def test_help_lists_every_command_with_its_summary(run):
    output = run("--help").stdout
    for name, (_, summary) in COMMANDS.items():
        assert name in output
        assert summary[:40] in output
    assert "Examples:" in output


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(run, name):
    assert run(name, "--help").stdout.startswith(f"Usage: trimtab {name}")


@pytest.mark.parametrize("name", ["list", "show", "create", "cancel", "export", "report", "delete"])
def test_each_command_about_sessions_has_an_example_of_itself(run, name):
    examples = run("sessions", name, "--help").stdout.partition("Example")[2].partition("Options:")[0]
    assert f"trimtab sessions {name} " in examples


def test_help_imports_nothing_heavy():
    """What takes 100 ms or more is imported by the command that needs it."""
    program = (
        "import sys; sys.argv = ['trimtab', '--help']\n"
        "from trimtab.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'sqlalchemy', 'fastapi', 'numpy', 'scipy', 'httpx2', 'loguru', 'rich.console', 'alembic'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_unknown_command_is_a_usage_error(run):
    assert "No such command" in run("fly", code=2).stderr


def test_version(run):
    assert run("--version").stdout.startswith("trimtab ")


def test_an_empty_list_says_what_to_do(run):
    assert "trimtab sessions create" in run("sessions", "list").stdout
    assert json.loads(run("sessions", "list", "-o", "json").stdout) == []


def test_what_is_created_is_listed_and_shown_in_each_format(run, created):
    assert created in run("sessions", "list").stdout
    for output, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        assert [each["id"] for each in read(run("sessions", "list", "-o", output).stdout)] == [created]
        assert read(run("sessions", "show", created, "-o", output).stdout)["spec"]["goal"]["slos"] == [
            "latency <= 200ms"
        ]
    table = run("sessions", "show", created).stdout
    assert "maximize throughput; latency <= 200ms" in table
    assert "0 of 30" in table


def test_the_options_of_create_become_the_specification(run):
    options = ["--price", "web.cpu=30", "--trials", "7", "--time", "2h", "--duration", "2m", "--warmup", "5s"]
    more = ["--settlement", "1s", "--strategy", "random", "--seed", "5", "--no-apply", "--no-warm-start"]
    spec = json.loads(run(*CREATE, *options, *more, "-o", "json").stdout)["spec"]
    assert spec["goal"]["prices"] == {"web.cpu": 30.0}
    assert spec["budget"] == {"trials": 7, "seconds": 7200.0}
    assert spec["control"] == {"duration": 120.0, "warmup": 5.0, "settlement": 1.0}
    assert (spec["strategy"], spec["seed"], spec["apply"], spec["warm_start"]) == ("random", 5, False, False)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--slo", "latency"], "--slo: column 8"),
        (["--price", "web.cpu"], "--price: 'web.cpu'"),
        (["--price", "web.cpu=much"], "--price"),
        (["--duration", "5 parsecs"], "--duration: Invalid duration"),
        (["--time", "0s"], "--time"),
        (["--strategy", "luck"], "--strategy: unknown strategy 'luck'; there are"),
        (["--trials", "0"], "--trials"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_created(run, options, problem):
    assert problem in run(*CREATE, *options, code=2).stderr
    assert json.loads(run("sessions", "list", "-o", "json").stdout) == []


def test_a_wrong_objective_is_shown_with_its_place(run):
    wrong = ["sessions", "create", "--application", "example.com/shop", "--objective", "maximize thr +"]
    error = run(*wrong, code=2).stderr
    assert "column 15" in error
    assert "^" in error


def test_a_second_session_of_an_application_is_refused(run, created):
    assert created in run(*CREATE, code=1).stderr


def test_an_unknown_session_is_a_failure_with_a_remedy(run):
    for command in (["show"], ["export"], ["report"], ["cancel"], ["delete", "--yes"]):
        assert "trimtab sessions list" in run("sessions", *command, "session-1", code=1).stderr


def test_report_writes_a_page_and_its_data(run, created, tmp_path):
    printed = run("sessions", "report", created, "--directory", str(tmp_path / "found")).stdout
    assert str(tmp_path / "found" / "report.html") in printed
    assert json.loads((tmp_path / "found" / "report.json").read_text())["session"]["id"] == created
    (tmp_path / "file").write_text("")
    refused = run("sessions", "report", created, "--directory", str(tmp_path / "file"), code=1).stderr
    assert "cannot be written" in refused


def test_export_writes_the_document_to_output_or_file(run, created, tmp_path):
    document = json.loads(run("sessions", "export", created).stdout)
    assert document["format"] == "trimtab-session/1"
    file = tmp_path / "session.yaml"
    run("sessions", "export", created, "-o", "yaml", "--file", str(file))
    assert yaml.safe_load(file.read_text())["session"]["id"] == created
    assert "no table" in run("sessions", "export", created, "-o", "table", code=2).stderr
    assert "cannot be written" in run("sessions", "export", created, "--file", str(tmp_path), code=1).stderr


def test_cancel_and_delete(run, created):
    assert "cancelled" in run("sessions", "cancel", created).stdout
    assert created in run("sessions", "list", "--over").stdout
    assert created not in run("sessions", "list", "--active").stdout
    run("sessions", "delete", created, input="n\n", code=1)
    assert run("sessions", "delete", created, "--yes").stdout == f"deleted {created}\n"
    assert json.loads(run("sessions", "list", "-o", "json").stdout) == []


def test_a_database_that_cannot_be_used_is_an_error_without_its_password(run, monkeypatch):
    monkeypatch.setenv("TRIMTAB_DATABASE_URL", "postgresql://user:geheim@127.0.0.1:1/name")
    error = run("sessions", "list", code=1).stderr
    assert "127.0.0.1" in error
    assert "geheim" not in error


def test_a_wrong_setting_is_named_by_where_it_came_from(run, monkeypatch):
    monkeypatch.setenv("TRIMTAB_STALE_AFTER", "soon")
    assert "TRIMTAB_STALE_AFTER" in run("sessions", "list", code=2).stderr


def test_the_course_of_a_session_is_shown(run, created, tmp_path, open_database, make_agent):
    sessions = Sessions(open_database(f"sqlite:///{tmp_path}/home/trimtab.sqlite"))
    agent = make_agent(handle=sessions.handle)
    agent.hello()
    command = agent.until("MEASURE")
    agent.post("MEASUREMENT", {"progress": 40.0, "cmd_uid": command["cmd_uid"]})
    shown = run("sessions", "show", created).stdout
    assert "0 (baseline): web.cpu=2.0, web.workers=2" in shown
    assert "MEASURE to measure" in shown
    assert "40 %" in shown
    agent.answer(command)
    assert "86 (baseline 86)" in run("sessions", "show", created).stdout
    agent.post("GOODBYE", {"reason": "SIGTERM"})
    assert "left (SIGTERM)" in run("sessions", "list").stdout


def test_a_server_is_spoken_to_with_the_token_and_its_errors_are_shown(run, monkeypatch, sessions, served):
    """The same commands, over HTTP; the transport is the application itself."""
    server = served(sessions)
    monkeypatch.delenv("TRIMTAB_TOKEN")
    error = run("sessions", "list", *server, code=1).stderr
    assert "TRIMTAB_TOKEN" in error
    monkeypatch.setenv("TRIMTAB_TOKEN", "0123456789abcdef0123")
    name = json.loads(run(*CREATE, "-o", "json", *server).stdout)["id"]
    assert name in run("sessions", "list", *server).stdout
    assert json.loads(run("sessions", "show", name, "-o", "json", *server).stdout)["id"] == name
    assert name in run(*CREATE, *server, code=1).stderr
    assert json.loads(run("sessions", "export", name, *server).stdout)["session"]["id"] == name
    assert "cancelled" in run("sessions", "cancel", name, *server).stdout
    run("sessions", "delete", "-y", name, *server)
    assert "No session" in run("sessions", "show", name, *server, code=1).stderr


@pytest.mark.parametrize(
    ("server", "problem"),
    [("localhost:8080", "write it as http://host:port"), ("http://127.0.0.1:1", "cannot be reached")],
)
def test_a_server_out_of_reach_is_a_failure(run, server, problem):
    assert problem in run("sessions", "list", "--server", server, code=1).stderr


def test_a_token_is_printed_with_its_digest(run):
    token, digest = run("token").stdout.split()
    assert len(token) >= 40
    assert digest == f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"
    assert run("token").stdout.split()[0] != token
