"""`trimtab tune` over stacks: versions and resources are settings, a real server inspects, and a planted version is the best."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

TRIMTAB = Path(sys.executable).with_name("trimtab")
UV = Path(sys.executable).with_name("uv")
SECONDS = {"1.0": 0.4, "1.1": 0.3, "1.2": 0.05, "1.3": 0.35, "1.4": 0.45}
BEST = "1.2"
SCRIPT = """\
#!/usr/bin/env python3
import json, time
import engine, glue
began = time.perf_counter()
time.sleep(engine.SECONDS)
print(json.dumps({"@result": {"elapsed": time.perf_counter() - began}}))
"""
YAML = """\
inspection:
  url: http://127.0.0.1:{port}
  context:
    base: registry.example/python:3.11
    identifier: planted
    script: {script}
  packages:
    engine: {{versions: ["1.0", "1.1", "1.2", "1.3", "1.4"], default: "1.3"}}
    glue: {{versions: ["1.0", "2.0"], default: "2.0"}}
  resources:
    memory: {{min: 0.25, max: 0.5, step: 0.25, default: 0.5}}
  runs: 2
  figures:
    elapsed: {{key: "@result.elapsed"}}
  uv: {uv}
"""


@pytest.fixture
def index(tmp_path):
    """Versions of which one is fast, one fails at import, and a pair does not go together."""
    path = Path(__file__).parents[2] / "trimtab" / "stacks" / "local_index.py"
    spec = importlib.util.spec_from_file_location("local_index", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("local_index", module)
    spec.loader.exec_module(module)
    made = module.LocalIndex(tmp_path / "index")
    for version, seconds in SECONDS.items():
        broken = "raise ImportError('this version is broken')\n" if version == "1.4" else ""
        made.wheel("engine", version, code=f"SECONDS = {seconds}\n{broken}")
    made.wheel("glue", "1.0", ["engine<1.1"])
    made.wheel("glue", "2.0")
    server = module.Server(made)
    yield server
    server.close()


@pytest.fixture
def environment(tmp_path, index):
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRIMTAB_", "UV_", "PIP_"))
    }
    own = {"PIP_CONFIG_FILE": "/dev/null", "UV_DEFAULT_INDEX": index.url, "NO_COLOR": "1"}
    return {**kept, **own, "UV_NO_CONFIG": "1"}


@pytest.fixture
def port(tmp_path, environment):
    """A server that inspects with the process engine."""
    log = tmp_path / "serve.log"
    settings = {"TRIMTAB_HOME": str(tmp_path / "server"), "TRIMTAB_ALLOW_PROCESS_ENGINE": "true"}
    with log.open("w") as stream:
        process = subprocess.Popen(
            [TRIMTAB, "serve", "--port", "0", "--engine", "process"],
            env=environment | settings,
            stdout=stream,
            stderr=stream,
        )
    while not (found := re.search(r"running on http://\S+:(\d+)", log.read_text())):
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    yield int(found[1])
    process.terminate()
    process.wait(60)


def test_the_planted_best_version_is_found(tmp_path, environment, port):
    config = tmp_path / "servo.yaml"
    config.write_text(YAML.format(port=port, script=json.dumps(SCRIPT), uv=UV))
    arguments = [
        "tune",
        config,
        "--objective",
        "minimize elapsed",
        "--trials",
        "20",
        "--seed",
        "1",
        "--output",
        "json",
    ]
    report = tmp_path / "report"
    done = subprocess.run(
        [TRIMTAB, *map(str, arguments), "--report", str(report)],
        env={**environment, "TRIMTAB_HOME": str(tmp_path / "tuner")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(done.stdout)
    trials = json.loads((report / "report.json").read_text())["trials"]
    statuses = {
        (each["point"]["engine.version"], each["point"]["glue.version"]): each["status"] for each in trials
    }
    assert found["verdict"] == "improved", statuses
    assert found["settings"]["engine.version"] == BEST
    for (engine, glue), status in statuses.items():
        if glue == "1.0" and engine != "1.0":
            assert status == "rejected", "uv says that they do not go together"
        elif engine == "1.4":
            assert status == "failed", "its inspection failed"
