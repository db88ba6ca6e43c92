"""What a killed `trimtab inspect` left of its engine is ended and removed when the next one starts."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

TRIMTAB = [sys.executable, "-c", "from trimtab.cli import main; main()"]
IMAGE = "localhost/python:3.11"


def specification(path, script, mark):
    document = {
        "base": IMAGE,
        "environment": [{"name": "FAULT_MARK", "value": mark}],
        "run": {"requests": {"cpu": "1", "memory": "256Mi"}, "timeout": 200},
        "script": script,
    }
    path.write_text(json.dumps(document))


def marked(mark):
    """Processes of the script."""
    needle, found = f"FAULT_MARK={mark}".encode(), set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if needle in (path / "environ").read_bytes():
                found.add(path.name)
        except OSError:
            continue
    return found


def until(condition, seconds=100.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("engine", ["process", "podman"])
def test_what_a_killed_command_left_is_gone_when_the_next_one_has_started(
    request, engine, variables, tmp_path
):
    if engine == "podman":
        request.getfixturevalue("image")
    mark = f"start-{engine}-{os.getpid()}"
    specification(tmp_path / "long.json", "#!/bin/sh\nexec sleep 600\n", mark)
    specification(tmp_path / "short.json", "#!/bin/sh\n", "other")
    options = {"cwd": tmp_path, "env": variables}
    first = subprocess.Popen(
        [*TRIMTAB, "inspect", "long.json", "--engine", engine],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **options,
    )
    try:
        until(lambda: marked(mark))
    finally:
        first.kill()
        first.wait()
    done = subprocess.run(
        [*TRIMTAB, "inspect", "short.json", "--engine", engine],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr
    assert "trimtab inspections resume" in done.stderr
    assert marked(mark) == set()
    assert list((tmp_path / "home" / "engines" / engine / "runs").glob("*")) == []
    resumed = subprocess.Popen(
        [*TRIMTAB, "inspections", "resume"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options
    )
    until(lambda: marked(mark))  # it goes on with what was left, and is interrupted in order
    resumed.terminate()
    resumed.communicate(timeout=100)
    assert marked(mark) == set()
