"""SIGKILL of `trimtab campaigns run` at a named point: `trimtab campaigns resume` comes to the same end, and inspects nothing twice."""

import json

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

POINTS = [
    ("trimtab.store.campaigns:CampaignsStore.put", "after", 1),
    ("trimtab.workflows.campaigns.course:CampaignCourse._begin", "before", 1),
    ("trimtab.workflows.campaigns.course:ground_of", "after", 1),
    ("trimtab.stacks.candidates:settle", "before", 2),
    ("trimtab.workflows.campaigns.memory:Proposals._write", "before", 2),
    ("trimtab.workflows.campaigns.memory:Proposals._write", "after", 3),
    ("trimtab.workflows.campaigns.trying:Trying._note", "after", 1),
    ("trimtab.engines.process.engine:ProcessEngine.build", "after", 2),
    ("trimtab.engines.process.engine:ProcessEngine.run", "before", 3),
    ("trimtab.engines.process.engine:ProcessEngine.run", "after", 1),
    ("trimtab.store.inspection:InspectionStore.conclude", "after", 2),
    ("trimtab.workflows.ending:record", "before", 4),
    ("trimtab.workflows.journal:Journal.remove", "before", 2),
    ("trimtab.workflows.campaigns.trying:Trying._note", "before", 4),
    ("trimtab.workflows.campaigns.ending:report_of", "after", 1),
    ("trimtab.store.campaigns:CampaignsStore.conclude", "after", 1),
    ("trimtab.workflows.campaigns.ending:Ending._end", "after", 1),
]
POSTGRESQL = [
    ("trimtab.workflows.campaigns.memory:Proposals._write", "after", 3),
    ("trimtab.workflows.campaigns.trying:Trying._note", "before", 4),
    ("trimtab.store.campaigns:CampaignsStore.conclude", "after", 1),
]
STACKS, PARALLEL = 4, 2


@pytest.fixture(scope="session")
def expected():
    """The candidates of the campaign that was not killed; it is made once."""
    return {}


def run_of(files):
    requirements, context = files("birch\ngrove<1.2\n", script="#!/bin/sh\necho hello\n")
    return (
        *("campaigns", "run", requirements, "--context", context, "--engine", "process", "--seed", 3),
        *("--plan", "random", "--stacks", STACKS, "--parallel", PARALLEL, "--output", "json"),
    )


@pytest.mark.parametrize("point", POINTS, ids=lambda point: "-".join(map(str, point)))
def test_killed_at_any_point_it_comes_to_the_same_end(trimtab, files, expected, point):
    check(trimtab, files, expected, point)


@pytest.mark.parametrize("point", POSTGRESQL, ids=lambda point: "-".join(map(str, point)))
def test_the_same_on_postgresql(trimtab, files, expected, point, new_postgresql):
    trimtab.environment["TRIMTAB_DATABASE_URL"] = new_postgresql()
    check(trimtab, files, expected, point)


def check(trimtab, files, expected, point):
    """Kill it there, and hold what it comes to against the campaign that was not killed."""
    name, _, _ = point
    done = trimtab(*run_of(files), point=point)
    assert done.returncode == -9, f"{point} was not reached: {done.stderr}"
    before = trimtab.runs()
    resumed = trimtab("campaigns", "resume", "--output", "json", check=0)
    if name.endswith("CampaignsStore.put"):  # nothing was accepted that anybody was told of
        assert "Nothing is left" in resumed.stderr
        return
    if resumed.stdout:
        report = json.loads(resumed.stdout)
        assert "Nothing is left" in trimtab("campaigns", "resume", check=0).stderr
    else:  # it was over
        (only,) = json.loads(trimtab("campaigns", "list", "--output", "json", check=0).stdout)
        report = json.loads(trimtab("campaigns", "show", only["id"], "--output", "json", check=0).stdout)
    assert report["state"] == "finished"
    counts = report["counts"]
    assert counts["candidates"] == counts["pass"] == counts["inspections"] == STACKS
    assert counts["candidates"] == counts["pass"] + counts["fail"] + counts["unknown"] + counts["open"]
    proposals = report["proposals"]
    parts = ("found", "unsatisfiable", "excluded", "duplicates")
    assert proposals["proposed"] == sum(proposals[each] for each in parts)
    stacks = [each["stack"] for each in report["candidates"]]
    assert stacks == expected.setdefault("stacks", stacks)
    inspections = json.loads(trimtab("inspections", "list", "--output", "json", check=0).stdout)
    made = {each["inspection"] for each in report["candidates"]}
    assert sorted(each["id"] for each in inspections) == sorted(made)
    assert {each["state"] for each in inspections} == {"succeeded"}
    assert not list((trimtab.home / "work").glob("inspection-*"))
    # A run whose end nobody saw is made anew; no other is.
    after = trimtab.runs()
    assert set(after) == made
    assert all(after[each] <= count + 1 for each, count in before.items())
    assert after.total() <= STACKS + PARALLEL
