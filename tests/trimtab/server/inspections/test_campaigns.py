"""The API of campaigns: asked for, listed, shown, cancelled, deleted, each by whom it belongs to."""

import pytest

from trimtab.catalog import CampaignState
from trimtab.workflows.campaigns import Campaign, Unwatched, read
from trimtab.workflows.campaigns.ending import Ending

PATH = "/api/v1/campaigns"
ASKED = {
    "question": {"requirements": ["web>=1", "api"], "plan": "breakers", "seed": 3},
    "context": {"base": "registry.example/python:3.11", "script": "#!/bin/sh\necho hello\n"},
    "budget": {"stacks": 5},
}


async def begin(caller, **changes):
    response = await caller.post(PATH, json=ASKED | changes)
    assert response.status_code == 202, response.text
    return response.json()["campaign_id"]


async def test_what_is_accepted_is_kept_and_shown(callers, place):
    name = await begin(callers["alice"])
    stored = read(place, name)
    assert stored.question.requirements == ("web>=1", "api")
    assert (stored.owner, stored.budget.stacks) == ("alice", 5)
    report = (await callers["alice"].get(f"{PATH}/{name}")).json()["report"]
    assert (report["state"], report["counts"]["candidates"], report["ended"]) == ("queued", 0, None)
    (row,) = (await callers["alice"].get(PATH)).json()["campaigns"]
    assert (row["id"], row["plan"], row["counts"]["open"]) == (name, "breakers", 0)


async def test_what_is_somebody_elses_is_not_there(callers):
    name = await begin(callers["alice"])
    for method, path in (("GET", ""), ("POST", "/cancel"), ("DELETE", "")):
        response = await callers["bob"].request(method, f"{PATH}/{name}{path}")
        assert response.status_code == 404, path
    assert (await callers["bob"].get(PATH)).json()["campaigns"] == []
    assert (await callers["root"].get(f"{PATH}/{name}")).status_code == 200
    assert (await callers["watcher"].post(PATH, json=ASKED)).status_code == 403


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"question": {"requirements": []}}, "question.requirements"),
        ({"question": {"requirements": ["web"], "plan": "bisect"}}, "needs good and bad"),
        ({"question": {"requirements": ["web"], "indexes": ["http://10.0.0.1/"]}}, "leave it out"),
        ({"question": {"requirements": ["web"], "platform": "amiga"}}, "amiga"),
        ({"question": {"requirements": ["web; python_version<'3'"]}}, "none of them is for the target"),
        (
            {"question": {"requirements": ["web"], "plan": "adaptive", "objective": "minimize ("}},
            "minimize (",
        ),
        ({"context": {"base": "a", "python": {"lock": {}}}}, "context.python"),
        ({"context": {"base": "a", "batch_size": 0}}, "batch_size"),
        ({"budget": {"stacks": 0}}, "budget.stacks"),
        ({"budget": {"runs": 1}, "context": {**ASKED["context"], "batch_size": 2}}, "budget.runs"),
        ({"budget": {"unknown": 1}}, "budget.unknown"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_place(callers, changes, problem):
    response = await callers["alice"].post(PATH, json=ASKED | changes)
    assert response.status_code == 400, response.text
    assert problem in response.json()["error"]
    assert (await callers["alice"].get(PATH)).json()["campaigns"] == []


async def test_cancelled_it_is_over_when_somebody_takes_it_and_then_it_can_be_deleted(callers, place):
    name = await begin(callers["alice"])
    assert (await callers["alice"].delete(f"{PATH}/{name}")).status_code == 409
    assert (await callers["alice"].post(f"{PATH}/{name}/cancel")).status_code == 202
    await Ending(place, read(place, name), Unwatched()).cancel()
    report = (await callers["alice"].get(f"{PATH}/{name}")).json()["report"]
    assert report["state"] == CampaignState.CANCELLED
    assert (await callers["alice"].post(f"{PATH}/{name}/cancel")).status_code == 409
    assert (await callers["alice"].delete(f"{PATH}/{name}")).status_code == 200
    assert (await callers["alice"].get(f"{PATH}/{name}")).status_code == 404


def test_ids_of_inspections_follow_from_campaign_stack_and_attempt():
    from trimtab.stacks import Stack

    stack = Stack("web==1.0 --hash=sha256:00\n")
    campaign = Campaign.of(ASKED["question"], ASKED["context"], engine="process")
    again = Campaign.load(campaign.document())
    first = campaign.submission(stack, 1, "test")
    assert first.id == again.submission(stack, 1, "test").id == campaign.inspection(stack, 1)
    other = Campaign.of(ASKED["question"], ASKED["context"], engine="process")
    ids = {first.id, campaign.inspection(stack, 2), other.inspection(stack, 1)}
    assert len(ids) == 3
    assert first.specification["python"]["lock"]["requirements.txt"] == stack.lock
