"""SIGKILL of `trimtab inspect` at a named point: `trimtab inspections resume` comes to the same end.

A real command line with the process engine; the point is a function of it, before or after one of its calls. Each run leaves
a mark of its own outside, so that what was really run can be counted.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

KILLED = Path(__file__).parent / "kill" / "trimtab_killed.py"
TRIMTAB = ("-c", "from trimtab.cli import main; main()")
BATCH = 2
SPECIFICATION = {
    "base": "registry.example/python:3.11",
    "batch_size": BATCH,
    "run": {"requests": {"cpu": "1", "memory": "256Mi"}, "timeout": 30},
    "script": '#!/bin/sh\necho "${THOTH_OUTPUT_PATH}"\n',
}
POINTS = [
    ("trimtab.workflows.journal:Journal.accept", "after", 1),
    ("trimtab.workflows.course:accept", "after", 1),
    ("trimtab.engines.process.engine:ProcessEngine.build", "before", 1),
    ("trimtab.engines.process.engine:ProcessEngine.build", "after", 1),
    ("trimtab.store.inspection_parts:InspectionBuildsStore.store_build", "after", 1),
    ("trimtab.engines.process.engine:ProcessEngine.run", "before", 1),
    ("trimtab.engines.process.engine:ProcessEngine.run", "after", 2),
    ("trimtab.store.inspection_parts:InspectionResultsStore.store_run", "before", 1),
    ("trimtab.store.inspection_parts:InspectionResultsStore.store_run", "after", 2),
    ("trimtab.workflows.running:record_run", "before", 2),
    ("trimtab.store.store:Store.put_once", "after", 3),
    ("trimtab.store.inspection:InspectionStore.conclude", "before", 1),
    ("trimtab.store.inspection:InspectionStore.conclude", "after", 1),
    ("trimtab.workflows.ending:record", "after", 1),
    ("trimtab.engines.process.engine:ProcessEngine.clean", "after", 1),
    ("trimtab.workflows.journal:Journal.remove", "before", 1),
]


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """One for all, with the rows of those before."""
    directory = tmp_path_factory.mktemp("killed")
    (directory / "spec.json").write_text(json.dumps(SPECIFICATION))
    return directory


@pytest.fixture
def run(home):
    shutil.rmtree(home / "home" / "work", ignore_errors=True)  # of a test that failed
    environment = {**os.environ, "TRIMTAB_HOME": str(home / "home")}

    def start(*command):
        return subprocess.run(
            [sys.executable, *command],
            env=environment,
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    return start


@pytest.mark.parametrize("point", POINTS, ids=lambda point: "-".join(map(str, point)))
def test_killed_at_any_point_it_comes_to_the_same_end(run, home, point):
    name, moment, nth = point
    done = run(str(KILLED), name, moment, str(nth), "inspect", "spec.json", "--engine", "process")
    assert done.returncode == -9, f"{point} was not reached: {done.stderr}"
    (work,) = (home / "home" / "work").glob("inspection-*")
    resumed = run(*TRIMTAB, "inspections", "resume", "--output", "json")
    assert resumed.returncode == 0, resumed.stderr
    report = json.loads(resumed.stdout)
    assert report["inspection_id"] == work.name
    assert report["state"] == "succeeded"
    counted = Counter(each["item"] for each in report["runs"] if each["state"] == "succeeded")
    assert counted == dict.fromkeys(range(BATCH), 1)
    lost = [each for each in report["runs"] if each["state"] == "lost"]
    assert len(lost) <= 1
    shown = json.loads(run(*TRIMTAB, "inspections", "show", work.name, "-o", "json").stdout)
    assert shown == report
    results = json.loads(run(*TRIMTAB, "inspections", "result", work.name).stdout)
    assert [each["exit_code"] for each in results] == [0] * BATCH
    assert not work.exists()
    again = run(*TRIMTAB, "inspections", "resume")
    assert (again.returncode, again.stdout) == (0, "")
