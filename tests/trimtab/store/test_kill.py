"""A writer is killed at any moment, by the signal that nobody can catch; readers see whole inspections or none."""

import random
import signal
import subprocess
import sys

import pytest

from trimtab.store import Inspections, NotFoundError, Store, check

# Writes inspections without end, each with a log that takes several requests, and says when the first one is begun.
WRITER = """
import sys
from trimtab.store import Inspections, Store
inspections = Inspections(Store.open(sys.argv[1]), "test")
print("begun", flush=True)
number = 0
while True:
    inspection = inspections[f"inspection-{sys.argv[2]}-{number}"]
    inspection.build.store_build((b"x" * (1 << 20) for _ in range(9)), "FROM scratch")
    for item in range(3):
        inspection.results.store_run(item, {"item": item}, hwinfo={}, log=b"log")
    inspection.conclude({"base": "scratch"}, {"state": "succeeded"})
    number += 1
"""


def assert_whole(inspection):
    assert inspection.retrieve_specification() == {"base": "scratch"}
    assert inspection.retrieve_report()["state"] == "succeeded"
    assert inspection.results.items() == [0, 1, 2]
    assert sum(map(len, inspection.build.stream_log())) == 9 << 20


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_readers_see_whole_inspections_or_none(store_url):
    random.seed(7)
    for turn in range(10):
        command = [sys.executable, "-c", WRITER, store_url, str(turn)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout.readline() == "begun\n"
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(random.uniform(0.05, 0.4))
            writer.kill()
            assert writer.wait() == -signal.SIGKILL
    inspections = Inspections(Store.open(store_url), "test")
    visible = list(inspections.iter_inspections())
    assert visible
    for each in visible:
        assert_whole(inspections[each])
    for each in set(inspections.begun()) - set(visible):
        with pytest.raises(NotFoundError):
            inspections[each].retrieve_specification()
    # At most one is left half-done by each writer, and that one is found.
    findings = list(check(inspections.store, "test"))
    assert {each.kind for each in findings} <= {"orphaned", "missing"}
    left = {each.key.split("/")[2] for each in findings}
    assert left == set(inspections.begun()) - set(visible)
    assert len(left) <= 10
