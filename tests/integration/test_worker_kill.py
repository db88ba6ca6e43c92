"""SIGKILL of a worker at a named point: another process comes to the same end, also on another machine."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from trimtab.catalog import Database, inspections, submissions
from trimtab.catalog.rebuild import documents_of
from trimtab.inspection import Specification
from trimtab.store import Inspections, Store
from trimtab.workflows import Submission

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

ZYGOTE = Path(__file__).parent / "kill" / "worker_zygote.py"
BATCH = 2
SPECIFICATION = {
    "base": "registry.example/python:3.11",
    "batch_size": BATCH,
    "run": {"requests": {"cpu": "1", "memory": "256Mi"}, "timeout": 30},
    "script": "#!/bin/sh\nsleep 0.5\n",
}
ENGINE = "trimtab.engines.process.engine:ProcessEngine"
PARTS = "trimtab.store.inspection_parts"
WORKFLOWS = "trimtab.workflows"
POINTS = [
    (f"{WORKFLOWS}.inspecting:accept", "after", 1),  # accepted, and in no queue
    (f"{WORKFLOWS}.queue:Queue.put", "after", 1),  # both, and not committed
    (f"{WORKFLOWS}.inspecting:Inspecting._submit", "after", 1),  # queued
    (f"{WORKFLOWS}.making:Making.make", "before", 1),  # taken
    (f"{WORKFLOWS}.journal:Journal.enqueue", "after", 1),
    (f"{WORKFLOWS}.journal:Journal.accept", "after", 1),
    (f"{WORKFLOWS}.building:advance", "after", 1),
    (f"{WORKFLOWS}.building:write_context", "after", 1),
    (f"{ENGINE}.build", "before", 1),
    (f"{ENGINE}.build", "after", 1),
    (f"{PARTS}:InspectionBuildsStore.store_build", "before", 1),
    (f"{PARTS}:InspectionBuildsStore.store_build", "after", 1),
    (f"{WORKFLOWS}.running:_begin", "before", 1),
    (f"{WORKFLOWS}.running:_begin", "after", 2),  # a row, and no note
    (f"{ENGINE}.run", "before", 1),
    (f"{ENGINE}.run", "during", 1),
    (f"{ENGINE}.run", "after", 1),
    (f"{ENGINE}.run", "during", 2),
    (f"{PARTS}:InspectionResultsStore.store_run", "before", 1),
    (f"{PARTS}:InspectionResultsStore.store_run", "after", 2),
    (f"{WORKFLOWS}.running:record_run", "before", 2),  # stored, and its row says that it runs
    (f"{WORKFLOWS}.running:record_run", "after", 4),
    ("trimtab.store.store:Store.put_once", "after", 3),  # a report, and no specification
    ("trimtab.store.inspection:InspectionStore.conclude", "before", 1),
    ("trimtab.store.inspection:InspectionStore.conclude", "after", 1),
    (f"{WORKFLOWS}.ending:record", "before", 1),
    (f"{WORKFLOWS}.ending:record", "after", 1),
    (f"{ENGINE}.clean", "after", 1),
    (f"{WORKFLOWS}.journal:Journal.remove", "before", 1),
    (f"{WORKFLOWS}.making:Making._done", "before", 1),
    (f"{WORKFLOWS}.making:Making.make", "after", 1),  # done, and still taken
]


class Zygote:
    """Forks workers."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, ZYGOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def work(self, task):
        """How a worker ended."""
        self.start(task)
        return self.ended()

    def start(self, task):
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()

    def ended(self):
        return int(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def zygote():
    started = Zygote()
    yield started
    started.close()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """A home for all, with the rows of those before."""
    home = tmp_path_factory.mktemp("killed")
    return task_of(f"sqlite:///{home}/trimtab.sqlite", home, home)


@pytest.fixture
def shared(tmp_path_factory, new_postgresql):
    """A database and a store that two machines share, each with a home of its own."""
    directory = tmp_path_factory.mktemp("shared")
    return task_of(new_postgresql(), directory, directory / "first")


def task_of(database, directory, home):
    return {
        "database": database,
        "store": f"{directory}/store",
        "home": str(home),
        "log": f"{directory}/{secrets.token_hex(8)}",
    }


def submission(**changes):
    specification = Specification.parse(json.dumps(SPECIFICATION | changes))
    return Submission.of(specification, "process", deployment="test")


def check(task, asked):
    """It is over, once; what is stored and what the catalog has of it is the same."""
    database = Database(task["database"])
    stored = Inspections(Store.open(task["store"]), "test")[asked.id]
    report = stored.retrieve_report()
    with database.read() as connection:
        row = inspections.by_id(connection, asked.id)
        runs = inspections.runs_of(connection, asked.id)
        assert submissions.by_id(connection, asked.id) is None
    database.close()
    assert report["state"] == row["state"] == "succeeded"
    shown = [(each["item"], each["attempt"], each["state"]) for each in report["runs"]]
    assert shown == [(each["item"], each["attempt"], each["state"]) for each in runs]
    counted = Counter(item for item, _, state in shown if state == "succeeded")
    assert counted == dict.fromkeys(range(BATCH), 1)
    assert [each.item for each in documents_of(stored).runs if each.result] == list(range(BATCH))
    assert not (Path(task["home"]) / "work" / asked.id).exists()
    lost = [each for each in shown if each[2] == "lost"]
    made = Path(task["log"]).read_text().splitlines().count
    assert made(f"{asked.id} 0") + made(f"{asked.id} 1") <= BATCH + len(lost)
    return lost


def is_lost(point):
    """Whether a run was begun at this point, and its end not noted."""
    return point[0].endswith(".run") or (point[0].endswith(":_begin") and point[1] == "after")


def name(point):
    return f"{point[0].rpartition(':')[2]}-{point[1]}-{point[2]}"


@pytest.mark.parametrize("point", POINTS, ids=name)
def test_killed_at_any_point_another_process_comes_to_the_same_end(zygote, embedded, point):
    asked = submission()
    task = embedded | {"submissions": [asked.document()]}
    assert zygote.work(task | {"point": point}) == -9, f"{point} was not reached"
    assert zygote.work(task) == 0
    lost = check(task, asked)
    assert len(lost) == is_lost(point)


ELSEWHERE = [
    (f"{WORKFLOWS}.making:Making.make", "before", 1),
    (f"{ENGINE}.build", "after", 1),
    (f"{WORKFLOWS}.running:_begin", "after", 2),
    (f"{ENGINE}.run", "during", 2),
    (f"{PARTS}:InspectionResultsStore.store_run", "before", 1),  # only the dead machine knows how it went
    (f"{WORKFLOWS}.running:record_run", "before", 2),
    (f"{WORKFLOWS}.running:record_run", "after", 4),
    ("trimtab.store.store:Store.put_once", "after", 3),
    (f"{WORKFLOWS}.ending:record", "after", 1),
]


@pytest.mark.parametrize("point", ELSEWHERE, ids=name)
def test_another_machine_takes_over_and_makes_only_what_is_not_stored(zygote, shared, point):
    """The journal of the first is not there: database and store are."""
    asked = submission()
    task = shared | {"submissions": [asked.document()]}
    assert zygote.work(task | {"point": point}) == -9, f"{point} was not reached"
    other = task | {"home": f"{Path(shared['home']).parent}/second"}
    assert zygote.work(other) == 0
    assert len(check(other, asked)) == (is_lost(point) or point[0].endswith("store_run"))


@pytest.mark.parametrize("everywhere", [None, 1])
def test_two_at_once_make_each_once(embedded, everywhere):
    """With a limit for all together, no two inspections are under way at the same time, wherever."""
    asked = [submission(script="#!/bin/sh\nexit 0\n") for _ in range(6)]
    task = embedded | {"submissions": [each.document() for each in asked]}
    task["options"] = {"everywhere": everywhere, "builds": 2, "runs": 2}
    two = [Zygote(), Zygote()]
    for each in two:
        each.start(task)
    assert [each.ended() for each in two] == [0, 0]
    for each in two:
        each.close()
    assert [check(task, each) for each in asked] == [[]] * len(asked)
    if everywhere == 1:
        spans = sorted(spans_of(task, asked))
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def spans_of(task, asked):
    """From the first run to the last of each."""
    for each in asked:
        report = Inspections(Store.open(task["store"]), "test")[each.id].retrieve_report()
        yield report["runs"][0]["started"], report["runs"][-1]["ended"]


def test_who_was_cut_off_leaves_it_to_whoever_took_over(zygote, shared):
    """It stands still, its sessions end, another takes its work over and concludes it; then it goes on."""
    asked = submission(script="#!/bin/sh\nsleep 3\n")
    task = shared | {"submissions": [asked.document()]}
    cut = Zygote()
    cut.start(task)
    while not (begun := Path(task["log"])).exists() or not begun.read_text():
        time.sleep(0.05)
    pid = int(Path(f"{task['log']}.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        end_sessions(task["database"])
        other = task | {"home": f"{Path(shared['home']).parent}/second"}
        assert zygote.work(other) == 0
    finally:
        os.kill(pid, signal.SIGCONT)
    assert cut.ended() == 0
    cut.close()
    assert check(other, asked) == [(0, 1, "lost")]


def end_sessions(url):
    database = Database(url)
    with database.write() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    database.close()
