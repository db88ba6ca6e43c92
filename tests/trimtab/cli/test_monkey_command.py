"""`trimtab monkey`, over a local index."""

import importlib.util
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from trimtab.cli import app
from trimtab.engines.pipfile import pipfile_hash
from trimtab.stacks import RequirementsError, read_pins
from trimtab.stacks.monkey import MonkeyQuestion, read_report, read_text_or_table

pytestmark = pytest.mark.timeout(300)  # each asks the resolver several times

_spec = importlib.util.spec_from_file_location(
    "local_index", Path(__file__).parents[1] / "stacks" / "local_index.py"
)
local_index = importlib.util.module_from_spec(_spec)
sys.modules.setdefault("local_index", local_index)
_spec.loader.exec_module(local_index)

FIXTURES = Path("/work/shared/data/dependency-monkey")
needs_fixtures = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="the original's inputs are not on this machine"
)
PIPFILE = '[packages]\nweb = "*"\ndb = "*"\n[requires]\npython_version = "3.11"\n'
CONTEXT = '{"base": "registry.example/python:3.11", "script": "print(1)", "identifier": "zoo"}'


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    server = local_index.Server(local_index.shop(tmp_path_factory.mktemp("shop") / "index"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def run(index, home, tmp_path, monkeypatch):
    """Run it on a Pipfile, with this index as the configured one."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("TRIMTAB_HOME", str(home))
    (tmp_path / "Pipfile").write_text(PIPFILE)

    def run(*options, requirements=None):
        given = requirements if requirements is not None else str(tmp_path / "Pipfile")
        return CliRunner().invoke(app, ["monkey", "-r", given, *map(str, options)])

    return run


class Amun(ThreadingHTTPServer):
    """What answers as the original's service does: with what it is told to, for each submission in turn."""

    def __init__(self, *answers):
        self.answers, self.asked, self.keys = list(answers), [], []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/api/v1"
        Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        self.server.keys.append(self.headers.get("Idempotency-Key"))
        status = self.server.answers.pop(0) if self.server.answers else 202
        answer = {"inspection_id": f"inspection-zoo-{len(self.server.asked):08}", "parameters": {}}
        text = json.dumps(answer if status == 202 else {"error": "not so", "parameters": {}}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture
def amun(monkeypatch):
    monkeypatch.setattr("trimtab.cli.monkey_sinks._PAUSE", 0.0)
    started = []

    def start(*answers):
        started.append(Amun(*answers))
        return started[-1]

    yield start
    for each in started:
        each.shutdown()
        each.server_close()


def test_stacks_go_to_a_directory_with_a_report(run, tmp_path):
    result = run("-o", tmp_path / "stacks", "--count", 3, "-R", tmp_path / "report.json")
    assert result.exit_code == 0, result.output
    report = read_report(tmp_path / "report.json")
    assert report.ids == [str(tmp_path / "stacks" / str(number)) for number in (1, 2, 3)]
    pins = [tuple(read_pins(Path(each) / "Pipfile.lock").items()) for each in report.ids]
    assert len(set(pins)) == 3
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["result"]["error"] is False
    assert document["result"]["parameters"]["seed"] is not None, "the run can be made again from its report"
    assert document["metadata"]["document_id"].startswith("dependency-monkey-")
    project = report.responses[0].product["project"]
    assert project["requirements_locked"]["_meta"]["hash"]["sha256"] == pipfile_hash(project["requirements"])


def test_a_stack_is_a_line_and_the_report_follows(run):
    result = run("-o", "-", "--count", 2, "--no-pretty")
    assert result.exit_code == 0, result.output
    *stacks, report = map(json.loads, result.stdout.splitlines())
    assert len(stacks) == 2
    assert stacks[0]["requirements_locked"]["default"]["web"]["version"].startswith("==")
    assert [
        each["product"]["project"]["requirements_locked"] for each in report["result"]["report"]["responses"]
    ] == [each["requirements_locked"] for each in stacks]


def test_the_same_seed_gives_the_same_stacks(run):
    def stacks(seed):
        result = run("-o", "-", "--count", 3, "--decision-type", "random", "--seed", seed, "-P")
        return [json.loads(each) for each in result.stdout.splitlines()[:-1]]

    assert stacks(7) == stacks(7)
    assert stacks(7) != stacks(8)


def test_package_combinations_vary_alone(run):
    config = "package_combinations: [db]"
    result = run(
        "-o", "-", "--count", 20, "--predictor", "PackageCombinations", "--predictor-config", config, "-P"
    )
    assert result.exit_code == 0, result.output
    stacks = [json.loads(each)["requirements_locked"]["default"] for each in result.stdout.splitlines()[:-1]]
    assert len({each["db"]["version"] for each in stacks}) == 8
    assert len({each["web"]["version"] for each in stacks}) == 1


def test_a_unit_that_holds_a_package_is_heeded_and_others_are_named(run):
    pipeline = '{"strides": [{"name": "OneVersionStride", "configuration": {"package_name": "db"}}], "steps": [{"name": "Odd"}]}'
    result = run("-o", "-", "--count", 5, "--pipeline", pipeline, "-P")
    assert result.exit_code == 0, result.output
    stacks = [json.loads(each)["requirements_locked"]["default"] for each in result.stdout.splitlines()[:-1]]
    assert len({each["db"]["version"] for each in stacks}) == 1
    assert "Odd" in result.stderr


def test_each_stack_is_submitted_with_the_context(run, amun, tmp_path):
    server = amun()
    result = run("-o", server.url, "--context", CONTEXT, "--count", 2, "-R", tmp_path / "report.json")
    assert result.exit_code == 0, result.output
    assert read_report(tmp_path / "report.json").ids == ["inspection-zoo-00000001", "inspection-zoo-00000002"]
    path, body = server.asked[0]
    assert path == "/api/v1/inspect"
    assert body["identifier"] == "zoo"
    assert body["python"]["requirements"]["packages"] == {"web": "*", "db": "*"}
    assert len(set(server.keys)) == 2


def test_a_server_that_is_away_for_a_moment_is_asked_again_with_the_same_key(run, amun, tmp_path):
    server = amun(503, 202)
    result = run("-o", server.url, "--context", CONTEXT, "--count", 1, "-R", tmp_path / "report.json")
    assert result.exit_code == 0, result.output
    assert len(server.asked) == 2
    assert len(set(server.keys)) == 1
    assert read_report(tmp_path / "report.json").skipped == 0


def test_what_a_server_refuses_is_counted_and_the_others_go_on(run, amun, tmp_path):
    server = amun(400)
    result = run("-o", server.url, "--context", CONTEXT, "--count", 3, "-R", tmp_path / "report.json")
    assert result.exit_code == 0, result.output
    report = read_report(tmp_path / "report.json")
    assert (len(report.responses), report.skipped) == (2, 1)
    assert "not so" in report.errors[0]


def test_a_server_that_refuses_everything_ends_it(run, amun, tmp_path):
    server = amun(*[400] * 50)
    result = run("-o", server.url, "--context", CONTEXT, "--count", 20, "-R", tmp_path / "report.json")
    assert result.exit_code == 1
    assert len(server.asked) == 5
    document = json.loads((tmp_path / "report.json").read_text())["result"]
    assert document["error"] is True
    assert "refused" in document["error_msg"]
    with pytest.raises(RequirementsError, match="failed"):
        read_report(tmp_path / "report.json")


def test_a_dry_run_hands_nothing_on(run, amun):
    server = amun()
    result = run("-o", server.url, "--dry-run", "--count", 2, "-P")
    assert result.exit_code == 0, result.output
    assert not server.asked
    assert len(json.loads(result.stdout)["result"]["report"]["responses"]) == 2


def test_requirements_may_be_text_of_the_other_format(run):
    result = run("-o", "-", "-f", "requirements", "--count", 1, "-P", requirements="web\ndb<0.5\n")
    assert result.exit_code == 0, result.output
    pipfile = json.loads(result.stdout.splitlines()[0])["requirements"]
    assert pipfile["packages"] == {"web": "*", "db": "<0.5"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "http://127.0.0.1:1"], "--context is needed"),
        (["-o", "-", "--context", "{}"], "--context"),
        (["-o", "-", "--context", "no.json"], "there is no file"),
        (["-o", "-", "--predictor", "Oracle"], "predictor"),
        (["-o", "-", "--decision-type", "some"], "decision"),
        (["-o", "-", "--pipeline", "[]"], "no table"),
        (["-o", "-", "-f", "conda"], "format"),
    ],
)
def test_what_is_asked_wrongly_is_said(run, options, message):
    result = run(*options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_what_cannot_be_satisfied_is_in_the_report(run):
    result = run("-o", "-", requirements='[packages]\nweb = "==9"\n')
    assert result.exit_code == 1
    document = json.loads(result.stdout)["result"]
    assert document["error"] is True
    assert "web" in document["report"]["ERROR"]


@needs_fixtures
@pytest.mark.parametrize("folder", ["tensorflow-inspection-2020-09-07", "tensorflow-inspection-2020-09-08.1"])
def test_inputs_of_the_original_are_read(folder):
    """Context, pipeline, environment and predictor's configuration of two published campaigns."""
    from trimtab.inspection import Specification

    found = {each.name: each.read_text() for each in (FIXTURES / folder).iterdir()}
    Specification.parse(found["ac.json"].encode())
    question = MonkeyQuestion(
        found.get("Pipfile", PIPFILE),
        predictor="PackageCombinations",
        predictor_config=read_text_or_table(
            found.get("predictor_config.yaml", "package_combinations: [numpy]"), "config"
        ),
        pipeline=read_text_or_table(found["pipeline.yaml"], "pipeline") if "pipeline.yaml" in found else None,
        runtime_environment=read_text_or_table(found.get("environ.json") or found["env.yaml"], "environment"),
    )
    assert question.python == "3.6"
    assert set(question.vary) <= {"numpy", "six", "urllib3"}
    if "pipeline.yaml" in found:
        assert "absl-py" in question.held
        assert "numpy" not in question.held
        assert question.notes


@needs_fixtures
def test_a_report_of_the_original_is_read():
    report = read_report(
        FIXTURES / "tensorflow-inspection-2020-09-07" / "dependency_monkey_report.first2.json"
    )
    assert len(report.responses) == 2
    assert all(each.startswith("inspection-tf-dm-np-") for each in report.ids)
    assert report.responses[0].product["project"]["requirements_locked"]["default"]
