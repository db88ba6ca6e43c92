"""A campaign at a real server, which is killed in the middle: the next one goes on, and inspects nothing twice."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

SERVE = ("serve", "--port", "0", "--engine", "process", "--allow-process-engine")
STACKS = 4


@pytest.fixture
def serve(tmp_path, environment, engines):
    """Starts servers on one home, and ends them."""
    home, started = tmp_path / "home", []
    home.mkdir()
    (home / "engines").symlink_to(engines)

    def start():
        log = tmp_path / f"serve-{len(started)}.log"
        with log.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, "-c", "from trimtab.cli import main; main()", *SERVE],
                env={**environment, "TRIMTAB_HOME": str(home)},
                stdout=stream,
                stderr=stream,
            )
        started.append(process)
        while not (found := re.search(r"running on (http://\S+:\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        process.url = found[1]
        return process

    yield start
    for each in started:
        each.terminate()
    for each in started:
        each.wait(60)


@pytest.fixture
def trimtab(tmp_path, environment):
    """A command line elsewhere, which has nothing of the server but its address; what it prints."""

    def run(*arguments, code=0):
        done = subprocess.run(
            [sys.executable, "-c", "from trimtab.cli import main; main()", *map(str, arguments)],
            env={**environment, "TRIMTAB_HOME": str(tmp_path / "elsewhere")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


def ask(url, document=None):
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def wait_for(url, fulfilled):
    while not fulfilled(report := ask(url)["report"]):
        time.sleep(0.3)
    return report


def test_killed_in_the_middle_it_goes_on_with_the_next_server(serve, planted, trimtab, tmp_path):
    first = serve()
    asked = {
        "question": {"requirements": ["birch", "grove<1.2"], "plan": "random", "seed": 3},
        "context": {**planted.CONTEXT, "script": "#!/bin/sh\nsleep 0.5\n"},
        "budget": {"stacks": STACKS, "parallel": 2},
    }
    name = ask(f"{first.url}/api/v1/campaigns", asked)["campaign_id"]
    path = f"/api/v1/campaigns/{name}"
    wait_for(first.url + path, lambda report: report["counts"]["pass"] >= 1)
    first.send_signal(signal.SIGKILL)
    first.wait(60)
    second = serve()
    report = wait_for(second.url + path, lambda report: report["ended"] is not None)
    assert report["state"] == "finished"
    assert report["counts"]["pass"] == report["counts"]["inspections"] == STACKS
    listed = ask(f"{second.url}/api/v1/inspections")["inspections"]
    assert sorted(each["id"] for each in listed) == sorted(
        each["inspection"] for each in report["candidates"]
    )
    assert {each["state"] for each in listed} == {"succeeded"}
    there = ("--server", second.url)
    assert [each["id"] for each in json.loads(trimtab("campaigns", "list", *there, "-o", "json"))] == [name]
    shown = json.loads(trimtab("campaigns", "show", name, *there, "-o", "json"))
    assert shown == report
    trimtab("campaigns", "report", name, *there, "--directory", tmp_path / "report")
    answers = json.loads((tmp_path / "report" / "report.json").read_text())
    assert answers["passed"] == STACKS
    assert answers["pareto"][0]["metrics"] == ["size", "duration", "memory"]
    assert "--hash=sha256:" in (tmp_path / "report" / "requirements.txt").read_text()
    assert "is over" in trimtab("campaigns", "cancel", name, *there, code=1)
    trimtab("campaigns", "delete", name, *there)
    assert "no campaign" in trimtab("campaigns", "show", name, *there, code=1)
