"""`trimtab monkey` against a real `trimtab serve`, and its service form with the server killed in the middle."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

TRIMTAB = Path(sys.executable).with_name("trimtab")
PIPFILE = '[packages]\nweb = "*"\ndb = "*"\n[requires]\npython_version = "3.11"\n'
CONTEXT = {
    "base": "registry.example/python:3.11",
    "identifier": "zoo",
    "script": "#!/usr/bin/env python3\nimport web, db\nprint(web.__version__, db.__version__)\n",
}
PATH = "/api/v1/dependency-monkey/python"


@pytest.fixture
def index(tmp_path):
    path = Path(__file__).parents[1] / "trimtab" / "stacks" / "local_index.py"
    spec = importlib.util.spec_from_file_location("local_index", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("local_index", module)
    spec.loader.exec_module(module)
    server = module.Server(module.shop(tmp_path / "index"))
    yield server
    server.close()


@pytest.fixture
def environment(tmp_path, index):
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRIMTAB_", "UV_", "PIP_"))
    }
    own = {
        "PIP_CONFIG_FILE": "/dev/null",
        "UV_DEFAULT_INDEX": index.url,
        "UV_NO_CONFIG": "1",
        "NO_COLOR": "1",
    }
    home = {"TRIMTAB_HOME": str(tmp_path / "home"), "TRIMTAB_ALLOW_PROCESS_ENGINE": "true"}
    return {**kept, **own, **home}


@pytest.fixture
def serve(tmp_path, environment):
    """Starts servers over the same state, and ends them."""
    started = []

    def start():
        log = tmp_path / f"serve-{len(started)}.log"
        with log.open("w") as stream:
            arguments = [TRIMTAB, "serve", "--port", "0", "--engine", "process"]
            process = subprocess.Popen(arguments, env=environment, stdout=stream, stderr=stream)
        started.append(process)
        while not (found := re.search(r"running on http://\S+:(\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        process.url = f"http://127.0.0.1:{found[1]}"
        return process

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(60)


def ask(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, json.loads(answer.read())


def until(condition, seconds=200):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def states(url):
    return {each["id"]: each["state"] for each in ask(f"{url}/api/v1/inspections")[1]["inspections"]}


def test_each_stack_is_inspected_by_the_server(tmp_path, environment, serve):
    server = serve()
    (tmp_path / "Pipfile").write_text(PIPFILE)
    (tmp_path / "ac.json").write_text(json.dumps(CONTEXT))
    arguments = [
        "monkey",
        "-r",
        "Pipfile",
        "--context",
        "ac.json",
        "-o",
        f"{server.url}/api/v1",
        "-R",
        "report.json",
    ]
    done = subprocess.run(
        [TRIMTAB, *arguments, "--count", "3", "--decision-type", "random", "--seed", "7"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())["result"]["report"]
    ids = {each["response"] for each in report["responses"]}
    assert len(ids) == 3
    until(lambda: set(states(server.url).values()) == {"succeeded"})
    assert set(states(server.url)) == ids


def test_a_server_that_is_killed_in_the_middle_inspects_each_stack_once(serve):
    first = serve()
    body = {"requirements": {"packages": {"web": "*", "db": "*"}}, "context": CONTEXT}
    status, answer = ask(f"{first.url}{PATH}?count=8&decision=random&seed=3", body)
    assert status == 202
    run = answer["analysis_id"]
    until(lambda: len(states(first.url)) >= 2)
    first.send_signal(signal.SIGKILL)
    first.wait(30)
    second = serve()
    _, report = until(lambda: (found := ask(f"{second.url}{PATH}/{run}/report"))[0] == 200 and found)
    ids = [each["response"] for each in report["result"]["report"]["responses"]]
    assert len(set(ids)) == 8
    until(lambda: set(states(second.url).values()) == {"succeeded"})
    assert set(states(second.url)) == set(ids), "no stack is inspected twice, and none is missing"
