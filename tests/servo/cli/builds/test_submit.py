"""`servo builds submit`: one build of a job, each option, and what is asked for wrongly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOG = "STEP 1/1: RUN true\n"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "build.log"
    path.write_text(LOG)
    return str(path)


@pytest.fixture
def submit(servo, backend):
    """Submits to the backend."""

    def run(*args, **options):
        return servo("builds", "submit", "--backend", backend.url, *args, **options)

    return run


@pytest.fixture
def submitted(submit, backend):
    """Submits, and gives back what the backend was told."""

    def run(*args):
        result = submit(*args)
        assert (result.exit_code, result.stderr) == (0, "")
        return list(backend.taken.values())[-1]

    return run


def test_a_log_alone_is_a_build_of_which_nobody_said_how_it_ended(submitted, log):
    told = submitted("--log", log)
    assert told["build_log"]["log"] == LOG
    assert (told["base_image"], told["output_image"], told["missing"]) == (None, None, [])
    assert (told["build"]["name"], told["build"]["phase"], told["build"]["exit_code"]) == (
        "build",
        None,
        None,
    )


def test_all_of_a_build_is_told(submitted, log):
    told = submitted(
        "--log", log, "--base", "python:3.12", "--output", "registry.example/team/app:1", "--name", "app", "--exit-code", "0",
        "--label", "commit=4f2a", "--label", "url=a=b", "--namespace", "team",
    )  # fmt: skip
    assert (told["base_image"], told["output_image"]) == ("python:3.12", "registry.example/team/app:1")
    build = told["build"]
    assert (build["name"], build["namespace"], build["phase"]) == ("app", "team", "complete")
    assert build["labels"] == {"commit": "4f2a", "url": "a=b"}


@pytest.mark.parametrize(
    ("options", "phase", "code"),
    [
        (["--exit-code", "0"], "complete", 0),
        (["--exit-code", "137"], "failed", 137),
        (["--phase", "cancelled"], "cancelled", None),
        (["--phase", "timed_out", "--exit-code", "143"], "timed_out", 143),
    ],
)
def test_how_it_ended_is_the_phase_or_else_the_exit_code(submitted, options, phase, code):
    build = submitted("--base", "python:3.12", *options)["build"]
    assert (build["phase"], build["exit_code"]) == (phase, code)


def test_the_link_is_printed_and_nothing_else(submit, backend):
    assert submit("--base", "python:3.12").stdout == f"{backend.url}/api/v1/build-analysis/build-analysis-1\n"


def test_as_json_it_is_all_that_is_known(submit, backend):
    document = json.loads(submit("--base", "python:3.12", "--json").stdout)
    assert document["state"] == "submitted"
    assert document["link"] == f"{backend.url}/api/v1/build-analysis/build-analysis-1"
    assert document["answer"] == {"build_analysis": {"analysis_id": "build-analysis-1"}}
    assert document["identity"] == next(iter(backend.taken))


def test_the_same_identity_is_sent_once(submit, backend, log):
    for _ in range(3):
        assert submit("--log", log, "--identity", "job 42/ä").exit_code == 0
    assert len(backend.asked) == len(backend.taken) == 1


def test_without_one_each_is_a_build_of_its_own(submit, backend, log):
    for _ in range(2):
        submit("--log", log)
    assert len(backend.taken) == 2


def test_secrets_leave_neither_log_nor_labels(submit, backend, tmp_path, journal_text):
    (tmp_path / "log").write_text("Looking in indexes: https://me:hunter2@pypi.example/simple\n")
    submit("--log", str(tmp_path / "log"), "--label", "remote=https://me:hunter2@git.example/a")
    (told,) = backend.taken.values()
    assert "hunter2" not in json.dumps(told)
    assert told["build"]["labels"] == {"remote": "https://[redacted]@git.example/a"}
    assert "hunter2" not in journal_text()


@pytest.fixture
def journal_text(tmp_path):
    """Everything that the journal and its logs say."""

    def read():
        files = [each for each in (tmp_path / ".servo").rglob("*") if each.is_file()]
        assert files
        return "".join(each.read_bytes().decode("latin-1") for each in files)

    return read


def test_a_part_that_a_registry_refused_is_told_and_the_rest_is_taken(submit, backend):
    backend.answer = lambda _: (
        202,
        {"base_image_analysis": {"error": "no \x1b[31msuch tag", "parameters": {}}},
    )
    result = submit("--base", "python:0")
    assert result.exit_code == 0
    assert result.stderr == "Refused: base_image_analysis: no  [31msuch tag\n"


def test_what_is_refused_for_good_fails_and_stays_in_the_journal(submit, servo, backend):
    backend.answer = lambda _: (400, {"error": "invalid reference", "parameters": {}})
    result = submit("--base", "python:3.12", "--identity", "a")
    assert result.exit_code == 1
    assert "is not sent (tombstone): 400: invalid reference" in result.stderr
    (listed,) = json.loads(servo("builds", "list", "--output", "json").stdout)
    assert (listed["state"], listed["reason"]) == ("tombstone", "400: invalid reference")


def test_a_backend_that_is_away_is_tried_within_the_time_and_the_build_waits(servo, log):
    result = servo("builds", "submit", "--backend", "http://127.0.0.1:9", "--log", log, "--within", "300ms")
    assert result.exit_code == 1
    assert "is not sent (waiting): http://127.0.0.1:9 does not answer" in result.stderr
    (listed,) = json.loads(servo("builds", "list", "--output", "json").stdout)
    assert listed["state"] == "waiting"


def test_what_waited_is_sent_by_the_next_one_of_the_same_identity(servo, submit, backend, log, tmp_path):
    args = ("--log", log, "--identity", "a")
    servo("builds", "submit", "--backend", "http://127.0.0.1:9", *args, "--within", "200ms")
    Path(log).unlink()  # it is in the journal's directory by now
    Path(log).write_text("another\n")
    assert submit(*args).exit_code == 0
    assert [each["build_log"]["log"] for each in backend.taken.values()] == [LOG]


def test_what_passes_is_tried_again(submit, backend):
    left = [503, 429]
    backend.answer = lambda _: (left.pop(), {}) if left else (202, {"build_analysis": {"analysis_id": "b"}})
    assert submit("--base", "python:3.12", "--within", "30s").exit_code == 0
    assert len(backend.asked) == 3


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ((200, {"state": "succeeded"}), 0),
        ((200, {"state": "failed"}), 1),
        ((404, {"error": "unknown"}), 1),
    ],
)
def test_waiting_for_the_analysis_makes_its_failure_ours(submit, backend, result, code):
    backend.result = result
    done = submit("--base", "python:3.12", "--wait", "--json")
    assert done.exit_code == code
    assert json.loads(done.stdout).get("result") == (result[1] if result[0] == 200 else None)
    assert backend.asked[-1][:2] == ("GET", "/api/v1/build-analysis/build-analysis-1")


def test_an_analysis_that_does_not_end_is_waited_for_no_longer_than_told(submit, backend):
    backend.result = (202, {"state": "running"})
    assert submit("--base", "python:3.12", "--wait", "--within", "100ms").exit_code == 1


def test_variables_and_the_file_say_where(servo, backend, monkeypatch, tmp_path):
    monkeypatch.setenv("THOTH_USER_API_HOST", backend.url)
    monkeypatch.setenv("THOTH_WATCHED_NAMESPACE", "team")
    monkeypatch.setenv("SERVO_BUILDS_JOURNAL", str(tmp_path / "elsewhere.sqlite"))
    monkeypatch.setenv("TRIMTAB_TOKEN", "a-token")
    assert servo("builds", "submit", "--base", "python:3.12").exit_code == 0
    (told,) = backend.taken.values()
    assert told["build"]["namespace"] == "team"
    assert (tmp_path / "elsewhere.sqlite").exists()
    assert backend.asked[0][2]["authorization"] == "Bearer a-token"


WRONG = {
    "nothing": ([], "nothing to send: give --log, --base or --output"),
    "a log that is not there": (["--log", "none.log"], "--log none.log: No such file or directory; name a file, or - for"),
    "a directory": (["--log", "."], "--log .: Is a directory; name a file"),
    "a label without a value": (["--base", "a", "--label", "commit"], "--label 'commit' is not of the form KEY=VALUE"),
    "a label without a key": (["--base", "a", "--label", "=x"], "--label '=x' is not of the form KEY=VALUE"),
    "a base that is no reference": (["--base", "A b;$(id)"], "--base: no reference of an image"),
    "an output that is no reference": (["--output", "-x"], "--output: no reference of an image"),
    "a phase that there is not": (["--base", "a", "--phase", "exploded"], "'exploded' is not one of complete, failed"),
    "an exit code that is no number": (["--base", "a", "--exit-code", "x"], "Invalid value for '--exit-code'"),
    "a time that is none": (["--base", "a", "--within", "soon"], "Invalid duration 'soon'"),
}  # fmt: skip


@pytest.mark.parametrize(("args", "message"), WRONG.values(), ids=WRONG)
def test_what_is_asked_for_wrongly_is_told_before_a_backend_is_asked_for(servo, args, message, tmp_path):
    """Also where none is configured: what is wrong here is wrong everywhere."""
    result = servo("builds", "submit", *args)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / ".servo").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_log_that_may_not_be_read_is_told(servo, log):
    Path(log).chmod(0)
    result = servo("builds", "submit", "--log", log)
    assert (result.exit_code, "Permission denied" in result.stderr) == (2, True)


def test_no_backend_is_told_with_the_remedy(servo, log):
    result = servo("builds", "submit", "--log", log)
    assert result.exit_code == 2
    assert "no backend: give --backend (THOTH_USER_API_HOST)" in result.stderr


def test_a_journal_that_cannot_be_used_is_told(submit, log, tmp_path):
    (tmp_path / "text").write_text("no journal" * 1000)
    result = submit("--log", log, "--journal", str(tmp_path / "text"))
    assert result.exit_code == 1
    assert "servo builds recover" in result.stderr


def test_a_log_comes_by_standard_input_too(backend, tmp_path):
    command = [
        Path(sys.executable).with_name("servo"),
        "builds",
        "submit",
        "--backend",
        backend.url,
        "--log",
        "-",
    ]
    done = subprocess.run(
        command, input="of a pipe\n", capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    (told,) = backend.taken.values()
    assert told["build_log"]["log"] == "of a pipe\n"
