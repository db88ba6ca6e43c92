"""`trimtab inspect --server` against a real `trimtab serve`: to the end, cancelled in the middle, and with the server killed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
TRIMTAB = [sys.executable, "-c", "from trimtab.cli import main; main()"]
SPECIFICATION = {
    "base": "registry.example/python:3.11",
    "batch_size": 3,
    "run": {"requests": {"cpu": "1", "memory": "256Mi"}, "timeout": 60},
}


@pytest.fixture
def environment(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")}
    return {**kept, "TRIMTAB_HOME": str(tmp_path / "home"), "NO_COLOR": "1"}


@pytest.fixture
def serve(tmp_path, environment):
    """Starts servers, always at the same port, and ends them."""
    started = []

    def start(port=0, **settings):
        log = tmp_path / f"serve-{len(started)}.log"
        with log.open("w") as stream:
            process = subprocess.Popen(
                [*TRIMTAB, "serve", "--port", str(port)],
                env=environment | settings,
                stdout=stream,
                stderr=stream,
            )
        started.append(process)
        while not (found := re.search(r"running on http://\S+:(\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        process.port = int(found[1])
        return process

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(60)


@pytest.fixture
def make(tmp_path, environment):
    """Starts commands against a server, and ends them."""
    started = []

    def start(server, *arguments):
        process = subprocess.Popen(
            [*TRIMTAB, *arguments],
            env=environment | {"TRIMTAB_SERVER": f"http://127.0.0.1:{server.port}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        with process:  # its pipes are closed
            pass


@pytest.fixture
def specification(tmp_path):
    def write(script, **changes):
        path = tmp_path / "spec.json"
        path.write_text(json.dumps(SPECIFICATION | {"script": script} | changes))
        return str(path)

    return write


PROCESS = {"TRIMTAB_ENGINE": "process", "TRIMTAB_ALLOW_PROCESS_ENGINE": "true"}


def done(process):
    out, err = process.communicate(timeout=280)
    return process.returncode, out, err


def first_line(process, text):
    """Read what a command says up to a line with this text."""
    seen = []
    for line in process.stderr:
        seen.append(line)
        if text in line:
            return seen
    raise AssertionError(f"no {text!r} in {seen}")


def test_a_client_submits_follows_and_gets_the_report(serve, make, specification):
    server = serve(**PROCESS)
    code, out, err = done(make(server, "inspect", specification("#!/bin/sh\necho hello\n"), "-o", "json"))
    assert code == 0, err
    report = json.loads(out)
    assert (report["state"], [each["state"] for each in report["runs"]]) == ("succeeded", ["succeeded"] * 3)
    assert "registry.example/python:3.11 is not used" not in err
    lines = err.splitlines()
    assert [
        lines.index(each) for each in ("build is done", "run 1 of 3 is done", "run 3 of 3 is done")
    ] == sorted(lines.index(each) for each in ("build is done", "run 1 of 3 is done", "run 3 of 3 is done"))
    code, out, _ = done(make(server, "inspections", "retry", report["inspection_id"], "-o", "json"))
    assert (code, json.loads(out)["state"]) == (0, "succeeded")
    assert json.loads(out)["inspection_id"] != report["inspection_id"]


def test_an_inspection_is_cancelled_in_the_middle(serve, make, specification):
    server = serve(**PROCESS)
    following = make(server, "inspect", specification("#!/bin/sh\nexec sleep 1000\n"), "-o", "json")
    name = first_line(following, "run 1 of 3 is under way")[0].strip()
    code, out, err = done(make(server, "inspections", "cancel", name))
    assert (code, out) == (0, f"cancelled {name}\n"), err
    code, out, _ = done(following)
    assert (code, json.loads(out)["state"]) == (1, "cancelled")
    code, out, err = done(make(server, "inspections", "delete", "-y", name))
    assert (code, out) == (0, f"deleted {name}\n"), err


def test_a_server_that_is_killed_in_the_middle_comes_to_the_same_end(serve, make, specification):
    server = serve(**PROCESS)
    following = make(server, "inspect", specification("#!/bin/sh\nsleep 2\n"), "-o", "json")
    first_line(following, "run 2 of 3 is under way")
    server.send_signal(signal.SIGKILL)
    server.wait()
    serve(port=server.port, **PROCESS)
    code, out, err = done(following)
    assert code == 0, err
    report = json.loads(out)
    assert report["state"] == "succeeded"
    counted = [each["item"] for each in report["runs"] if each["state"] == "succeeded"]
    assert counted == [0, 1, 2]
    assert len([each for each in report["runs"] if each["state"] == "lost"]) <= 1
    assert "run 1 of 3 is done" not in err  # it was told before, and no client is told twice


def test_whoever_stops_watching_leaves_the_inspection_to_the_server(serve, make, specification):
    server = serve(**PROCESS)
    following = make(server, "inspect", specification("#!/bin/sh\nsleep 2\n"))
    name = first_line(following, "run 1 of 3 is under way")[0].strip()
    following.send_signal(signal.SIGINT)
    code, _, err = done(following)
    assert (code, f"trimtab inspections cancel {name}" in err) == (130, True)
    for _ in range(600):
        code, out, _ = done(make(server, "inspections", "show", name, "-o", "json"))
        if (state := json.loads(out)["state"]) not in {"queued", "building", "running"}:
            break
    assert state == "succeeded"


def test_without_leave_no_process_of_the_machine_runs_a_callers_script(serve, make, specification):
    """Neither is it chosen where there is no container engine."""
    server = serve(TRIMTAB_ENGINE="auto", PATH="/nowhere")
    code, _, err = done(make(server, "inspect", specification("#!/bin/sh\n")))
    assert code == 1
    assert "the engine process is not allowed here" in err


@pytest.fixture
def image():
    """An image to build upon, which podman has."""
    if os.getuid() != 0 or not shutil.which("podman"):
        pytest.skip("no root or no podman: there is no image to build upon (scripts/system-packages)")
    made = subprocess.run([ROOT / "scripts/test-image"], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"scripts/test-image made no image: {made.stderr.strip()[-500:]}")
    return "localhost/python:3.11"


def test_a_server_with_podman_builds_an_image_and_runs_it(serve, make, specification, image):
    server = serve(TRIMTAB_ENGINE="podman")
    script = "#!/usr/bin/env python3\nimport json, os\nprint(json.dumps({'user': os.getuid()}))\n"
    code, out, err = done(make(server, "inspect", specification(script, base=image), "-o", "json"))
    assert code == 0, err
    report = json.loads(out)
    assert (report["engine"]["name"], report["state"]) == ("podman", "succeeded")
    code, out, _ = done(make(server, "inspections", "result", report["inspection_id"], "--run", "2"))
    assert json.loads(out)["stdout"] == {"user": 1042}
    code, out, _ = done(make(server, "inspections", "log", report["inspection_id"]))
    assert "STEP" in out
    assert done(make(server, "inspections", "delete", "-y", report["inspection_id"]))[0] == 0


def test_a_server_stops_though_somebody_follows(serve, make, specification):
    server = serve(**PROCESS)
    following = make(server, "inspect", specification("#!/bin/sh\nexec sleep 1000\n"))
    first_line(following, "run 1 of 3 is under way")
    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0
    assert time.monotonic() - began < 9  # seconds: without being told, the stream would take all of its grace


def test_who_follows_reads_the_log_of_the_build_too(serve, make, specification):
    server = serve(**PROCESS)
    process = make(server, "inspect", specification("#!/bin/sh\necho hello\n"), "--follow", "-o", "json")
    seen = "".join(first_line(process, "build is done"))
    assert "registry.example/python:3.11 is not used" in seen
    code, out, _ = done(process)
    assert (code, json.loads(out)["state"]) == (0, "succeeded")


@pytest.fixture
def containers(tmp_path):
    """Whether containers or images of an inspection are there, by podman; the base that tests have is made."""
    if os.getuid() != 0 or not shutil.which("podman"):
        pytest.skip("no root or no podman (scripts/system-packages)")
    kept = dict(os.environ)
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():  # where control groups are of version 1
        kept.setdefault("CONTAINERS_CONF", str(ROOT / "scripts/containers.conf"))
    made = subprocess.run([ROOT / "scripts/test-image"], env=kept, capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"scripts/test-image made no image: {made.stderr.decode()[-300:]}")

    def find(name):
        command = ["podman", "ps", "--all", "--quiet", "--filter", f"label=trimtab.inspection={name}"]
        return subprocess.run(command, env=kept, capture_output=True, text=True, check=True).stdout.split()

    find.environment = kept
    return find


def test_a_server_that_is_stopped_leaves_no_container_and_the_next_one_goes_on(
    serve, make, specification, containers
):
    """SIGTERM while a run is under way in podman: it is nobody's fault, and made as if it had not been begun."""
    settings = {
        name: value for name, value in containers.environment.items() if name == "CONTAINERS_CONF"
    } | {"TRIMTAB_ENGINE": "podman"}
    server = serve(**settings)
    script = "#!/bin/sh\nsleep 8\n"
    path = specification(script, base="localhost/python:3.11", batch_size=2)
    following = make(server, "inspect", path, "-o", "json")
    name = first_line(following, "run 1 of 2 is under way")[0].strip()
    while not containers(name):
        time.sleep(0.1)
    server.send_signal(signal.SIGTERM)
    assert server.wait(120) == 0
    assert containers(name) == []
    serve(port=server.port, **settings)
    code, out, err = done(following)
    assert code == 0, err
    assert [(each["item"], each["state"]) for each in json.loads(out)["runs"]] == [
        (0, "succeeded"),
        (1, "succeeded"),
    ]
    assert containers(name) == []
