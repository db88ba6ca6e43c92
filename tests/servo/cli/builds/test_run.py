"""`servo builds run`: the builder's output and exit code are its own, and whatever ends it, the build is sent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

SERVO = Path(sys.executable).with_name("servo")


@pytest.fixture
def run(servo, backend):
    def call(*args, options=()):
        return servo("builds", "run", "--backend", backend.url, *options, "--", *args)

    return call


def sent(backend):
    (told,) = backend.taken.values()
    return told


@pytest.mark.parametrize(("code", "phase"), [(0, "complete"), (3, "failed")])
def test_output_and_exit_code_are_the_builders(run, backend, code, phase):
    result = run("sh", "-c", f"echo out; echo err >&2; exit {code}")
    assert (result.exit_code, result.stdout) == (code, "out\n")
    assert result.stderr.startswith("err\nservo builds: sent: http://127.0.0.1")
    told = sent(backend)
    assert sorted(told["build_log"]["log"].splitlines()) == ["err", "out"]
    build = told["build"]
    assert (build["phase"], build["exit_code"], build["labels"]) == (phase, code, {"builder": "sh"})
    assert build["started_at"] <= build["finished_at"]


def test_it_is_called_as_told_or_by_its_tag_or_by_the_directory(run, backend, tmp_path):
    run("true", options=("--name", "app", "--namespace", "team"))
    run("true", "-t", "localhost/app:1")
    run("true", "--tag=localhost/app:2")
    run("true")
    builds = [each["build"] for each in backend.taken.values()]
    assert [each["name"] for each in builds] == ["app", "localhost/app:1", "localhost/app:2", tmp_path.name]
    assert builds[0]["namespace"] == "team"


def test_no_shell_sees_its_arguments(run, tmp_path):
    result = run("printf", "%s|", "a b", "$(touch pwned)", "'\"", "*")
    assert result.stdout == "a b|$(touch pwned)|'\"|*|"
    assert not (tmp_path / "pwned").exists()


def test_its_own_options_are_not_ours(run, backend):
    assert run("echo", "--name", "x", "--help").stdout == "--name x --help\n"


def test_secrets_are_on_the_terminal_as_ever_and_not_in_what_is_sent(run, backend):
    result = run("echo", "https://me:hunter2@pypi.example")
    assert "hunter2" in result.stdout
    assert sent(backend)["build_log"]["log"] == "https://[redacted]@pypi.example\n"


def test_a_builder_that_is_not_there_is_a_build_that_failed(run, backend):
    result = run("/nowhere/podman", "push")
    assert result.exit_code == 127
    assert "/nowhere/podman cannot be run: No such file or directory" in result.stderr
    assert sent(backend)["build"]["phase"] == "error"


def test_one_that_takes_too_long_is_ended(run, backend):
    result = run("sh", "-c", "echo begun; exec sleep 100", options=("--timeout", "500ms"))
    assert result.exit_code == 128 + signal.SIGTERM
    assert (sent(backend)["build"]["phase"], sent(backend)["build_log"]["log"]) == ("timed_out", "begun\n")


def test_one_that_does_not_want_to_end_is_killed(run, backend, monkeypatch):
    monkeypatch.setattr("servo.connectors.builds.running._GRACE", 0.1)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(100)"
    result = run(sys.executable, "-c", stubborn, options=("--timeout", "1s"))
    assert result.exit_code == 128 + signal.SIGKILL
    assert sent(backend)["build"]["phase"] == "timed_out"


def test_a_long_log_is_its_beginning_and_its_end(run, backend, config):
    config(f"builds: {{backend: {{url: '{backend.url}'}}, log: {{limit: 1024}}}}")
    run("sh", "-c", "echo first; seq 10000; echo last")
    log = sent(backend)["build_log"]["log"]
    assert log.startswith("first\n1\n")
    assert log.endswith("\n10000\nlast\n")
    assert "bytes left out by the agent]" in log
    assert len(log) < 1200


def test_a_backend_that_is_away_changes_nothing_for_the_builder(servo, monkeypatch):
    monkeypatch.setattr("servo.connectors.builds.running._WITHIN", 0.2)
    result = servo("builds", "run", "--backend", "http://127.0.0.1:9", "--", "sh", "-c", "echo built; exit 3")
    assert (result.exit_code, result.stdout) == (3, "built\n")
    assert "the build waits in the journal: http://127.0.0.1:9 does not answer" in result.stderr
    (listed,) = json.loads(servo("builds", "list", "--output", "json").stdout)
    assert (listed["state"], listed["phase"]) == ("waiting", "failed")


@pytest.mark.parametrize("broken", ["no journal" * 1000, None])
def test_a_journal_that_cannot_be_used_changes_nothing_either(servo, backend, tmp_path, broken):
    path = tmp_path / "journal"
    if broken:
        path.write_text(broken)
    else:
        path.mkdir()
    result = servo(
        "builds",
        "run",
        "--backend",
        backend.url,
        "--journal",
        str(path),
        "--",
        "sh",
        "-c",
        "echo built; exit 3",
    )
    assert (result.exit_code, result.stdout) == (3, "built\n")
    assert "the build is not recorded: " in result.stderr
    assert backend.taken == {}


@pytest.mark.parametrize("args", [["--timeout", "soon", "--", "true"], ["--"], []])
def test_what_is_asked_for_wrongly_runs_nothing(servo, backend, args):
    assert servo("builds", "run", "--backend", backend.url, *args).exit_code == 2
    assert backend.asked == []


@pytest.fixture
def begun(backend, tmp_path):
    """Starts the command in a process of its own; it is given back when the builder has said something."""
    started = []

    def start(script, url=None):
        command = [
            SERVO,
            "builds",
            "run",
            "--backend",
            url or backend.url,
            "--name",
            "app",
            "--",
            sys.executable,
            "-c",
            script,
        ]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        )
        started.append(process)
        assert process.stdout.readline() == "begun\n"
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


BUILDER = "import os, time; print('begun', flush=True); open('pid', 'w').write(str(os.getpid())); {}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_the_builders_and_the_build_is_cancelled(begun, backend, number):
    process = begun(BUILDER.format("time.sleep(100)"))
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 128 + number or (number == signal.SIGINT and process.returncode == 1)
    assert sent(backend)["build"]["phase"] == "cancelled"


def test_a_builder_that_ignores_signals_is_killed_by_the_third(begun, backend):
    process = begun(
        BUILDER.replace(
            "print", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print"
        ).format("time.sleep(100)")
    )
    for _ in range(3):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGKILL
    assert sent(backend)["build"]["phase"] == "cancelled"


def until(condition, seconds=50):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.02)


def is_gone(pid):
    """Whether a process has ended; a zombie has."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


@contextmanager
def watching(backend, directory):
    """An agent that looks after the journal while the block runs."""
    command = [SERVO, "builds", "watch", "--backend", backend.url, "--source", f"pipe:{directory}/pipe"]
    log = directory / "agent.log"
    with log.open("wb") as file, subprocess.Popen(command, cwd=directory, stderr=file) as process:
        try:
            until(lambda: "watches pipe" in log.read_text())
            yield
        finally:
            process.terminate()


@pytest.mark.integration
def test_if_it_is_killed_the_next_agent_sends_what_there_was(begun, backend, tmp_path):
    """The wrapper, not the builder: nobody is left who could say how that ended."""
    process = begun(BUILDER.format("time.sleep(1)\nwhile True: print('x' * 1000, flush=True)"))
    until(lambda: [each for each in tmp_path.glob(".servo/*.logs/*.log") if each.read_text() == "begun\n"])
    process.kill()
    process.communicate()
    until(lambda: is_gone((tmp_path / "pid").read_text()))  # nobody reads what it says
    with watching(backend, tmp_path):
        until(lambda: backend.taken)
    told = sent(backend)
    assert (told["build"]["name"], told["build"]["phase"], told["build"]["exit_code"]) == (
        "app",
        "error",
        None,
    )
    assert told["build_log"]["log"].startswith("begun\n")
    assert told["build"]["finished_at"] >= told["build"]["started_at"]


@pytest.mark.integration
def test_an_agent_leaves_alone_what_runs_and_sends_what_is_over(begun, backend, servo, tmp_path):
    process = begun(BUILDER.format("\nwhile not os.path.exists('go'): time.sleep(0.02)"))
    with watching(backend, tmp_path):
        (listed,) = json.loads(servo("builds", "list", "--output", "json").stdout)
        assert (listed["state"], backend.taken) == ("running", {})
        (tmp_path / "go").touch()
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "servo builds: sent: http" in said
    assert sent(backend)["build"]["phase"] == "complete"


@pytest.mark.integration
def test_what_is_submitted_beside_an_agent_is_sent_by_it_without_delay(servo, backend, tmp_path):
    with watching(backend, tmp_path):
        began = time.monotonic()
        result = servo(
            "builds", "submit", "--backend", backend.url, "--base", "python:3.12", "--within", "30s"
        )
        assert (result.exit_code, time.monotonic() - began < 20) == (0, True)
    assert len(backend.asked) == 1
